import { useEffect, useState } from "react";
import type { PromptTokens } from "../../worker/protocol.ts";
import { Empty } from "../components/Empty.tsx";
import { Split } from "../components/Split.tsx";
import { formatCount } from "../format.ts";
import { TokenView } from "../inspect/TokenView.tsx";
import { DocumentList } from "../label/DocumentList.tsx";
import { useCurrentDocument } from "../label/labelStore.ts";
import { studio, useEngine } from "../stores/engineStore.ts";
import { messageOf, useProject } from "../stores/projectStore.ts";

function InspectPanel() {
  const project = useProject((state) => state.project);
  const document = useCurrentDocument();
  const model = useEngine((state) => state.model);
  const [typeName, setTypeName] = useState<string | null>(null);
  const [tokens, setTokens] = useState<PromptTokens | string | null>(null);
  const type = project?.types.find(({ name }) => name === typeName) ?? project?.types[0];
  const open = model.kind === "open" ? model.facts.fingerprint : null;

  useEffect(() => {
    if (document === null || type === undefined || open === null) return;
    let current = true;
    studio()
      .promptTokens(document, type)
      .then(
        (next) => current && setTokens(next),
        (error: unknown) => current && setTokens(messageOf(error)),
      );
    return () => {
      current = false;
    };
  }, [document, type, open]);

  if (project === null) return null;
  return (
    <Split
      name="documents"
      side="left"
      initial={300}
      min={220}
      max={520}
      left={<DocumentList current={document} panel="inspect" />}
      right={
        <section className="inspect" aria-label="Prompt">
          <header className="pane-head">
            <h2>Prompt</h2>
            <span className="mono faint grow ellipsis">{document?.id}</span>
            <div className="segmented" role="group" aria-label="Type">
              {project.types.map(({ name }) => (
                <button key={name} aria-pressed={name === type?.name} onClick={() => setTypeName(name)}>
                  {name}
                </button>
              ))}
            </div>
          </header>
          {open === null && <Empty title="No model is open">Tokens are those of the open model.</Empty>}
          {typeof tokens === "string" && <Empty title="No prompt">{tokens}</Empty>}
          {open !== null && tokens !== null && typeof tokens === "object" && (
            <>
              <p className="soft inspect-summary">
                {formatCount(tokens.tokens.length)} tokens as the model reads them,{" "}
                {formatCount(tokens.tokens.filter(({ supervised }) => supervised).length)} of them learned: the response
                and the end token. Hover for ids.
              </p>
              <TokenView tokens={tokens.tokens} />
            </>
          )}
        </section>
      }
    />
  );
}

export const inspectPanel = { id: "inspect", title: "Inspect", Component: InspectPanel } as const;
