import { useMemo } from "react";
import { useEngine } from "../stores/engineStore.ts";
import { modelStates, type ModelStateChoice } from "./modelStates.ts";

/** Of the open model. */
export function useModelStates(): readonly ModelStateChoice[] {
  const model = useEngine((state) => state.model);
  const adapters = useEngine((state) => state.adapters);
  return useMemo(() => modelStates(adapters, model), [adapters, model]);
}
