import { ask, useEngine } from "../stores/engineStore.ts";
import { useProject } from "../stores/projectStore.ts";
import { useView } from "../stores/viewStore.ts";
import { currentConfig, heldoutSet, supportSet, trainingProblem, useTrain } from "./trainStore.ts";

/** Trains with the settings as they are, and shows it. Progress comes as events. */
export async function startTraining(): Promise<void> {
  const view = useView.getState();
  view.goTo("train");
  const { project } = useProject.getState();
  if (project === null || useEngine.getState().job !== null) return;
  await ask(() => useTrain.getState().loadPresets());
  const settings = useTrain.getState();
  const config = currentConfig(settings);
  if (config === null) return;
  const problem = trainingProblem(project, config);
  if (problem !== null) {
    view.notify("error", problem);
    return;
  }
  await ask((client) =>
    client.train({
      name: runName(project.name),
      documents: supportSet(project),
      heldout: heldoutSet(project, settings.heldoutLimit),
      types: project.types,
      config,
      evaluate: settings.evaluate,
    }),
  );
}

export function startQuickTraining(): Promise<void> {
  useTrain.setState({ preset: "quick" });
  return startTraining();
}

/** "Kitchen notes 3": the third adapter of that name. */
function runName(projectName: string): string {
  const taken = new Set(useEngine.getState().adapters.map(({ name }) => name));
  let run = 1;
  while (taken.has(`${projectName} ${run}`)) run++;
  return `${projectName} ${run}`;
}
