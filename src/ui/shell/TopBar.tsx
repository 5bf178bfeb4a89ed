import { useState } from "react";
import { Icon } from "../components/Icon.tsx";
import { useProject } from "../stores/projectStore.ts";
import { useView } from "../stores/viewStore.ts";
import { runCommand } from "../commands.ts";
import { GpuChip } from "./GpuChip.tsx";
import { JobChip } from "./JobChip.tsx";
import { ModelChip } from "./ModelChip.tsx";

export function TopBar() {
  const dark = useView((state) => state.dark);
  const canUndo = useProject(({ undoStack }) => undoStack.at(-1)?.label ?? null);
  const canRedo = useProject(({ redoStack }) => redoStack.at(-1)?.label ?? null);
  return (
    <header className="top-bar">
      <img src={`${import.meta.env.BASE_URL}icons/studio.svg`} alt="OBP Studio" width="20" height="20" />
      <ProjectName />
      <button
        className="quiet icon"
        disabled={canUndo === null}
        title={canUndo === null ? "Nothing to undo" : `Undo: ${canUndo}`}
        aria-label="Undo"
        onClick={() => runCommand("undo")}
      >
        <Icon name="undo" />
      </button>
      <button
        className="quiet icon"
        disabled={canRedo === null}
        title={canRedo === null ? "Nothing to redo" : `Redo: ${canRedo}`}
        aria-label="Redo"
        onClick={() => runCommand("redo")}
      >
        <Icon name="redo" />
      </button>
      <SaveState />
      <span className="grow" />
      <JobChip />
      <ModelChip />
      <GpuChip />
      <button
        className="quiet icon"
        aria-label={dark ? "Light theme" : "Dark theme"}
        title={dark ? "Light theme" : "Dark theme"}
        onClick={() => useView.getState().setTheme(dark ? "light" : "dark")}
      >
        <Icon name={dark ? "sun" : "moon"} />
      </button>
      <button className="quiet" onClick={() => runCommand("palette")} title="Command palette">
        <kbd>Ctrl K</kbd>
      </button>
      <button className="quiet icon" onClick={() => runCommand("keys")} title="Keys of this screen" aria-label="Keys">
        <kbd>?</kbd>
      </button>
    </header>
  );
}

function ProjectName() {
  const name = useProject((state) => state.project?.name ?? "");
  const [draft, setDraft] = useState<string | null>(null);
  const commit = (): void => {
    const next = draft?.trim() ?? "";
    setDraft(null);
    if (next !== "") {
      useProject
        .getState()
        .edit("rename the project", (project) => (project.name === next ? project : { ...project, name: next }));
    }
  };
  return (
    <input
      type="text"
      className="project-name"
      aria-label="Project name"
      value={draft ?? name}
      size={Math.max(8, (draft ?? name).length)}
      onChange={(event) => setDraft(event.target.value)}
      onBlur={commit}
      onKeyDown={(event) => {
        if (event.key === "Enter" || event.key === "Escape") event.currentTarget.blur();
      }}
    />
  );
}

function SaveState() {
  const saving = useProject((state) => state.saving);
  const saveError = useProject((state) => state.saveError);
  if (saveError !== null) {
    return (
      <span className="bad" role="alert" title={saveError}>
        Not saved: {saveError}
      </span>
    );
  }
  return <span className="faint save-state">{saving ? "Saving" : "Saved"}</span>;
}
