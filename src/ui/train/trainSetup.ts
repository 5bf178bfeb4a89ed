// What "Train" would begin: the stages that are on, and what they learn from. Pure.

import type { AdapterRecord, CorpusRecord } from "../../storage/database.ts";
import type { Project } from "../../storage/project.ts";
import type { ModelState, TrainConfig, TrainRequest } from "../../worker/protocol.ts";
import { configProblem, type Stage, STAGE_TITLES, STAGES } from "./settings.ts";
import type { useSource } from "./sourceStore.ts";
import { chosenCorpora, definedTypes, sourceTypes, type SourceType } from "./sourceTypes.ts";
import { startAdapter } from "./startAdapter.ts";
import { configOf, heldoutSet, supportProblem, supportSet, type useTrain } from "./trainStore.ts";

type TrainSettings = ReturnType<typeof useTrain.getState>;
type SourceSettings = Pick<ReturnType<typeof useSource.getState>, "definitions" | "leftOut" | "deleted">;

interface Known {
  adapters: readonly AdapterRecord[];
  corpora: readonly CorpusRecord[];
  model: ModelState;
}

export interface TrainSetup {
  stages: readonly { stage: Stage; config: TrainConfig }[];
  /** The adapter that the first of them begins with; null: a fresh one. */
  parent: AdapterRecord | null;
  /** Those that take part in the stage source, with all their types. */
  corpora: readonly CorpusRecord[];
  sourceTypes: readonly SourceType[];
  /** Of the open model; null: none is open. */
  layers: number | null;
}

/** @returns null until the engine has told its presets */
export function trainSetup(
  train: TrainSettings,
  source: SourceSettings,
  known: Known,
  project: Project,
): TrainSetup | null {
  const stages = STAGES.filter((stage) => train.on[stage]).flatMap((stage) => {
    const config = configOf(train, stage);
    return config === null ? [] : [{ stage, config }];
  });
  if (train.presets === null) return null;
  const [first] = stages;
  const corpora = chosenCorpora(known.corpora, source);
  return {
    stages,
    parent: first === undefined ? null : startAdapter(first.stage, train.parents, known),
    corpora,
    sourceTypes: sourceTypes(corpora, source.definitions, project.types),
    layers: known.model.kind === "open" ? known.model.facts.layers : null,
  };
}

/** Why training cannot start, each in one sentence with what to do. */
export function trainingProblems(project: Project, setup: TrainSetup): string[] {
  const { stages, parent } = setup;
  if (stages.length === 0) return ["expected at least one stage to train, got none (switch one on above)"];
  const problems = stages.flatMap(({ stage, config }, index) => {
    const problem = configProblem(config) ?? layerProblem(config, setup.layers);
    const named = problem !== null && stages.length > 1 ? `${STAGE_TITLES[stage]}: ${problem}` : problem;
    const lacking = stage === "source" ? sourceProblem(setup) : supportProblem(project);
    const unfounded =
      stage === "dpo" && index === 0 && parent === null
        ? "expected an SFT adapter for DPO to begin with, got none (train the stage SFT first, or import an adapter under Models)"
        : null;
    return [unfounded, lacking, named].filter((sentence) => sentence !== null);
  });
  return [...new Set(problems)];
}

function layerProblem({ contrastiveWeight, contrastiveLayer }: TrainConfig, layers: number | null): string | null {
  if (layers === null || contrastiveWeight === 0 || contrastiveLayer === null || contrastiveLayer < layers) return null;
  return `expected Contrastive layer from 0 to ${layers - 1}, got ${contrastiveLayer} (the model has ${layers} layers; empty is the paper's)`;
}

function sourceProblem({ corpora, sourceTypes: types }: TrainSetup): string | null {
  if (corpora.length === 0) {
    return "expected at least one source corpus, got none (add a labelled file under the stage Source, or switch the stage off)";
  }
  if (definedTypes(types).length === 0) {
    return "expected a definition of at least one type of the source corpora, got none (write one under the stage Source: the prompt quotes it)";
  }
  return null;
}

/** @param names one for each stage */
export function trainRequest(
  project: Project,
  { stages, parent, corpora, sourceTypes: types }: TrainSetup,
  { evaluate, heldoutLimit }: Pick<TrainSettings, "evaluate" | "heldoutLimit">,
  names: readonly string[],
): TrainRequest | null {
  const [first, ...rest] = stages.map(({ config }, index) => ({ name: names[index] ?? "", config: { ...config } }));
  if (first === undefined) return null;
  const has = (stage: Stage): boolean => stages.some((one) => one.stage === stage);
  const asked = project.types.filter(({ definition }) => definition.trim() !== "");
  return {
    ...first,
    documents: has("sft") || has("dpo") ? supportSet(project) : [],
    heldout: asked.length === 0 ? [] : heldoutSet(project, heldoutLimit),
    types: asked,
    evaluate,
    parent: parent?.id ?? null,
    corpora: has("source") ? corpora.map(({ id }) => id) : [],
    corpusTypes: has("source") ? definedTypes(types).map(({ name, definition }) => ({ name, definition })) : [],
    next: rest,
  };
}
