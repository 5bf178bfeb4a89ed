// obp bundle: everything for the same job in PyTorch: accelerate launch reference/train.py BUNDLE.
import { dirname, join, resolve } from "node:path";
import { ADAPTER_CONFIG, ADAPTER_WEIGHTS } from "../model/adapters/peft.ts";
import { parseSettings } from "../train/parseSettings.ts";
import { STAGE_DEFAULTS } from "../train/presets.ts";
import { checkTrainConfig, STAGES } from "../train/config.ts";
import { readAdapter } from "./adapterFolder.ts";
import { writeFilesAtomic } from "./atomicFile.ts";
import { bundledDocuments, streamDocuments } from "./bundleDocuments.ts";
import { readJson, readTypes } from "./documents.ts";
import { readPreferences } from "./pairsFile.ts";
import { readBytes } from "./readFile.ts";
import { defineVerb } from "./verb.ts";

/** A project's manifest, as public/samples/project.json: paths are relative to it. */
interface Manifest {
  readonly name: string;
  readonly model: string;
  readonly files: Readonly<Partial<Record<"train" | "heldout" | "types" | "config" | "pairs" | "adapter", string>>>;
}

export const verb = defineVerb({
  positionals: {},
  flags: {
    project: {
      kind: "text",
      value: "PROJECT.json",
      required: true,
      help: `{"name","model","files":{"train","types",…}}`,
    },
    stage: { kind: "choice", choices: STAGES, fallback: "sft", help: "which stage to train (default sft)" },
    config: { kind: "text", value: "C.json", help: "settings, in place of the project's (default: the stage's own)" },
    pairs: {
      kind: "text",
      value: "PAIRS.jsonl",
      help: "preference pairs for the stage dpo, in place of the project's",
    },
    adapter: { kind: "text", value: "FOLDER", help: "start from this adapter, in place of the project's" },
    out: { kind: "text", value: "FOLDER", required: true, help: "the bundle" },
  },
  example: "npx obp bundle --project public/samples/project.json --out /tmp/kitchen-bundle",
  async run({ flags }, context) {
    const { name, model, files } = readManifest(flags.project);
    const inProject = (file: string) => resolve(dirname(flags.project), file);
    const choose = (given: string | undefined, file: string | undefined) =>
      given ?? (file === undefined ? undefined : inProject(file));
    const reading = { format: undefined, offsets: "code-points" } as const;
    const types = readTypes(inProject(required(files, "types", flags.project)));
    const documents = (file: string) => bundledDocuments(file, reading, types, context);
    const configFile = choose(flags.config, files.config);
    const settings = configFile === undefined ? {} : parseSettings(readJson(configFile), configFile);
    const config = { ...STAGE_DEFAULTS[flags.stage], ...settings, stage: flags.stage };
    checkTrainConfig(config);
    const pairs = choose(flags.pairs, files.pairs);
    if (flags.stage === "dpo" && pairs === undefined) {
      throw new Error("expected pairs for the stage dpo, got none (--pairs, or obp pairs to make them)");
    }
    const adapter = choose(flags.adapter, files.adapter);
    const heldout = choose(undefined, files.heldout);
    const train = inProject(required(files, "train", flags.project));
    const written = new Map<string, string | Uint8Array>([
      ["types.json", `${JSON.stringify(Object.fromEntries(types.map((t) => [t.name, t.definition])), null, 2)}\n`],
      ...(flags.stage === "source" ? [] : [["train.jsonl", documents(train)] as const]),
      ...(heldout === undefined ? [] : [["heldout.jsonl", documents(heldout)] as const]),
      ["config.json", `${JSON.stringify(config, null, 2)}\n`],
    ]);
    if (pairs !== undefined) {
      const lines = readPreferences(pairs).map(({ prompt, chosen, rejected, kind }) =>
        JSON.stringify({ prompt, chosen, rejected, kind }),
      );
      written.set("pairs.jsonl", `${lines.join("\n")}\n`);
    }
    if (adapter !== undefined) {
      readAdapter(adapter); // refused here rather than on the cluster
      [ADAPTER_CONFIG, ADAPTER_WEIGHTS].forEach((file) => {
        written.set(join("adapter", file), readBytes(join(adapter, file)));
      });
    }
    const list = [...new Set([...written.keys(), "train.jsonl"])].sort();
    written.set("bundle.json", `${JSON.stringify({ name, model, stage: flags.stage, files: list }, null, 2)}\n`);
    const streamed =
      flags.stage === "source"
        ? [await streamDocuments(train, join(flags.out, "train.jsonl"), reading, types, context)]
        : [];
    writeFilesAtomic(new Map([...written].map(([file, data]) => [join(flags.out, file), data])), streamed);
    return {
      json: { files: [...list, "bundle.json"].sort(), stage: flags.stage, out: flags.out },
      text: `${list.length + 1} files written to ${flags.out}: train with accelerate launch reference/train.py ${flags.out} --model MODEL`,
    };
  },
});

function readManifest(path: string): Manifest {
  const content = readJson(path);
  const { name, model, files } = (typeof content === "object" && content !== null ? content : {}) as Partial<Manifest>;
  if (typeof name !== "string" || typeof model !== "string" || typeof files !== "object") {
    throw new Error(
      `expected a project {"name","model","files":{"train","types",…}} in ${path}, got ${JSON.stringify(content).slice(0, 80)}`,
    );
  }
  for (const [what, file] of Object.entries(files)) {
    if (typeof file !== "string") {
      throw new Error(`expected the path of ${what} in ${path} to be a text, got ${JSON.stringify(file)}`);
    }
  }
  return { name, model, files };
}

function required(files: Manifest["files"], what: "train" | "types", path: string): string {
  const file = files[what];
  if (file === undefined) {
    throw new Error(`expected the file of ${what} among the files of ${path}, got none`);
  }
  return file;
}
