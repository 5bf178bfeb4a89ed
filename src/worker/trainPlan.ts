// What a training will take, before it starts.

import { buildExamples, longestExample, responseLength } from "../train/examples.ts";
import type { OpenModel } from "./modelFacts.ts";
import type { PlanRequest, TrainingPlan } from "./protocol.ts";
import { labelledPairs } from "./trainStage.ts";

/** In DPO of the pairs that labels make alone: the adapter's own errors are found when it starts. */
export function planTraining(model: OpenModel, request: PlanRequest): Omit<TrainingPlan, "memory"> {
  const { config } = request;
  const counts = config.stage === "dpo" ? countPairs(model, request) : countPrompts(model, request);
  const stepsAnEpoch = Math.ceil(counts.prompts / config.gradAccumSteps);
  return { ...counts, steps: config.maxSteps ?? Math.ceil(config.epochs * stepsAnEpoch) };
}

type Counts = Omit<TrainingPlan, "memory" | "steps">;

function countPrompts({ tokenizer, config }: OpenModel, { documents, types }: PlanRequest): Counts {
  const { examples, tooLong } = buildExamples(tokenizer, documents, types, config.contextLength);
  return {
    prompts: examples.length,
    tokens: sum(examples.map(({ ids }) => ids.length)),
    supervisedTokens: sum(examples.map(responseLength)),
    longestPrompt: longestExample(examples),
    tooLong,
  };
}

function countPairs(model: OpenModel, request: PlanRequest): Counts {
  const { pairs, leftOut } = labelledPairs(model, request, request.config);
  return {
    prompts: pairs.length,
    tokens: sum(pairs.map(({ ids }) => ids.length)),
    supervisedTokens: sum(pairs.map(({ chosen, rejected }) => responseLength(chosen) + responseLength(rejected))),
    longestPrompt: longestExample(pairs),
    tooLong: leftOut,
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
