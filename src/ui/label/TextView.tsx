// The text being labelled: pieces of it as nested spans, one wrapper for each entity or suggestion that covers the piece.

import { useRef, type CSSProperties, type PointerEvent, type ReactNode } from "react";
import { compareEntities, type Entity } from "../../ner/document.ts";
import type { ProjectDocument } from "../../storage/project.ts";
import { useEngine } from "../stores/engineStore.ts";
import { useProject } from "../stores/projectStore.ts";
import { typeStyle } from "../typeStyle.ts";
import { sameEntity } from "./edits.ts";
import { labelSpan, removeFrom } from "./labelActions.ts";
import { markInHand, pick, selectedSpan, setCursor, useLabel, wordsOf } from "./labelStore.ts";
import { cutPieces, underlineLevels, type Piece } from "./pieces.ts";
import { characterAt, wordAt } from "./pointer.ts";
import { AnswerButtons, formatProbability, SuggestionList } from "./SuggestionList.tsx";
import { marksOf, openSuggestions, type Mark } from "./suggestions.ts";

export function TextView({ document }: { document: ProjectDocument }) {
  const state = useLabel();
  const types = useProject(({ project }) => project?.types) ?? [];
  const record = useEngine(({ suggestions }) => suggestions.get(document.id));
  const element = useRef<HTMLDivElement>(null);
  /** Where a drag began: a word, or with Shift a character. */
  const drag = useRef<{ word: number; character: number | null } | null>(null);

  const words = wordsOf(document);
  const suggestions = openSuggestions(document, record, types);
  const marks = marksOf(document, suggestions);
  const levels = underlineLevels(marks);
  const inHand = markInHand(document, marks, state);
  const span = selectedSpan(document, state);
  const indexOf = (type: string): number => types.findIndex(({ name }) => name === type);

  const onPointerDown = (event: PointerEvent): void => {
    if (event.button !== 0 || (event.target as Element).closest("button") !== null) return;
    const word = wordAt(event.target, event.clientX, event.clientY, element.current);
    if (word === null) return;
    element.current?.setPointerCapture(event.pointerId);
    element.current?.focus();
    drag.current = { word, character: event.shiftKey ? characterAt(event.clientX, event.clientY) : null };
    setCursor(word);
  };
  const onPointerMove = (event: PointerEvent): void => {
    if (drag.current === null) return;
    const target = globalThis.document.elementFromPoint(event.clientX, event.clientY);
    const word = wordAt(target, event.clientX, event.clientY, element.current);
    if (word !== null && word !== state.head) setCursor(word, drag.current.word);
  };
  const onPointerUp = (event: PointerEvent): void => {
    const began = drag.current;
    drag.current = null;
    const type = types[state.activeType]?.name ?? types[0]?.name;
    if (began === null || type === undefined) return;
    if (began.character !== null) {
      const character = characterAt(event.clientX, event.clientY);
      if (character === null || character === began.character) return;
      labelSpan(document, Math.min(began.character, character), Math.max(began.character, character), type);
    } else if (state.anchor !== state.head && span !== null) {
      labelSpan(document, span.start, span.end, type);
    }
  };

  const draw = (piece: Piece<Mark>): ReactNode => {
    const selected = span !== null && piece.start >= span.start && piece.end <= span.end;
    const text: ReactNode = (
      <span
        className={`${selected ? "selected" : ""}${piece.word === state.head ? " cursor" : ""}`}
        data-word={piece.word ?? undefined}
        data-start={piece.start}
      >
        {document.text.slice(piece.start, piece.end)}
      </span>
    );
    return piece.entities.reduceRight((inner: ReactNode, mark: Mark): ReactNode => {
      const { color, shape, underline } = typeStyle(indexOf(mark.type));
      const level = levels.get(mark) ?? 0;
      const held = inHand !== null && sameEntity(mark, inHand);
      const [first, last] = [piece.start === mark.start, piece.end === mark.end];
      const style = { "--color": color, "--level": level, textDecorationStyle: underline } as CSSProperties;
      const look = mark.suggested ? `suggested${first ? " first" : ""}${last ? " last" : ""}` : "";
      return (
        <mark className={`entity ${look}${held ? " held" : ""}`} style={style} title={describe(mark)}>
          {inner}
          {first && (
            <span className="entity-name">
              {shape} {mark.type}
              {mark.suggested && <span className="number"> {formatProbability(mark.probability)}</span>}
              {held && mark.suggested && <AnswerButtons document={document} suggestion={mark} />}
              {held && !mark.suggested && (
                <button onClick={() => removeFrom(document, mark)} aria-label={`Remove ${mark.type}`} tabIndex={-1}>
                  ×
                </button>
              )}
            </span>
          )}
        </mark>
      );
    }, text);
  };

  return (
    <div className="text-scroll">
      <div
        ref={element}
        className="text-view"
        data-text-view=""
        tabIndex={0}
        role="group"
        aria-label={`Text of ${document.id}`}
        dir="auto"
        style={{ "--levels": Math.max(0, ...levels.values()) } as CSSProperties}
        onPointerDown={onPointerDown}
        onPointerMove={onPointerMove}
        onPointerUp={onPointerUp}
        onDoubleClick={() => {
          const type = types[state.activeType]?.name;
          if (inHand === null && span !== null && type !== undefined) labelSpan(document, span.start, span.end, type);
        }}
      >
        {cutPieces(document.text, words, marks).map((piece) => (
          <span key={piece.start}>{draw(piece)}</span>
        ))}
      </div>
      <p className="visually-hidden" aria-live="polite">
        {span === null
          ? ""
          : `${document.text.slice(span.start, span.end)}, ${inHand === null ? "no label" : describe(inHand)}`}
      </p>
      <EntityList document={document} inHand={inHand} indexOf={indexOf} />
      <SuggestionList document={document} suggestions={suggestions} inHand={inHand} indexOf={indexOf} />
    </div>
  );
}

function describe({ type, suggested, probability }: Mark): string {
  return suggested ? `${type}, suggested with ${formatProbability(probability)}` : type;
}

function EntityList(props: { document: ProjectDocument; inHand: Entity | null; indexOf: (type: string) => number }) {
  const { document, inHand, indexOf } = props;
  if (document.entities.length === 0) {
    return <p className="faint no-entities">{document.done ? "No entities in this text." : "No entities yet."}</p>;
  }
  return (
    <ul className="entity-list" aria-label="Entities">
      {[...document.entities].sort(compareEntities).map((entity) => {
        const { color, shape } = typeStyle(indexOf(entity.type));
        const held = inHand !== null && sameEntity(entity, inHand);
        return (
          <li key={`${entity.start} ${entity.end} ${entity.type}`} className={held ? "held" : ""}>
            <button
              className="quiet"
              onMouseDown={(event) => event.preventDefault()}
              onClick={() => pick(document, entity)}
            >
              <span style={{ color }}>{shape}</span>
              <span className="ellipsis">{document.text.slice(entity.start, entity.end)}</span>
              <span className="faint ellipsis">{entity.type}</span>
              <span className="number faint">
                {entity.start}–{entity.end}
              </span>
            </button>
          </li>
        );
      })}
    </ul>
  );
}
