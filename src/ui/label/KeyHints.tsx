import type { ProjectDocument } from "../../storage/project.ts";
import { useEngine } from "../stores/engineStore.ts";
import { useProject } from "../stores/projectStore.ts";
import { doneAndNext } from "./labelActions.ts";
import { openSuggestions } from "./suggestions.ts";

type Hint = readonly [keys: readonly string[], does: string];

/** As many as fit on one line. */
const LABELLING: readonly Hint[] = [
  [["←", "→", "Shift"], "words"],
  [["[", "]", "{", "}"], "edges"],
  [["x"], "remove"],
  [["u"], "undo"],
];
const ANSWERING: readonly Hint[] = [
  [["Enter"], "accept"],
  [["x"], "reject"],
  [["a"], "accept all"],
  [["e"], "next"],
  [["[", "]", "{", "}"], "fix edges"],
];

/** The keys that matter most: other ones while suggestions wait for an answer. */
export function KeyHints({ document }: { document: ProjectDocument | null }) {
  const types = useProject(({ project }) => project?.types) ?? [];
  const record = useEngine(({ suggestions }) => (document === null ? undefined : suggestions.get(document.id)));
  const answering = document !== null && openSuggestions(document, record, types).length > 0;
  return (
    <footer className="key-hints faint">
      {(answering ? ANSWERING : LABELLING).map(([keys, does]) => (
        <span key={does}>
          {keys.map((key) => (
            <kbd key={key}>{key}</kbd>
          ))}{" "}
          {does}
        </span>
      ))}
      <button
        className="quiet small"
        onMouseDown={(event) => event.preventDefault()}
        onClick={doneAndNext}
        disabled={document === null}
      >
        <kbd>Space</kbd> done, next
      </button>
    </footer>
  );
}
