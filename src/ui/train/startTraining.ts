import { ask, useEngine } from "../stores/engineStore.ts";
import { useProject } from "../stores/projectStore.ts";
import { useView } from "../stores/viewStore.ts";
import { useSource } from "./sourceStore.ts";
import { trainingProblems, trainRequest, trainSetup } from "./trainSetup.ts";
import { useTrain } from "./trainStore.ts";

/** Trains the stages that are on with the settings as they are, and shows it. Progress comes as events. */
export async function startTraining(): Promise<void> {
  const view = useView.getState();
  view.goTo("train");
  const { project } = useProject.getState();
  if (project === null || useEngine.getState().job !== null) return;
  await ask((client) => useTrain.getState().loadPresets(client));
  const settings = useTrain.getState();
  const setup = trainSetup(settings, useSource.getState(), useEngine.getState(), project);
  if (setup === null) return;
  const problems = trainingProblems(project, setup);
  for (const problem of problems) view.notify("error", problem);
  const request = trainRequest(project, setup, settings, runNames(project.name, setup.stages.length));
  if (problems.length === 0 && request !== null) await ask((client) => client.train(request));
}

export function startQuickTraining(): Promise<void> {
  useTrain.setState({ preset: "quick", stage: "sft", on: { source: false, sft: true, dpo: false } });
  return startTraining();
}

/** "Kitchen notes 3": the third adapter of that name. */
export function runName(projectName: string): string {
  return runNames(projectName, 1)[0] ?? projectName;
}

function runNames(projectName: string, count: number): string[] {
  const { adapters, runs } = useEngine.getState();
  const taken = new Set([...adapters, ...runs].map(({ name }) => name));
  const names: string[] = [];
  for (let run = 1; names.length < count; run++) {
    if (!taken.has(`${projectName} ${run}`)) names.push(`${projectName} ${run}`);
  }
  return names;
}
