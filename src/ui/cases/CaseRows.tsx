import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef, useState, type KeyboardEvent } from "react";
import type { Case, CaseAnswer } from "../../ner/cases.ts";
import type { Document } from "../../ner/document.ts";
import type { Outcome } from "../../ner/boundary.ts";
import { MarkedText, MarkLegend } from "../evaluate/MarkedText.tsx";
import { marksOf, type Mark } from "../evaluate/score.ts";
import type { SpanInHand } from "../inspect/inspectView.ts";
import { stepEntity } from "../inspect/stepEntity.ts";
import { openDocument } from "../label/labelActions.ts";
import { pickSpanInHand } from "../label/goToPanel.ts";
import { useProject } from "../stores/projectStore.ts";
import { useView } from "../stores/viewStore.ts";

/** Before it is measured: a head and three lines. */
const ROW_HEIGHT = 132;

/** One case under the other. Arrow keys go from one to the next; Enter opens it under Label, A under attention. */
export function CaseRows(props: { cases: readonly Case[]; states: readonly [string, string]; note: string }) {
  const { cases, states, note } = props;
  const types = useProject((state) => state.project?.types) ?? [];
  const typeNames = types.map(({ name }) => name);
  const current = useView((state) => state.documentId);
  const scroller = useRef<HTMLDivElement>(null);
  const [focused, setFocused] = useState<string | null>(null);
  const list = useVirtualizer({
    count: cases.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    getItemKey: (index) => cases[index]?.gold.id ?? index,
    overscan: 4,
  });
  // One of them is in the tab order: the one last gone to, else the document in hand, else the first.
  const reached =
    [focused, current].map((id) => cases.findIndex(({ gold }) => gold.id === id)).find((at) => at >= 0) ?? 0;
  const press = (event: KeyboardEvent<HTMLElement>, index: number): void => {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
    const id = cases[index]?.gold.id;
    const gold = cases[index]?.gold;
    const side = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const to = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: cases.length - 1 }[event.key];
    const next = to === undefined ? undefined : cases[to];
    if (to !== undefined && next !== undefined) {
      setFocused(next.gold.id);
      list.scrollToIndex(to);
      // It is drawn once it has been scrolled to.
      requestAnimationFrame(() =>
        scroller.current?.querySelector<HTMLElement>(`[data-index="${to}"] > article`)?.focus({ preventScroll: true }),
      );
    } else if (side !== undefined && gold !== undefined) {
      stepEntity(gold, side);
    } else if (event.key === "Enter" && gold !== undefined) {
      openInLabel(gold);
    } else if (event.key === "a" && id !== undefined) {
      openAttention(id);
    } else if (to === undefined) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <>
      <div className="case-head">
        <MarkLegend typeNames={typeNames} kinds={["gold", "right", "wrong", "missed"]} />
        <p className="soft" role="status">
          {note}.{" "}
          <span className="faint keys">
            Strict: span and type; ↑ ↓ go through them, ← → through entities, Enter opens Label, A attention.
          </span>
        </p>
      </div>
      <div ref={scroller} className="case-scroll" role="feed" aria-label="Cases">
        {cases.length === 0 && <p className="faint">No sentence is like that.</p>}
        <div style={{ height: list.getTotalSize(), position: "relative" }}>
          {list.getVirtualItems().map((item) => {
            const one = cases[item.index];
            return one === undefined ? null : (
              <div
                key={item.key}
                ref={list.measureElement}
                data-index={item.index}
                className="case-place"
                style={{ transform: `translateY(${item.start}px)` }}
              >
                <CaseRow
                  one={one}
                  states={states}
                  typeNames={typeNames}
                  place={[item.index + 1, cases.length]}
                  isCurrent={one.gold.id === current}
                  reachable={item.index === reached}
                  onKeyDown={(event) => press(event, item.index)}
                />
              </div>
            );
          })}
        </div>
      </div>
    </>
  );
}

