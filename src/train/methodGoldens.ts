/** Test helper: the contrastive and the preference loss against the golden files of reference/method_goldens.py. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { LoraTarget } from "../model/adapters/loraWeights.ts";
import type { Llama } from "../model/llama.ts";
import { Lora } from "../model/lora.ts";
import { encodePrompt, type PromptTokenizer } from "../ner/prompt.ts";
import { PAPER_SFT, type TrainConfig } from "./config.ts";
import { ContrastiveLoss } from "./contrastive.ts";
import { type ContrastiveRows, contrastiveRows, POOLINGS } from "./contrastiveRows.ts";
import { dpoPair, type DpoExample, pairLogprobs } from "./dpoExamples.ts";
import type { TrainExample } from "./examples.ts";
import { contrastiveGradients, dpoGradients, type Gradients } from "./gradients.ts";
import { expectWithin, type GoldenGradients, goldenAdapter, projectedErrors } from "./goldens.ts";
import type { StepLosses } from "./objective.ts";
import { type StepLog, Trainer } from "./trainer.ts";

interface Logprobs {
  readonly chosen: number;
  readonly rejected: number;
}

interface GoldenCurve {
  readonly settings: { readonly learningRate: number };
  readonly steps: readonly StepLosses[];
}

interface MethodGolden {
  readonly rank: number;
  readonly alpha: number;
  readonly targets: readonly LoraTarget[];
  readonly layer: number;
  readonly prompts: readonly {
    readonly type: { readonly name: string; readonly definition: string };
    readonly sentence: string;
    readonly entities: readonly { readonly start: number; readonly end: number }[];
    readonly ids: readonly number[];
    readonly responseStart: number;
    readonly rows: Readonly<Record<"mean" | "ancestor", ContrastiveRows | null>>;
    readonly cosines: { readonly entities: number[]; readonly neighbours: number[] } | null;
  }[];
  readonly contrastiveWeight: number;
  readonly contrastive: StepLosses & GoldenGradients & { readonly variants: Readonly<Record<string, number>> };
  readonly total: StepLosses & GoldenGradients;
  readonly beta: number;
  readonly sftAlpha: number;
  /** lora_B of the reference policy, relative to the policy's. */
  readonly referenceScale: number;
  readonly pairs: readonly {
    readonly kind: string;
    readonly responseStart: number;
    readonly chosenIds: readonly number[];
    readonly rejectedIds: readonly number[];
    readonly reference: Logprobs;
    readonly "logps/chosen": number;
    readonly "logps/rejected": number;
  }[];
  readonly dpo: StepLosses & GoldenGradients & { readonly dpop: { readonly lambda: number; readonly loss: number } };
  readonly curves: {
    readonly sft: GoldenCurve & { readonly prompts: readonly number[] };
    readonly dpo: GoldenCurve & { readonly pairs: readonly number[] };
  };
}

/** Goals of the losses (absolute) and of the gradients (relative, of each tensor and in the median). */
const LOSS = 1e-5;
const EACH = 3e-4;
const MEDIAN = 1e-4;
const CURVE = 1e-3;

interface Extent {
  /** Of the goldens' 20. */
  readonly curveSteps: number;
  /** Also the options that are not the default, which a small model shows as well as a large one. */
  readonly options: boolean;
}

