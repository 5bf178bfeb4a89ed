import { useMemo } from "react";
import { predictionKey } from "../../storage/predictionStore.ts";
import type { SpaceNow } from "../inspect/inspectStore.ts";
import { useModelStates } from "../models/useModelStates.ts";
import { useEngine } from "../stores/engineStore.ts";
import { useProject } from "../stores/projectStore.ts";
import { marksByCorrectness, marksByDocument, marksByType, type PointMarks } from "./pointMarks.ts";
import { useSpace } from "./spaceStore.ts";

/** Of the points in each state's picture. */
export function usePointMarks({ points, names }: Pick<SpaceNow, "points" | "names">): readonly PointMarks[] {
  const markedBy = useSpace((state) => state.markedBy);
  const project = useProject((state) => state.project);
  const predictions = useEngine((state) => state.predictions);
  const model = useEngine((state) => (state.model.kind === "open" ? state.model.facts.fingerprint : null));
  const choices = useModelStates();
  return useMemo(() => {
    if (markedBy !== "correctness") {
      const types = project?.types ?? [];
      const marks =
        markedBy === "document"
          ? marksByDocument(points)
          : marksByType(
              points,
              types.map(({ name }) => name),
            );
      return names.map(() => marks);
    }
    const gold = new Map(project?.documents.map((document) => [document.id, document]));
    return names.map((name) => {
      const choice = choices.find((one) => one.name === name);
      const record = choice === undefined ? undefined : predictions.get(predictionKey(model ?? "", choice.adapter));
      return marksByCorrectness(points, gold, new Map(record?.predictions.map((document) => [document.id, document])));
    });
  }, [markedBy, project, predictions, model, choices, points, names]);
}
