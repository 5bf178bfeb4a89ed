import { useMemo } from "react";
import type { AdapterRecord } from "../../storage/database.ts";
import { useEngine } from "../stores/engineStore.ts";
import { startAdapter } from "./startAdapter.ts";
import { stageBefore, useTrain } from "./trainStore.ts";

/** The adapter that the stage on show would begin with; null where it is a fresh one, or made by the stage before. */
export function useStartAdapter(): AdapterRecord | null {
  const stage = useTrain((state) => state.stage);
  const isFirst = useTrain((state) => stageBefore(state, state.stage) === null);
  const parents = useTrain((state) => state.parents);
  const adapters = useEngine((state) => state.adapters);
  const model = useEngine((state) => state.model);
  return useMemo(
    () => (isFirst ? startAdapter(stage, parents, { adapters, model }) : null),
    [isFirst, stage, parents, adapters, model],
  );
}
