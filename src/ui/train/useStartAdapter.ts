import { useMemo } from "react";
import type { AdapterRecord } from "../../storage/database.ts";
import { useEngine } from "../stores/engineStore.ts";
import { startAdapter } from "./startAdapter.ts";
import { useTrain } from "./trainStore.ts";

/** The adapter that the stage as it is set up would begin with. */
export function useStartAdapter(): AdapterRecord | null {
  const stage = useTrain((state) => state.stage);
  const parent = useTrain((state) => state.parent);
  const adapters = useEngine((state) => state.adapters);
  const model = useEngine((state) => state.model);
  return useMemo(() => startAdapter({ stage, parent }, { adapters, model }), [stage, parent, adapters, model]);
}
