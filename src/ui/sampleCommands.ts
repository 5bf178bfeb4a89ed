import { fetchSampleProject } from "./sampleProject.ts";
import { messageOf, useProject } from "./stores/projectStore.ts";
import { useView } from "./stores/viewStore.ts";

/** Puts the sample in place of the project; undo brings the project back. */
export async function loadSampleProject(): Promise<void> {
  const view = useView.getState();
  try {
    const sample = await fetchSampleProject();
    useProject.getState().edit("load the sample project", () => sample);
    view.goTo("label", null);
    view.notify("info", "The sample project is in place of yours; undo brings yours back");
  } catch (error) {
    view.notify("error", messageOf(error));
  }
}
