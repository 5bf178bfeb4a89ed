/** What the contrastive loss sees of a prompt with some states of the model: data, and CSV. */
import type { Comparison } from "../train/compareRuns.ts";
import { configurationColumn } from "./comparedFields.ts";
import type { ContrastiveView } from "./contrastiveView.ts";
import { csvField } from "./csvField.ts";

export interface CosinesFigure {
  readonly model: string;
  /** Of entity. */
  readonly type: string;
  readonly layer: number;
  /** λ of the contrastive loss in `loss`. */
  readonly weight: number;
  readonly states: readonly StateCosines[];
  /** As of AttentionFigure. */
  readonly compared?: Comparison | null;
}

interface StateCosines {
  readonly name: string;
  /** The same of all states, in the same order. */
  readonly entities: readonly {
    readonly text: string;
    readonly cosine: number;
    /** Tokens beside it; null: outside the sentence, or inside another entity. */
    readonly left: TokenCosine | null;
    readonly right: TokenCosine | null;
  }[];
  readonly loss: number;
  readonly sftLoss: number;
  readonly contrastiveLoss: number;
}

interface TokenCosine {
  readonly token: string;
  readonly cosine: number;
}

/** What is drawn of a view. */
export function stateCosines(name: string, { entities, losses }: ContrastiveView): StateCosines {
  return {
    name,
    entities: entities.map(({ text, cosine, left, right }) => ({ text, cosine, left, right })),
    ...{ loss: losses.loss, sftLoss: losses.sft_loss, contrastiveLoss: losses.contrastive_loss },
  };
}

/** One line an entity and state. */
export function cosinesCsv({ states, compared }: CosinesFigure): string {
  const own = configurationColumn(compared);
  const lines = states.flatMap(({ name, entities }, i) =>
    entities.map(
      ({ text, cosine, left, right }) =>
        [csvField(name), csvField(text), cosine, side(left), side(right)].join(",") + own.of(i),
    ),
  );
  return `${[`state,entity,cosine,left_token,left_cosine,right_token,right_cosine${own.title}`, ...lines].join("\n")}\n`;
}

function side(token: TokenCosine | null): string {
  return token === null ? "," : `${csvField(token.token)},${token.cosine}`;
}
