import { ask, useEngine } from "../stores/engineStore.ts";
import { useProject } from "../stores/projectStore.ts";
import { useView } from "../stores/viewStore.ts";
import { startAdapter } from "./startAdapter.ts";
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
  const parent = startAdapter(settings, useEngine.getState());
  const problem = trainingProblem(project, config, parent);
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
      parent: parent?.id ?? null,
      corpora: [],
      corpusTypes: [],
      next: [],
    }),
  );
}

export function startQuickTraining(): Promise<void> {
  useTrain.setState({ preset: "quick", stage: "sft" });
  return startTraining();
}

/** "Kitchen notes 3": the third adapter of that name. */
export function runName(projectName: string): string {
  const { adapters, runs } = useEngine.getState();
  const taken = new Set([...adapters, ...runs].map(({ name }) => name));
  let run = 1;
  while (taken.has(`${projectName} ${run}`)) run++;
  return `${projectName} ${run}`;
}