/** Defines the tests of one model. */
export function testMethod(
  name: "bundled" | "smollm2",
  model: () => { readonly llama: Llama; readonly tokenizer: PromptTokenizer },
  { curveSteps, options }: Extent,
): void {
  const golden = readMethodGolden(name);
  const adapter = (llama: Llama) => Lora.fromWeights(llama, goldenAdapter(llama, golden));

  describe("contrastive loss", () => {
    test.each(POOLINGS)("the rows it reads, pooling %s, and the ids", (pooling) => {
      for (const { type, sentence, entities, ids, rows } of golden.prompts) {
        const own = entities.map((entity) => ({ ...entity, type: type.name }));
        const encoding = encodePrompt(model().tokenizer, sentence, type, own);
        expect(encoding.ids).toEqual(ids);
        expect(contrastiveRows(encoding, own, type.name, pooling)).toEqual(rows[pooling]);
      }
    });

    test("loss and every LoRA gradient, alone", async () => {
      const lora = adapter(model().llama);
      const settings = { layer: golden.layer, rope: "pre" } as const;
      const measured = await contrastiveGradients(model().llama, lora, examples(golden, "mean"), settings);
      lora.destroy();
      expectLosses(measured, golden.contrastive);
      expectGradients(measured, golden.contrastive);
    });

    const variants = [
      ["pre", "mean"],
      ["pre", "ancestor"],
      ["post", "mean"],
      ["post", "ancestor"],
    ] as const;
    test.each(options ? variants : variants.slice(0, 1))(
      "loss with queries and keys %s RoPE, pooling %s, and the cosines",
      async (rope, pooling) => {
        const { llama } = model();
        const lora = adapter(llama);
        const loss = new ContrastiveLoss(llama, { layer: null, rope });
        const losses: number[] = [];
        for (const [i, { ids, contrastive }] of examples(golden, pooling).entries()) {
          if (contrastive) {
            const measured = await loss.measure(lora, ids, contrastive);
            losses.push(measured.loss);
            if (rope === "pre" && pooling === "mean") {
              expectWithin(measured.entities, golden.prompts[i]?.cosines?.entities, LOSS);
              expectWithin(measured.neighbours, golden.prompts[i]?.cosines?.neighbours, LOSS);
            }
          }
        }
        loss.destroy();
        lora.destroy();
        const mean = losses.reduce((sum, value) => sum + value, 0) / losses.length;
        expectWithin([mean], [golden.contrastive.variants[`${rope}/${pooling}`] ?? NaN], LOSS);
      },
    );

    if (options) {
      test("with SFT: losses and every LoRA gradient", async () => {
        const { llama } = model();
        const lora = adapter(llama);
        const config = sftConfig(golden, lora, golden.prompts.length);
        const trainer = await Trainer.create(llama, lora, examples(golden, "mean"), config);
        const { losses, pages, gradScale } = await trainer.gradients();
        const gradients = await lora.readPages(pages);
        gradients.tensors.forEach(({ data }) => data.forEach((value, i) => (data[i] = value * gradScale)));
        trainer.destroy();
        lora.destroy();
        expectLosses(losses, golden.total);
        expectGradients({ gradients }, golden.total);
      });
    }

    test(`with SFT: ${curveSteps} steps of the curve`, async () => {
      const { llama } = model();
      const lora = adapter(llama);
      const { prompts, steps } = golden.curves.sft;
      const chosen = prompts.map((i) => examples(golden, "mean")[i] as TrainExample);
      const trainer = await Trainer.create(llama, lora, chosen, sftConfig(golden, lora, chosen.length));
      await expectCurve(trainer, steps.slice(0, curveSteps), ["loss", "sft_loss", "contrastive_loss"]);
      lora.destroy();
    });
  });

  describe("DPO", () => {
    test("log-probabilities of the policy and of the reference, both answers behind one prompt", async () => {
      const { llama } = model();
      const pairs = dpoExamples(golden);
      const policy = adapter(llama);
      const measured = await pairLogprobs(llama, policy, pairs);
      policy.destroy();
      const reference = Lora.fromWeights(llama, scaledB(goldenAdapter(llama, golden), golden.referenceScale));
      const stored = await pairLogprobs(llama, reference, pairs);
      reference.destroy();
      golden.pairs.forEach((pair, i) => {
        expectWithin([measured[i]?.chosen ?? NaN], [pair["logps/chosen"]], 1e-3);
        expectWithin([measured[i]?.rejected ?? NaN], [pair["logps/rejected"]], 1e-3);
        expectWithin(
          [stored[i]?.chosen ?? NaN, stored[i]?.rejected ?? NaN],
          [pair.reference.chosen, pair.reference.rejected],
          1e-3,
        );
      });
    });

    test("loss, terms and every LoRA gradient", async () => {
      const { llama } = model();
      const lora = adapter(llama);
      const { beta, sftAlpha } = golden;
      const measured = await dpoGradients(llama, lora, dpoExamples(golden), { beta, sftAlpha, dpopLambda: 0 });
      lora.destroy();
      expectLosses(measured, golden.dpo);
      expectGradients(measured, golden.dpo);
    });

    if (options) {
      test("DPO-Positive's loss", async () => {
        const { llama } = model();
        const lora = adapter(llama);
        const { beta, sftAlpha } = golden;
        const { dpop } = golden.dpo;
        const measured = await dpoGradients(llama, lora, dpoExamples(golden), {
          beta,
          sftAlpha,
          dpopLambda: dpop.lambda,
        });
        lora.destroy();
        // The penalty of λ = 5 multiplies what rounding does to the chosen answers by six.
        expectWithin([measured.dpo_loss ?? NaN], [dpop.loss], 6 * LOSS);
      });
    }

    test(`${curveSteps} steps of the curve`, async () => {
      const { llama } = model();
      const lora = adapter(llama);
      const { pairs, steps, settings } = golden.curves.dpo;
      const chosen = pairs.map((i) => dpoExamples(golden)[i] as DpoExample);
      const { learningRate } = settings;
      const config = { ...curveConfig(lora, chosen.length), stage: "dpo", learningRate } as const;
      const trainer = await Trainer.createDpo(llama, lora, chosen, config);
      await expectCurve(trainer, steps.slice(0, curveSteps), ["loss", "rewards/margins"]);
      lora.destroy();
    });
  });
}