function CaseRow(props: {
  one: Case;
  states: readonly [string, string];
  typeNames: readonly string[];
  place: readonly [number, number];
  isCurrent: boolean;
  reachable: boolean;
  onKeyDown: (event: KeyboardEvent<HTMLElement>) => void;
}) {
  const { one, states, typeNames, place, isCurrent, reachable, onKeyDown } = props;
  const { gold, before, after, fixed, broken } = one;
  const inspect = useView((state) => state.inspect);
  const span = isCurrent && inspect.type !== null ? { ...inspect.span, type: inspect.type } : null;
  const picking = pickingIn(gold.id);
  const goldMarks = gold.entities.map((entity): Mark => ({ ...entity, kind: "gold" }));
  return (
    <article
      className={isCurrent ? "case current" : "case"}
      aria-label={gold.id}
      aria-posinset={place[0]}
      aria-setsize={place[1]}
      tabIndex={reachable ? 0 : -1}
      onKeyDown={onKeyDown}
    >
      <header className="row">
        <span className="mono faint ellipsis">{gold.id}</span>
        {fixed > 0 && <span className="case-tag good">✓ {fixed} fixed</span>}
        {broken > 0 && <span className="case-tag bad">✗ {broken} broken</span>}
        <span className="grow" />
        <button className="quiet small" onClick={() => openInLabel(gold)}>
          Label
        </button>
        <button className="quiet small" onClick={() => openAttention(gold.id)}>
          Attention
        </button>
      </header>
      <dl>
        <dt>Gold</dt>
        <dd>
          <MarkedText
            {...picking}
            text={gold.text}
            marks={goldMarks}
            inHand={spanInHand(goldMarks, span)}
            typeNames={typeNames}
          />
        </dd>
        <AnswerLine title={states[0]} gold={gold} answer={before} span={span} typeNames={typeNames} />
        <AnswerLine title={states[1]} gold={gold} answer={after} span={span} typeNames={typeNames} />
      </dl>
    </article>
  );
}

interface Wanted extends Partial<SpanInHand> {
  type: string;
}

function spanInHand(marks: readonly Mark[], span: Wanted | null): Mark | undefined {
  return marks.find(({ start, end, type }) => start === span?.start && end === span.end && type === span.type);
}

function pickingIn(id: string): { onPick: (mark: Mark) => void } {
  return { onPick: (mark) => useView.getState().selectSpan(id, mark) };
}

function AnswerLine(props: {
  title: string;
  gold: Document;
  answer: CaseAnswer;
  span: Wanted | null;
  typeNames: readonly string[];
}) {
  const { title, gold, answer, span, typeNames } = props;
  const { predicted, outcomes } = answer;
  const marks = marksOf(gold, predicted);
  return (
    <>
      <dt title={title}>
        <span className="ellipsis">{title}</span>
        <span className="faint">{summary(outcomes)}</span>
      </dt>
      <dd>
        <MarkedText
          {...pickingIn(gold.id)}
          text={gold.text}
          marks={marks}
          inHand={spanInHand(marks, span)}
          typeNames={typeNames}
        />
        {predicted.hallucinated?.map(({ type, text }, index) => (
          <span key={index} className="mark wrong" title="Not in the sentence">
            ✗ {type}: “{text}” is not in the sentence
          </span>
        ))}
      </dd>
    </>
  );
}

const WORDS: Readonly<Record<Exclude<Outcome["kind"], "BE">, string>> = {
  ...{ TP: "right", LE: "other type", LBE: "other type and edges", FP: "not in gold", FN: "missed" },
};

/** "2 right, 1 longer". */
function summary(outcomes: readonly Outcome[]): string {
  const counts = new Map<string, number>();
  for (const outcome of outcomes) {
    const word = outcome.kind === "BE" ? outcome.boundary : WORDS[outcome.kind];
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return counts.size === 0 ? "nothing" : [...counts].map(([word, count]) => `${count} ${word}`).join(", ");
}

/** With the entity in hand picked there too, if it is one of gold. */
function openInLabel({ id }: Document): void {
  const { documentId } = useView.getState();
  openDocument(id);
  if (documentId === id) pickSpanInHand(id);
}

function openAttention(id: string): void {
  const view = useView.getState();
  view.setInspect({ view: "attention" });
  view.goTo("inspect", id);
}
