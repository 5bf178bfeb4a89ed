import { ImportExportButtons } from "../documents/ImportExportButtons.tsx";
import { Empty } from "../components/Empty.tsx";
import { Icon } from "../components/Icon.tsx";
import { Split } from "../components/Split.tsx";
import { DocumentList } from "../label/DocumentList.tsx";
import { doneAndNext, toggleDone } from "../label/labelActions.ts";
import { filteredDocuments, useLabel } from "../label/labelStore.ts";
import { TextView } from "../label/TextView.tsx";
import { TypePalette } from "../label/TypePalette.tsx";
import { useProject } from "../stores/projectStore.ts";
import { useView } from "../stores/viewStore.ts";

function LabelPanel() {
  const project = useProject((state) => state.project);
  const documentId = useView((state) => state.documentId);
  const filter = useLabel();
  if (project === null) return null;
  const document =
    project.documents.find(({ id }) => id === documentId) ?? filteredDocuments(project.documents, filter)[0] ?? null;
  return (
    <Split
      name="documents"
      side="left"
      initial={300}
      min={220}
      max={520}
      left={<DocumentList current={document} panel="label" />}
      right={
        <Split
          name="types"
          side="right"
          initial={272}
          min={220}
          max={420}
          left={
            <section className="label-main" aria-label="Text">
              <header className="pane-head">
                <span className="mono faint grow ellipsis">{document?.id}</span>
                {document !== null && (
                  <button
                    className="quiet"
                    aria-pressed={document.done}
                    title="A document without entities counts as “no entities” once it is done"
                    onMouseDown={(event) => event.preventDefault()}
                    onClick={() => toggleDone(document)}
                  >
                    <span className={document.done ? "status done" : "status"}>
                      {document.done && <Icon name="check" />}
                    </span>
                    {document.done ? "Done" : "Open"}
                  </button>
                )}
                <ImportExportButtons />
              </header>
              {document === null ? (
                <Empty title="Nothing to label" action={<ImportExportButtons />}>
                  Import documents or paste text to begin.
                </Empty>
              ) : (
                <TextView document={document} />
              )}
              <footer className="key-hints faint">
                <span>
                  <kbd>←</kbd> <kbd>→</kbd> <kbd>Shift</kbd> words
                </span>
                <span>
                  <kbd>[</kbd> <kbd>]</kbd> <kbd>{"{"}</kbd> <kbd>{"}"}</kbd> edges
                </span>
                <span>
                  <kbd>x</kbd> remove
                </span>
                <span>
                  <kbd>u</kbd> undo
                </span>
                <button
                  className="quiet small"
                  onMouseDown={(event) => event.preventDefault()}
                  onClick={doneAndNext}
                  disabled={document === null}
                >
                  <kbd>Space</kbd> done, next
                </button>
              </footer>
            </section>
          }
          right={<TypePalette />}
        />
      }
    />
  );
}

export const labelPanel = { id: "label", title: "Label", Component: LabelPanel } as const;
