/** Both programs' run/ folders are read alike, and what is not in them is not made up. */
import { expect, test } from "vitest";
import { compareStates, FRESH } from "./compareRuns.ts";
import { PRESETS } from "./presets.ts";
import { recordedRun } from "./recordedRun.ts";

const config = JSON.stringify(PRESETS.sft.quick);
const nobody = (): undefined => undefined;

test("of the command line: hashes of files, names without their folders", () => {
  const environment = JSON.stringify({
    ...{ obp: "0.1.0", model: { name: "OBP Mini", bytes: 3, sha256: { "m.gguf": "aa" } } },
    ...{ inputs: { "data/train.jsonl": "11", "types.json": "22" }, startAdapter: null, steps: 9 },
  });
  expect(recordedRun(config, environment, "here", nobody)).toEqual({
    ...{ run: "here", config: PRESETS.sft.quick, start: FRESH, steps: 9 },
    model: { id: "aa", label: "OBP Mini", kind: "sha256" },
    data: { id: "11 22", label: "train.jsonl, types.json", kind: "files" },
  });
});

test("of the studio; the adapter begun with is named where it is known", () => {
  const environment = JSON.stringify({ model: { name: "OBP Mini", fingerprint: "f" }, data: "dd", startAdapter: "s" });
  const nameOf = (hash: string): string | undefined => (hash === "s" ? "sft" : undefined);
  const made = recordedRun(config, environment, null, nameOf);
  expect(made).toMatchObject({ start: { id: "s", label: "sft" }, steps: null, data: { id: "dd", kind: "studio" } });
  expect(recordedRun(config, environment, null, nobody).start?.label).toBe("an adapter");
  // Hashes of two kinds are no difference.
  const files = JSON.stringify({ model: { name: "OBP Mini", sha256: { m: "aa" } }, startAdapter: "s" });
  const states = [made, recordedRun(config, files, null, nameOf)].map((one, i) => ({ name: `${i}`, made: one }));
  expect(compareStates(states)?.differences).toEqual([]);
});

test("without run/environment.json, or with another program's, only the settings are known", () => {
  const unknown = { model: null, data: null, start: null, steps: null };
  expect(recordedRun(config, null, null, nobody)).toMatchObject(unknown);
  expect(recordedRun(config, '{"model":"gpt2"}', null, nobody)).toMatchObject(unknown);
  expect(() => recordedRun('{"lr":1}', null, null, nobody)).toThrow("expected settings of training in run/config.json");
});
