import { useMemo } from "react";
import { useEngine } from "../stores/engineStore.ts";
import { useProject } from "../stores/projectStore.ts";
import { useSource } from "./sourceStore.ts";
import { type TrainSetup, trainSetup } from "./trainSetup.ts";
import { useTrain } from "./trainStore.ts";

/** What "Train" would begin; null while nothing can be said. */
export function useTrainSetup(): TrainSetup | null {
  const project = useProject((state) => state.project);
  const train = useTrain();
  const source = useSource();
  const adapters = useEngine((state) => state.adapters);
  const corpora = useEngine((state) => state.corpora);
  const model = useEngine((state) => state.model);
  return useMemo(
    () => (project === null ? null : trainSetup(train, source, { adapters, corpora, model }, project)),
    [project, train, source, adapters, corpora, model],
  );
}
