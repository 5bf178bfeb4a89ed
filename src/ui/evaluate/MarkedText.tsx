import type { CSSProperties, ReactNode } from "react";
import { cutPieces } from "../label/pieces.ts";
import { formatPercent } from "../format.ts";
import { typeStyle } from "../typeStyle.ts";
import type { Mark, MarkKind } from "./score.ts";

/** Told apart by sign and line as well as by colour. */
const SIGNS: Record<MarkKind, string> = { gold: "", right: "✓", wrong: "✗", missed: "○" };
const TITLES: Record<MarkKind, string> = {
  ...{ gold: "gold", right: "right", wrong: "wrong", missed: "in gold, not found" },
};

/** A text with its entities marked as right, wrong or missed. */
export function MarkedText(props: {
  text: string;
  marks: readonly Mark[];
  typeNames: readonly string[];
  /** The one in hand is framed; a click takes one in hand. */
  inHand?: Mark | undefined;
  onPick?: (mark: Mark) => void;
}) {
  const { text, marks, typeNames, inHand, onPick } = props;
  return (
    <span dir="auto">
      {cutPieces(text, [], marks).map((piece) => {
        const covering = marks.filter(({ start, end }) => start <= piece.start && piece.end <= end);
        return (
          <span key={piece.start}>
            {covering.reduce(
              (inner: ReactNode, mark): ReactNode => (
                <MarkSpan
                  inHand={mark === inHand}
                  onPick={onPick}
                  mark={mark}
                  typeIndex={typeNames.indexOf(mark.type)}
                  first={mark.start === piece.start}
                >
                  {inner}
                </MarkSpan>
              ),
              text.slice(piece.start, piece.end),
            )}
          </span>
        );
      })}
    </span>
  );
}

function MarkSpan(props: {
  mark: Mark;
  typeIndex: number;
  first: boolean;
  inHand: boolean;
  onPick: ((mark: Mark) => void) | undefined;
  children: ReactNode;
}) {
  const { mark, typeIndex, first, inHand, onPick, children } = props;
  const { color, shape } = typeStyle(typeIndex);
  const { kind, type, probability } = mark;
  const sure = probability === undefined ? "" : `, probability ${formatPercent(probability)} %`;
  return (
    <mark
      className={inHand ? `mark ${kind} in-hand` : `mark ${kind}`}
      aria-current={inHand ? true : undefined}
      onClick={onPick === undefined ? undefined : () => onPick(mark)}
      style={{ "--color": color } as CSSProperties}
      title={`${type}: ${TITLES[kind]}${sure}`}
    >
      {first && (
        <span className="mark-sign" aria-label={`${TITLES[kind]} ${type}: `}>
          {SIGNS[kind]}
          <span style={{ color }}>{shape}</span>
        </span>
      )}
      {children}
    </mark>
  );
}

const ANSWERS = ["right", "wrong", "missed"] as const;

export function MarkLegend(props: { typeNames: readonly string[]; kinds?: readonly MarkKind[] }) {
  const { typeNames, kinds = ANSWERS } = props;
  return (
    <p className="mark-legend">
      {kinds.map((kind) => (
        <span key={kind}>
          <mark className={`mark ${kind}`} style={{ "--color": "var(--text-soft)" } as CSSProperties}>
            {SIGNS[kind]} {TITLES[kind]}
          </mark>
        </span>
      ))}
      <span className="grow" />
      {typeNames.map((name, index) => {
        const { color, shape } = typeStyle(index);
        return (
          <span key={name}>
            <span style={{ color }}>{shape}</span> {name}
          </span>
        );
      })}
    </p>
  );
}
