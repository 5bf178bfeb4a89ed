import type { ProjectDocument } from "../../storage/project.ts";
import { adapterInUse } from "../models/adapterFit.ts";
import { adapterTitle } from "../models/adapterTitle.ts";
import { useEngine } from "../stores/engineStore.ts";
import { suggestForOpen, suggestHere, suggestProblem } from "./suggestionActions.ts";

/** Asks the model, with the adapter that is on, for entities of the document on screen or of all that are open. */
export function SuggestButtons({ document }: { document: ProjectDocument | null }) {
  const problem = useEngine(suggestProblem);
  const by = useEngine((state) => {
    const adapter = adapterInUse(state);
    return adapter === null ? "the base model" : adapterTitle(adapter);
  });
  const done = document === null ? "There is no document" : document.done ? "This document is done" : null;
  return (
    <>
      <button
        className="quiet"
        disabled={problem !== null || done !== null}
        title={problem ?? done ?? `Ask ${by} for entities of this document (s)`}
        onMouseDown={(event) => event.preventDefault()}
        onClick={suggestHere}
      >
        Suggest
      </button>
      <button
        className="quiet"
        disabled={problem !== null}
        title={problem ?? `Ask ${by} for entities of every document of the list that is not done (Shift s)`}
        onMouseDown={(event) => event.preventDefault()}
        onClick={suggestForOpen}
      >
        Suggest for all open
      </button>
    </>
  );
}
