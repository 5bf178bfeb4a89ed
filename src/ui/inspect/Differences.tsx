import { useEffect, useState } from "react";
import type { Comparison, NamedState } from "../../worker/protocol.ts";
import { ask, useEngine } from "../stores/engineStore.ts";
import { useChosenStates } from "./requests.ts";

/** How the states on screen were trained: what differs, or that nothing does. */
export function ChosenDifferences() {
  return <Differences states={useChosenStates()} />;
}

/** @param states the same list as long as they are the same */
export function Differences({ states }: { states: readonly NamedState[] }) {
  const comparison = useComparison(states);
  if (comparison === null) return null;
  const { title, lines, notes } = comparison;
  return (
    <p className="differences" role="note" aria-label="Configurations">
      {lines.length > 0 && <span className="soft">{title}:</span>}
      {lines.map((line) => (
        <span key={line} className="difference">
          {line}
        </span>
      ))}
      {notes.map((note) => (
        <span key={note} className="soft">
          {note}.
        </span>
      ))}
    </p>
  );
}

/** Null with fewer than two states, and until it is known. */
function useComparison(states: readonly NamedState[]): Comparison | null {
  const adapters = useEngine((state) => state.adapters);
  const runs = useEngine((state) => state.runs);
  const [known, setKnown] = useState<{ of: readonly NamedState[]; comparison: Comparison | null } | null>(null);
  useEffect(() => {
    if (states.length < 2) return;
    let current = true;
    void ask((client) => client.compare(states)).then((comparison) => {
      if (current) setKnown({ of: states, comparison });
    });
    return () => {
      current = false;
    };
  }, [states, adapters, runs]);
  return known?.of === states ? known.comparison : null;
}