export function readMethodGolden(name: string): MethodGolden {
  const path = new URL(`../../reference/goldens/${name}-method.json`, import.meta.url);
  return JSON.parse(readFileSync(path, "utf8")) as MethodGolden;
}

function examples(golden: MethodGolden, pooling: "mean" | "ancestor"): TrainExample[] {
  return golden.prompts.map(({ type, ids, responseStart, rows }, i) => ({
    name: `golden ${i}, ${type.name}`,
    ids,
    responseStart,
    contrastive: rows[pooling],
  }));
}

function dpoExamples(golden: MethodGolden): DpoExample[] {
  return golden.pairs.map(({ kind, responseStart, chosenIds, rejectedIds, reference }, i) => ({
    ...dpoPair(`pair ${i}, ${kind}`, { ids: chosenIds, responseStart }, { ids: rejectedIds, responseStart }),
    reference,
  }));
}

function curveConfig(lora: Lora, examplesAStep: number): TrainConfig {
  return {
    ...{ ...PAPER_SFT, ...lora.config, dropout: 0, learningRate: 1e-3 },
    ...{ gradAccumSteps: examplesAStep, epochs: 20, checkpointing: "none" },
  };
}

function sftConfig(golden: MethodGolden, lora: Lora, examplesAStep: number): TrainConfig {
  return { ...curveConfig(lora, examplesAStep), contrastiveWeight: golden.contrastiveWeight };
}

function expectLosses(measured: StepLosses, golden: StepLosses): void {
  const terms = ["loss", "sft_loss", "contrastive_loss", "dpo_loss", "nll_loss", "rewards/margins"] as const;
  for (const term of terms.filter((name) => name in golden)) {
    expect(Math.abs((measured[term] ?? NaN) - (golden[term] ?? NaN)), term).toBeLessThan(LOSS);
  }
}

function expectGradients({ gradients }: Pick<Gradients, "gradients">, golden: GoldenGradients): void {
  expect([...gradients.tensors.keys()].sort()).toEqual(Object.keys(golden.gradNorms).sort());
  const errors = projectedErrors(gradients, golden);
  expect(errors[0]?.error, errors[0]?.name).toBeLessThan(EACH);
  expect(errors[errors.length >> 1]?.error).toBeLessThan(MEDIAN);
}

async function expectCurve(
  trainer: Trainer,
  golden: readonly StepLosses[],
  terms: readonly (keyof StepLosses & keyof StepLog)[],
): Promise<void> {
  const logs: StepLog[] = [];
  while (logs.length < golden.length) {
    logs.push(await trainer.step());
  }
  trainer.destroy();
  for (const term of terms) {
    const [measured, expected] = [logs, golden].map((steps) => steps.map((step) => step[term] ?? NaN));
    expectWithin(measured ?? [], expected, CURVE);
  }
}

/** The adapter with every lora_B multiplied. */
function scaledB(weights: ReturnType<typeof goldenAdapter>, factor: number): ReturnType<typeof goldenAdapter> {
  const tensors = new Map(
    [...weights.tensors].map(([name, { shape, data }]) => [
      name,
      { shape, data: name.includes("lora_B") ? data.map((value) => value * factor) : data },
    ]),
  );
  return { ...weights, tensors };
}
