/** The rules that hold for every verb, on the real command; nothing here needs a GPU. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { CommandFolder } from "./testCommand.ts";

const samples = fileURLToPath(new URL("../../public/samples", import.meta.url));
const train = join(samples, "train.jsonl");
const types = join(samples, "types.json");

const given = ["--model", "bundled", "--stage", "sft", "--out", "x"];

/** The verbs that `obp --help` lists. */
function listedVerbs(folder: CommandFolder): string[] {
  const help = folder.obp("--help").stdout;
  return [...help.matchAll(/^ {2}(\w+(?: \w+)?) {2,}\S/gm)].map(([, name = ""]) => name);
}

describe("obp", () => {
  test("lists its verbs; each has help with usage and an example", () => {
    using folder = new CommandFolder();
    const verbs = listedVerbs(folder);
    expect(verbs).toEqual(expect.arrayContaining(["model info", "tokenize", "score", "grad", "train", "predict"]));
    expect(verbs).toEqual(expect.arrayContaining(["eval", "data convert", "data check", "bench"]));
    for (const verb of verbs) {
      const { code, stdout, stderr } = folder.obp(...verb.split(" "), "--help");
      expect([verb, code, stderr]).toEqual([verb, 0, ""]);
      expect(stdout).toContain(`usage: obp ${verb}`);
      expect(stdout).toMatch(/example:\n {2}npx obp /);
      for (const flag of ["--json", "--adapter-kind auto|gpu|software", "--debug", "--help"]) {
        expect(stdout).toContain(flag);
      }
    }
  });

  test("says its version", () => {
    using folder = new CommandFolder();
    const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
      version: string;
    };
    expect(folder.obp("--version").stdout).toBe(`${version}\n`);
  });

  test.each<[string[], RegExp]>([
    [[], /^error: expected a command, got none/],
    [["trian"], /^error: expected a command, got trian \(did you mean train\?\)/],
    [
      ["data", "chekc", "x"],
      /^error: expected data convert or data check, got data chekc \(did you mean data check\?\)/,
    ],
    [["data"], /^error: expected data convert or data check, got data/],
    [["model", "info"], /^error: expected FILE, got none/],
    [["model", "info", "a", "b"], /^error: expected only FILE, got a further word "b"/],
    [["tokenize", "--modle", "bundled", "x"], /^error: expected a known flag, got --modle \(did you mean --model\?\)/],
    [["tokenize", "-m", "bundled", "x"], /^error: expected a known flag, got -m/],
    [["tokenize", "x"], /^error: expected --model FILE\|bundled, got none/],
    [["tokenize", "--model"], /^error: expected --model FILE\|bundled, got nothing after it/],
    [["tokenize", "--model", "--json", "x"], /^error: expected --model FILE\|bundled, got --json/],
    [["tokenize", "--model", "a", "--model", "b", "x"], /^error: expected --model once, got it 2 times/],
    [["tokenize", "--model", "bundled"], /^error: expected TEXT, got none/],
    [["tokenize", "--json=yes", "--model", "bundled", "x"], /^error: expected --json without a value, got yes/],
    [["tokenize", "--model", "bundled", "--adapter-kind", "sofware", "x"], /did you mean software\?/],
    [["train", ...given, "--epochs", "five"], /^error: expected --epochs to be a number, got five/],
    [["train", ...given, "--rank", "1.5"], /^error: expected --rank to be a whole number, got 1.5/],
    [["train", ...given], /^error: expected --train FILE…, got none/],
    [["bench", "nothing"], /^error: expected one of matmul, .* got nothing/],
    [["tokenize", "--constructor", "x"], /^error: expected a known flag, got --constructor/],
    [["modle", "info", "x"], /^error: expected a command, got modle \(did you mean model info\?\)/],
    [["model", "info", ""], /^error: expected FILE, got an empty text/],
    [["train", ...given, "--train", "", "--types", "x"], /^error: expected --train FILE, got an empty text/],
    [["predict", ...given.slice(0, 2), "--in", "x", "--types", "x", "--out="], /expected --out P.jsonl, got an empty/],
  ])("usage error %j: one line, exit 2", (words, message) => {
    using folder = new CommandFolder();
    const { code, stdout, stderr } = folder.obp(...words);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd()).not.toContain("\n");
  });

  test("--json prints exactly one object, also where text follows --", () => {
    using folder = new CommandFolder();
    const empty = folder.obp("tokenize", "--model", "bundled", "--json", "--", "");
    expect([empty.code, empty.stderr, empty.json()]).toEqual([0, "", { ids: [], tokens: [], offsets: [] }]);
    const run = folder.obp("tokenize", "--json", "--model", "bundled", "--", "--json 🥚é");
    expect(run.stdout.split("\n")).toHaveLength(2);
    const { tokens, offsets, ids } = run.json() as { tokens: string[]; offsets: number[][]; ids: number[] };
    expect(tokens.length).toBe(ids.length);
    expect(offsets.at(-1)).toEqual([8, 9]); // code points: the emoji is one
    const utf16 = folder
      .obp("tokenize", "--json", "--model", "bundled", "--offsets", "utf16", "--", "--json 🥚é")
      .json();
    expect((utf16["offsets"] as number[][]).at(-1)).toEqual([9, 10]);
  });

  test("model info says what a GGUF holds", () => {
    using folder = new CommandFolder();
    const info = folder.obp("model", "info", "bundled", "--json").json();
    expect(Object.keys(info)).toEqual(
      expect.arrayContaining([
        ...["architecture", "name", "layers", "hiddenSize", "heads", "kvHeads", "headDim", "feedForwardSize"],
        ...["vocabSize", "contextLength", "ropeTheta", "tiedEmbeddings", "tensorTypes", "fileBytes", "gpuBytes"],
        ...["bosTokenId", "eosTokenId", "addBos"],
      ]),
    );
    const { weights, trainingAt512 } = info["gpuBytes"] as { weights: number; trainingAt512: number };
    expect(weights).toBeGreaterThan(1e6);
    expect(trainingAt512).toBeGreaterThan(weights);
  });

  test("a result that cannot be written is an error; messages that cannot be are none", () => {
    using folder = new CommandFolder({ slip: "a\tB-X\nb\tI-Y\n" });
    const full = folder.obpInto("/dev/full", "stdout", "data", "check", train);
    expect([full.code, full.stderr]).toEqual([
      1,
      "error: expected room on the disk for standard output, got a full disk (free some space or choose another folder)\n",
    ]);
    const slip = ["eval", "--gold", "slip", "--pred", "slip"]; // its warning goes to standard error
    expect(folder.obp(...slip).stderr).toMatch(/^warning: /);
    expect(folder.obpInto("/dev/full", "stderr", ...slip).code).toBe(0);
  });

  test("a benchmark of more tokens than the model can take is refused before it starts", () => {
    using folder = new CommandFolder();
    const { code, stderr } = folder.obp("bench", "train", "--tokens", "1000000000");
    expect(code).toBe(1);
    expect(stderr).toBe("error: expected --tokens up to 2048, the context of OBP Mini, got 1000000000\n");
  });

  test.each<[string, string[], RegExp]>([
    ["pairs that are not UTF-8", ["--in", "latin"], /^error: expected to read latin, got: expected UTF-8 text/],
    [
      "a broken adapter",
      ["--in", "pairs", "--adapter", "."],
      /^error: expected to read \., got: expected JSON in adapter/,
    ],
  ])("%s: the file is named", (_, words, message) => {
    using folder = new CommandFolder({ pairs: '{"prompt":"a b","completion":" c"}', "adapter_config.json": "{" });
    writeFileSync(join(folder.path, "latin"), Uint8Array.of(0x7b, 0xe9, 0x7d));
    writeFileSync(join(folder.path, "adapter_model.safetensors"), "");
    const { code, stderr } = folder.obp("score", "--model", "bundled", ...words);
    expect([code, stderr]).toEqual([1, expect.stringMatching(message)]);
  });

  test.each([
    ["model", "info", "."],
    ["score", "--model", "bundled", "--in", "."],
    ["eval", "--gold", ".", "--pred", train],
    ["predict", "--model", "bundled", "--in", train, "--types", ".", "--out", "p"],
  ])("a folder in place of a file is named: %s %s %s %s", (...words) => {
    using folder = new CommandFolder();
    const { code, stderr } = folder.obp(...words);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^error: expected a file at \., got a folder/)]);
  });

  test("an error is one line with exit 1; its stack comes with --debug only", () => {
    using folder = new CommandFolder({ "no.gguf": "not a model" });
    const plain = folder.obp("model", "info", "no.gguf", "--json");
    expect([plain.code, plain.stdout]).toEqual([1, ""]);
    expect(plain.stderr).toMatch(/^error: expected a GGUF file.*\n$/);
    const debug = folder.obp("model", "info", "no.gguf", "--debug");
    expect(debug.code).toBe(1);
    expect(debug.stderr).toMatch(/^error: expected a GGUF file.*\nGgufError: .*\n {4}at /);
  });

  test.each<[string, string[], Record<string, string>, RegExp]>([
    [
      "an empty support set",
      ["--train", "none.jsonl", "--types", types],
      { "none.jsonl": "" },
      /documents, got an empty file/,
    ],
    [
      "a type without definition",
      ["--train", train, "--types", "t.json"],
      { "t.json": '{"person": " "}' },
      /definition of type person/,
    ],
    [
      "a definition that is no text",
      ["--train", train, "--types", "t.json"],
      { "t.json": '{"person": 3}' },
      /definition of type person .* got 3/,
    ],
    ["no types", ["--train", train, "--types", "t.json"], { "t.json": "{}" }, /at least one type in t.json/],
    ["types that are no object", ["--train", train, "--types", "t.json"], { "t.json": '["a"]' }, /got a list/],
    [
      "types that are no JSON",
      ["--train", train, "--types", "t.json"],
      { "t.json": "{" },
      /expected to read t.json, got: /,
    ],
    ["a missing file", ["--train", "gone", "--types", types], {}, /expected a file or folder at gone, got nothing/],
    [
      "an entity outside its text",
      ["--train", "d.jsonl", "--types", types],
      { "d.jsonl": '{"id":"d1","text":"Salt","entities":[{"start":0,"end":9,"type":"ingredient"}]}\n' },
      /line 1: .*lies outside the text/,
    ],
    [
      "an entity inside a surrogate pair",
      ["--train", "d.jsonl", "--types", types, "--offsets", "utf16"],
      { "d.jsonl": '{"id":"d1","text":"🥚 egg","entities":[{"start":1,"end":3,"type":"ingredient"}]}\n' },
      /surrogate pair/,
    ],
    [
      "an unknown setting",
      ["--train", train, "--types", types, "--config", "c.json"],
      { "c.json": '{"epoch": 2}' },
      /got epoch \(did you mean epochs\?\)/,
    ],
    [
      "a setting of another kind",
      ["--train", train, "--types", types, "--config", "c.json"],
      { "c.json": '{"rank": "8"}' },
      /rank in c.json to be a number, got "8"/,
    ],
    [
      "an unknown target",
      ["--train", train, "--types", types, "--targets", "q_porj"],
      {},
      /got "q_porj" \(did you mean q_proj\?\)/,
    ],
    [
      "a setting out of range",
      ["--train", train, "--types", types, "--dropout", "1"],
      {},
      /expected dropout to be .* got 1/,
    ],
    [
      "held-out documents that are not there",
      ["--heldout", "nowhere.jsonl", "--train", train, "--types", types],
      {},
      /nowhere\.jsonl/,
    ],
    ["settings of another stage", ["--beta", "0.3", "--train", train, "--types", types], {}, /beta/],
  ])("train refuses %s before it opens the GPU", (_, words, files, message) => {
    using folder = new CommandFolder(files);
    const stage = words.includes("--stage") ? [] : ["--stage", "sft"];
    const { code, stdout, stderr } = folder.obp("train", "--model", "bundled", ...stage, ...words, "--out", "adapter");
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^error: expected /);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd()).not.toContain("\n");
    expect(folder.list()).not.toContain("adapter");
  });

  test.each([
    ["a pair without completion", '{"prompt":"a"}', /line 1 of p.jsonl, got \{"prompt":"a"\}/],
    ["a line that is no JSON", '{"prompt":"a ","completion":"b"}\n{', /JSON object on line 2 of p.jsonl/],
    ["no pairs", "\n", /expected pairs .* got none/],
    ["an empty prompt", '{"prompt":"","completion":"b"}', /token of its own on line 1/],
    [
      "a pair over the context",
      JSON.stringify({ prompt: "salt ".repeat(9000), completion: "x" }),
      /the model's context, on line 1/,
    ],
  ])("score refuses %s", (_, pairs, message) => {
    using folder = new CommandFolder({ "p.jsonl": pairs });
    const { code, stderr } = folder.obp("score", "--model", "bundled", "--in", "p.jsonl");
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
  });
});

