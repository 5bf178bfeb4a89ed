import { describe, expect, it } from "vitest";
import type { CorpusRecord } from "../../storage/database.ts";
import type { Project } from "../../storage/project.ts";
import { PRESETS } from "../../train/presets.ts";
import type { ModelState } from "../../worker/protocol.ts";
import { type Stage, STAGES } from "./settings.ts";
import { chosenCorpora, definedTypes, sourceTypes } from "./sourceTypes.ts";
import { trainingProblems, trainRequest, trainSetup } from "./trainSetup.ts";
import { currentConfig, stageBefore, useTrain } from "./trainStore.ts";

const project: Project = {
  name: "Kitchen",
  types: [{ name: "tool", definition: "what a cook holds" }],
  documents: [
    { id: "1", text: "A pan", entities: [{ start: 2, end: 5, type: "tool" }], split: "train", done: true },
    { id: "2", text: "A pot", entities: [{ start: 2, end: 5, type: "tool" }], split: "heldout", done: true },
  ],
};
const corpus = (id: string, ...types: CorpusRecord["types"]): CorpusRecord => ({
  ...{ id, name: `${id}.txt`, fingerprint: id, bytes: 1, format: "conll-bio", sentences: 1, addedAt: 1, file: id },
  types,
});
const corpora = [
  corpus("news", { name: "person", entities: 2 }, { name: "tool", entities: 3 }),
  corpus("tales", { name: "person", entities: 5 }, { name: "place", entities: 1 }),
];
const known = { adapters: [], corpora, model: { kind: "none" } as ModelState };
const nothing = { definitions: {}, leftOut: [], deleted: null };

/** The setup with some stages on. */
function setup(stages: readonly Stage[], source = nothing, engine: typeof known = known, ofProject = project) {
  const on = { source: false, sft: false, dpo: false, ...Object.fromEntries(stages.map((stage) => [stage, true])) };
  const made = trainSetup({ ...useTrain.getState(), presets: PRESETS, on }, source, engine, ofProject);
  if (made === null) throw new Error("expected a setup");
  return made;
}

describe("types of the corpora", () => {
  it("are those of the chosen corpora with their entities, defined by hand or by the project", () => {
    const defined = { person: "people", tool: " " };
    expect(sourceTypes(corpora, { person: "people" }, project.types)).toEqual([
      { name: "person", definition: "people", entities: 7 },
      { name: "tool", definition: "what a cook holds", entities: 3 },
      { name: "place", definition: "", entities: 1 },
    ]);
    expect(definedTypes(sourceTypes(corpora, defined, project.types)).map(({ name }) => name)).toEqual(["person"]);
    expect(sourceTypes([corpus("odd", { name: "constructor", entities: 1 })], {}, [])[0]?.definition).toBe("");
  });

  it("leave out a corpus that is put off or deleted", () => {
    const [news, tales] = corpora;
    expect(chosenCorpora(corpora, { leftOut: ["news"], deleted: null })).toEqual([tales]);
    expect(chosenCorpora(corpora, { leftOut: [], deleted: tales ?? null })).toEqual([news]);
  });
});

describe("what would be trained", () => {
  it("is the stages that are on in the method's order, each on the data that it reads", () => {
    const all = setup(["dpo", "source", "sft"]);
    expect(trainingProblems(project, all)).toEqual([]);
    const request = trainRequest(project, all, { evaluate: "end", heldoutLimit: null }, ["a", "b", "c"]);
    expect(request).toMatchObject({ name: "a", config: { stage: "source" }, parent: null, corpora: ["news", "tales"] });
    expect(request?.corpusTypes).toEqual([{ name: "tool", definition: "what a cook holds" }]);
    expect(request?.next.map(({ name, config }) => [name, config["stage"]])).toEqual([
      ["b", "sft"],
      ["c", "dpo"],
    ]);
    expect([request?.documents.length, request?.heldout.length]).toEqual([1, 1]);

    const alone = trainRequest(project, setup(["sft"]), { evaluate: "end", heldoutLimit: null }, ["a"]);
    expect(alone).toMatchObject({ corpora: [], corpusTypes: [], next: [] });
    const source = trainRequest(project, setup(["source"]), { evaluate: "end", heldoutLimit: null }, ["a"]);
    expect(source).toMatchObject({ documents: [], heldout: [{ id: "2" }], next: [] });
  });

  it("is asked for in vain without corpora, definitions, a support set or an adapter, a sentence each", () => {
    const empty: Project = { ...project, types: [], documents: [] };
    const none = { ...known, corpora: [] };
    expect(trainingProblems(project, setup([]))).toEqual([expect.stringContaining("at least one stage")]);
    expect(trainingProblems(empty, setup(["source"], nothing, none, empty))).toEqual([
      expect.stringContaining("expected at least one source corpus, got none"),
    ]);
    expect(trainingProblems(empty, setup(["source"], nothing, known, empty))).toEqual([
      expect.stringContaining("expected a definition of at least one type of the source corpora, got none"),
    ]);
    expect(trainingProblems(empty, setup(["sft", "dpo"], nothing, none, empty))).toEqual([
      expect.stringContaining("expected at least one support sentence"),
    ]);
    expect(trainingProblems(project, setup(["dpo"]))).toEqual([expect.stringContaining("expected an SFT adapter")]);
    expect(trainingProblems(project, setup(["sft", "dpo"]))).toEqual([]);
  });

  it("names the stage of a setting that is wrong where there are several", () => {
    const made = setup(["source", "sft"]);
    const stages = made.stages.map((one) => ({ ...one, config: { ...one.config, epochs: 0 } }));
    expect(trainingProblems(project, { ...made, stages })).toEqual([
      "Source: expected Epochs from 1 to 100, got 0",
      "SFT + contrastive: expected Epochs from 1 to 100, got 0",
    ]);
  });
});

describe("the layer of the contrastive loss", () => {
  const problems = (layers: number | null, contrastiveWeight: number) => {
    const made = setup(["sft"]);
    const config = { ...PRESETS.sft.paper, contrastiveWeight, contrastiveLayer: 8 };
    return trainingProblems(project, { ...made, layers, stages: [{ stage: "sft", config }] });
  };

  it("is one of the open model's, where the loss is on", () => {
    expect(problems(8, 0.01)).toEqual([expect.stringContaining("expected Contrastive layer from 0 to 7, got 8")]);
    expect(problems(9, 0.01)).toEqual([]);
    expect(problems(null, 0.01)).toEqual([]);
    expect(problems(8, 0)).toEqual([]);
  });
});

describe("settings of the stages", () => {
  it("become one's own for all stages at once, from the preset that was on", () => {
    useTrain.setState({ presets: PRESETS, preset: "paper", stage: "sft" });
    useTrain.getState().change({ epochs: 2 });
    expect(currentConfig(useTrain.getState())).toEqual({ ...PRESETS.sft.paper, epochs: 2 });
    for (const stage of STAGES.filter((other) => other !== "sft")) {
      expect(currentConfig({ ...useTrain.getState(), stage })).toEqual(PRESETS[stage].paper);
    }
  });

  it("a stage begins with the adapter of the stage that is on before it", () => {
    const before = (on: Record<Stage, boolean>) => STAGES.map((stage) => stageBefore({ on }, stage));
    expect(before({ source: true, sft: false, dpo: true })).toEqual([null, null, "source"]);
    expect(before({ source: true, sft: true, dpo: true })).toEqual([null, "source", "sft"]);
  });
});
