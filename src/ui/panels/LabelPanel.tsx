import { ImportExportButtons } from "../documents/ImportExportButtons.tsx";
import { Empty } from "../components/Empty.tsx";
import { Icon } from "../components/Icon.tsx";
import { Split } from "../components/Split.tsx";
import { DocumentList } from "../label/DocumentList.tsx";
import { KeyHints } from "../label/KeyHints.tsx";
import { toggleDone } from "../label/labelActions.ts";
import { useCurrentDocument } from "../label/labelStore.ts";
import { SuggestButtons } from "../label/SuggestButtons.tsx";
import { TextView } from "../label/TextView.tsx";
import { TypePalette } from "../label/TypePalette.tsx";
import { useProject } from "../stores/projectStore.ts";

function LabelPanel() {
  const project = useProject((state) => state.project);
  const document = useCurrentDocument();
  if (project === null) return null;
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
                <SuggestButtons document={document} />
                <ImportExportButtons />
              </header>
              {document === null ? (
                <Empty title="Nothing to label" action={<ImportExportButtons />}>
                  Import documents or paste text to begin.
                </Empty>
              ) : (
                <TextView document={document} />
              )}
              <KeyHints document={document} />
            </section>
          }
          right={<TypePalette />}
        />
      }
    />
  );
}

export const labelPanel = { id: "label", title: "Label", Component: LabelPanel } as const;
