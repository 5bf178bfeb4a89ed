// The suggestions that wait for an answer, under the text.

import type { Entity } from "../../ner/document.ts";
import type { ProjectDocument } from "../../storage/project.ts";
import { Icon } from "../components/Icon.tsx";
import { adapterTitle } from "../models/adapterTitle.ts";
import { useEngine } from "../stores/engineStore.ts";
import { typeStyle } from "../typeStyle.ts";
import { sameEntity } from "./edits.ts";
import { pick } from "./labelStore.ts";
import { accept, acceptEvery, refuseSuggestion } from "./suggestionActions.ts";

export function SuggestionList(props: {
  document: ProjectDocument;
  suggestions: readonly Entity[];
  inHand: Entity | null;
  indexOf: (type: string) => number;
}) {
  const { document, suggestions, inHand, indexOf } = props;
  const record = useEngine((state) => state.suggestions.get(document.id));
  const adapters = useEngine((state) => state.adapters);
  if (record?.text !== document.text || document.done) return null;
  const adapter = adapters.find(({ id }) => id === record.adapter);
  const by =
    record.adapter === null ? "the base model" : adapter === undefined ? "a deleted adapter" : adapterTitle(adapter);
  if (suggestions.length === 0) {
    return (
      <p className="faint no-entities">
        {record.entities.length === 0 ? `No suggestions by ${by}.` : `Every suggestion by ${by} has been answered.`}
      </p>
    );
  }
  return (
    <section className="suggestions" aria-label="Suggestions">
      <header className="row">
        <span className="faint grow ellipsis">Suggested by {by}</span>
        <button className="quiet small" onMouseDown={(event) => event.preventDefault()} onClick={acceptEvery}>
          Accept all <kbd>a</kbd>
        </button>
      </header>
      <ul className="entity-list" aria-label="Suggestions">
        {suggestions.map((suggestion) => {
          const { start, end, type, probability } = suggestion;
          const { color, shape } = typeStyle(indexOf(type));
          const held = inHand !== null && sameEntity(suggestion, inHand);
          return (
            <li key={`${start} ${end} ${type}`} className={held ? "held row" : "row"}>
              <button
                className="quiet"
                onMouseDown={(event) => event.preventDefault()}
                onClick={() => pick(document, suggestion)}
              >
                <span style={{ color }}>{shape}</span>
                <span className="ellipsis">{document.text.slice(start, end)}</span>
                <span className="faint ellipsis">{type}</span>
                <span className="number faint">{formatProbability(probability)}</span>
              </button>
              <AnswerButtons document={document} suggestion={suggestion} />
            </li>
          );
        })}
      </ul>
    </section>
  );
}

/** Accept and reject, for the mouse. */
export function AnswerButtons({ document, suggestion }: { document: ProjectDocument; suggestion: Entity }) {
  const what = `${suggestion.type} “${document.text.slice(suggestion.start, suggestion.end)}”`;
  return (
    <span className="answer" onMouseDown={(event) => event.preventDefault()}>
      <button
        className="quiet icon small"
        tabIndex={-1}
        title="Accept (Enter)"
        aria-label={`Accept ${what}`}
        onClick={() => accept(document, suggestion)}
      >
        <Icon name="check" />
      </button>
      <button
        className="quiet icon small"
        tabIndex={-1}
        title="Reject (x)"
        aria-label={`Reject ${what}`}
        onClick={() => refuseSuggestion(document, suggestion)}
      >
        <Icon name="cross" />
      </button>
    </span>
  );
}

/** As percent, without digits that nobody reads: "83 %". */
export function formatProbability(probability = 0): string {
  const percent = Math.round(probability * 100);
  return percent === 0 ? "<1 %" : percent === 100 && probability < 1 ? ">99 %" : `${percent} %`;
}
