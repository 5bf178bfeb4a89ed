// obp attention --contrastive: what the attention contrastive loss sees of the sentence, for each adapter.
import { contrastiveView, type ContrastiveView } from "../inspect/contrastiveView.ts";
import { type CosinesFigure, stateCosines } from "../inspect/cosinesFigure.ts";
import type { MapTokenizer } from "../inspect/mapPrompt.ts";
import type { Llama } from "../model/llama.ts";
import type { Entity, EntityType } from "../ner/document.ts";
import { PRESETS } from "../train/presets.ts";
import type { Context } from "./context.ts";
import { eachAdapter } from "./eachAdapter.ts";
import type { NamedAdapter } from "./figure.ts";

export interface ContrastiveAsked {
  readonly text: string;
  readonly entities: readonly Entity[];
  readonly type: EntityType;
  readonly layer: number;
}

interface ContrastiveViews {
  readonly json: readonly ({ readonly name: string } & ContrastiveView)[];
  readonly lines: readonly string[];
  readonly figure: CosinesFigure;
}

/** @throws Error where the sentence has no entity of the type */
export async function contrastiveViews(
  llama: Llama,
  tokenizer: MapTokenizer,
  { text, entities, type, layer }: ContrastiveAsked,
  adapters: readonly NamedAdapter[],
  context: Context,
): Promise<ContrastiveViews> {
  const settings = { layer, rope: "pre", pooling: "mean", weight: PRESETS.sft.paper.contrastiveWeight } as const;
  const steps = { label: "contrastive", total: 1, unit: "adapters" };
  const views = await eachAdapter(llama, adapters, steps, context, async (name, lora) => ({
    name,
    ...(await contrastiveView(llama, lora, tokenizer, { text, entities: [...entities] }, type, settings)),
  }));
  const lines = views.flatMap(({ name, entities: seen, losses }) => [
    `contrastive loss, ${name}: ${losses.contrastive_loss.toFixed(4)}, cross-entropy ${losses.sft_loss.toFixed(4)}`,
    ...seen.map(
      ({ text: entity, cosine, left, right }) =>
        `  cos ${cosine.toFixed(3)} ${entity}; left ${left?.cosine.toFixed(3) ?? "–"}, right ${right?.cosine.toFixed(3) ?? "–"}`,
    ),
  ]);
  const states = views.map((view) => stateCosines(view.name, view));
  const figure = { model: llama.config.name, type: type.name, layer, weight: settings.weight, states };
  return { json: views, lines, figure };
}
