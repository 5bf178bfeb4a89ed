import { CommandPalette } from "./shell/CommandPalette.tsx";
import { ExportDialog } from "./documents/ExportDialog.tsx";
import { ImportDialog } from "./documents/ImportDialog.tsx";
import { Empty } from "./components/Empty.tsx";
import { EngineBanner } from "./shell/EngineBanner.tsx";
import { FirstVisit } from "./shell/FirstVisit.tsx";
import { GpuDialog } from "./shell/GpuDialog.tsx";
import { KeySheet } from "./shell/KeySheet.tsx";
import { Notices } from "./shell/Notices.tsx";
import { PANELS } from "./panels.ts";
import { Rail } from "./shell/Rail.tsx";
import { TopBar } from "./shell/TopBar.tsx";
import { useProject } from "./stores/projectStore.ts";
import { useView } from "./stores/viewStore.ts";

export function App() {
  const panel = useView((state) => state.panel);
  const overlay = useView((state) => state.overlay);
  const loaded = useProject((state) => state.project !== null);
  const loadError = useProject((state) => state.loadError);
  const heldElsewhere = useProject((state) => state.heldElsewhere);
  const { Component, title } = PANELS[panel];
  return (
    <div className="app">
      <TopBar />
      <Rail />
      <main className="workspace" aria-label={title}>
        <EngineBanner />
        <FirstVisit />
        <div className="panel">
          {heldElsewhere && (
            <Empty
              title="The project is open in another tab"
              action={<button onClick={() => void useProject.getState().load(true)}>Work here instead</button>}
            >
              Two tabs would overwrite each other's edits.
            </Empty>
          )}
          {loadError !== null ? (
            <Empty
              title="The project could not be opened"
              action={<button onClick={() => location.reload()}>Reload</button>}
            >
              {loadError}
            </Empty>
          ) : (
            loaded && <Component />
          )}
        </div>
      </main>
      <Notices />
      {overlay === "palette" && <CommandPalette />}
      {overlay === "keys" && <KeySheet />}
      {overlay === "import" && <ImportDialog />}
      {overlay === "export" && <ExportDialog />}
      {overlay === "gpu" && <GpuDialog />}
    </div>
  );
}
