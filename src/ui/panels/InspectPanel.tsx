import { CasesPanel } from "../cases/CasesPanel.tsx";
import { Empty } from "../components/Empty.tsx";
import { Split } from "../components/Split.tsx";
import { AttentionPanel } from "../inspect/AttentionPanel.tsx";
import { HeadsPanel } from "../inspect/HeadsPanel.tsx";
import { useInspect } from "../inspect/inspectStore.ts";
import { LivePanel } from "../inspect/LivePanel.tsx";
import { INSPECT_VIEWS, VIEW_TITLES } from "../inspect/inspectView.ts";
import { PromptPanel } from "../inspect/PromptPanel.tsx";
import { SentenceLine } from "../inspect/SentenceLine.tsx";
import { SpacePanel } from "../space/SpacePanel.tsx";
import { DocumentList } from "../label/DocumentList.tsx";
import { useCurrentDocument } from "../label/labelStore.ts";
import { useProject } from "../stores/projectStore.ts";
import { useView } from "../stores/viewStore.ts";

function InspectPanel() {
  const project = useProject((state) => state.project);
  const document = useCurrentDocument();
  const view = useView(({ inspect }) => inspect.view);
  if (project === null) return null;
  const ofDocument = view !== "space" && view !== "cases";
  return (
    <Split
      name="documents"
      side="left"
      initial={300}
      min={220}
      max={520}
      left={<DocumentList current={document} panel="inspect" />}
      right={
        <section className="inspect" aria-label={VIEW_TITLES[view]}>
          <header className="pane-head">
            <div className="segmented" role="group" aria-label="View">
              {INSPECT_VIEWS.map((name) => (
                <button
                  key={name}
                  aria-pressed={name === view}
                  onClick={() => useView.getState().setInspect({ view: name })}
                >
                  {VIEW_TITLES[name]}
                </button>
              ))}
            </div>
            <span className="mono faint grow ellipsis">{ofDocument ? document?.id : ""}</span>
            {ofDocument && <TypeChoice />}
          </header>
          {ofDocument && document !== null && <SentenceLine document={document} />}
          {view === "space" ? (
            <SpacePanel />
          ) : view === "cases" ? (
            <CasesPanel />
          ) : document === null ? (
            <Empty title="No document">Choose one in the list, or import some.</Empty>
          ) : view === "attention" ? (
            <AttentionPanel />
          ) : view === "heads" ? (
            <HeadsPanel />
          ) : view === "live" ? (
            <LivePanel />
          ) : (
            <PromptPanel />
          )}
        </section>
      }
    />
  );
}

function TypeChoice() {
  const types = useProject((state) => state.project?.types) ?? [];
  const chosen = useView(({ inspect }) => inspect.type);
  const current = types.find(({ name }) => name === chosen) ?? types[0];
  const choose = (type: string): void => {
    useInspect.setState({ cell: null });
    useView.getState().setInspect({ type, span: null });
  };
  // Beside the views there is room for so many letters.
  if (types.length > 4 || types.reduce((sum, { name }) => sum + name.length, 0) > 32) {
    return (
      <select aria-label="Type" value={current?.name} onChange={({ target }) => choose(target.value)}>
        {types.map(({ name }) => (
          <option key={name}>{name}</option>
        ))}
      </select>
    );
  }
  return (
    <div className="segmented" role="group" aria-label="Type">
      {types.map(({ name }) => (
        <button key={name} aria-pressed={name === current?.name} onClick={() => choose(name)}>
          {name}
        </button>
      ))}
    </div>
  );
}

export const inspectPanel = { id: "inspect", title: "Inspect", Component: InspectPanel } as const;