describe("output files", () => {
  const convert = ["data", "convert", train] as const;

  test("a full disk: one clear line, and what was there stays as it was", () => {
    using folder = new CommandFolder({ "out.jsonl": "earlier" });
    // The kernel's own device for a disk without room.
    const full = folder.obp(...convert, "/dev/full");
    expect([full.code, full.stdout]).toEqual([1, ""]);
    expect(full.stderr).toMatch(/^error: expected room on the disk for \/dev\/full, got a full disk \(.*\)\n$/);
    // A file that may not grow past 512 bytes: the write fails half-way through, as on a disk that fills up.
    const limited = folder.obpWithFileLimit(1, ...convert, "out.jsonl");
    expect([limited.code, limited.stdout]).toEqual([1, ""]);
    expect(limited.stderr).toMatch(/^error: expected room .*out.jsonl, got .*\n$/);
    expect(folder.read("out.jsonl")).toBe("earlier");
    expect(folder.list()).toEqual(["out.jsonl"]);
  });

  test("a run that succeeds replaces the file, makes folders on the way, and leaves nothing beside it", () => {
    using folder = new CommandFolder({ "out.jsonl": "earlier" });
    expect(folder.obp(...convert, "out.jsonl").code).toBe(0);
    expect(folder.read("out.jsonl")).toContain("kitchen-train-01");
    expect(folder.obp(...convert, "a/b/out.jsonl").code).toBe(0);
    expect(folder.read("a/b/out.jsonl")).toBe(folder.read("out.jsonl"));
    expect(folder.list()).toEqual(["a", "out.jsonl"]);
  });

  test("a folder in the place of a file is said", () => {
    using folder = new CommandFolder();
    expect(folder.obp(...convert, ".").stderr).toMatch(/^error: expected a file name to write to, got the folder/);
  });
});
