import { useState } from "react";
import { SPLITS, type Split } from "../../storage/project.ts";
import type { ParsedDocuments } from "../../worker/protocol.ts";
import { Dialog } from "../components/Dialog.tsx";
import { formatCount, plural } from "../format.ts";
import { SPLIT_TITLES } from "../splitTitles.ts";
import { openDocument } from "../label/labelActions.ts";
import { useLabel } from "../label/labelStore.ts";
import { studio } from "../stores/engineStore.ts";
import { messageOf, useProject } from "../stores/projectStore.ts";
import { useView } from "../stores/viewStore.ts";
import { documentsFromText, newTypeNames, withImported } from "./importDocuments.ts";

const SHOWN_PROBLEMS = 8;

export function ImportDialog() {
  const project = useProject((state) => state.project);
  const [parsed, setParsed] = useState<ParsedDocuments | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [split, setSplit] = useState<Split>(useLabel.getState().split);
  const [done, setDone] = useState<boolean | null>(null);
  const [mode, setMode] = useState<"add" | "replace">("add");
  if (project === null) return null;

  const read = async (files: readonly File[]): Promise<void> => {
    const [file] = files;
    if (file === undefined) return;
    setParsed(null);
    setProblem(null);
    try {
      setParsed(await studio().parseDocuments(file));
    } catch (error) {
      setProblem(messageOf(error));
    }
  };
  const readPasted = (text: string): void => {
    setProblem(null);
    const documents = documentsFromText(text);
    setParsed(
      documents.length === 0 ? null : { format: "text, one document a line", documents, warnings: [], errors: [] },
    );
  };
  const documents = parsed?.documents ?? [];
  const labelled = documents.filter(({ entities }) => entities.length > 0).length;
  const types = newTypeNames(project, documents);

  const finish = (): void => {
    const options = { split, mode, done: done ?? labelled > 0 };
    useProject
      .getState()
      .edit(`import ${plural(documents.length, "document")}`, (before) => withImported(before, documents, options));
    useLabel.setState({ split, search: "", status: "all", typeFilter: null });
    const first = useProject.getState().project?.documents.at(-documents.length);
    if (first !== undefined) openDocument(first.id);
    useView.getState().setOverlay(null);
    useView.getState().notify("info", `Imported ${plural(documents.length, "document")}; undo takes them out again`);
  };

  return (
    <Dialog title="Import documents" wide>
      <label
        className="drop"
        onDragOver={(event) => event.preventDefault()}
        onDrop={(event) => {
          event.preventDefault();
          void read([...event.dataTransfer.files]);
        }}
      >
        <input
          type="file"
          className="visually-hidden"
          onChange={(event) => void read([...(event.target.files ?? [])])}
        />
        <strong>Choose a file</strong> or drop it here
        <span className="faint">JSONL, CoNLL (BIO), Few-NERD, Hou et al. episodes, doccano: told apart by content</span>
      </label>
      <textarea
        rows={4}
        aria-label="Text to import"
        placeholder="Or paste text: one sentence a line"
        onChange={(event) => readPasted(event.target.value)}
      />
      {problem !== null && <p className="bad">{problem}</p>}
      {parsed !== null && (
        <div className="import-summary">
          <p>
            <strong>{plural(documents.length, "document")}</strong> ({parsed.format}), {formatCount(labelled)} with
            entities
            {types.length > 0 && <>; new types: {types.join(", ")} (each needs a definition before training)</>}
          </p>
          <Problems kind="bad" title="Could not be read" messages={parsed.errors} />
          <Problems kind="warn" title="Read, with something left out" messages={parsed.warnings} />
          <div className="row">
            <span>Into</span>
            <select aria-label="Into" value={split} onChange={(event) => setSplit(event.target.value as Split)}>
              {SPLITS.map((name) => (
                <option key={name} value={name}>
                  {SPLIT_TITLES[name]}
                </option>
              ))}
            </select>
            <select
              aria-label="How"
              value={mode}
              onChange={(event) => setMode(event.target.value as "add" | "replace")}
            >
              <option value="add">after what is there</option>
              <option value="replace">in place of what is there</option>
            </select>
            <label className="row" title="Documents without entities then count as having none">
              <input
                type="checkbox"
                checked={done ?? labelled > 0}
                onChange={(event) => setDone(event.target.checked)}
              />
              labelled to the end
            </label>
          </div>
        </div>
      )}
      <footer className="row end">
        <button className="primary" disabled={documents.length === 0} onClick={finish}>
          Import {documents.length > 0 ? plural(documents.length, "document") : ""}
        </button>
      </footer>
    </Dialog>
  );
}

function Problems({ kind, title, messages }: { kind: "bad" | "warn"; title: string; messages: readonly string[] }) {
  if (messages.length === 0) return null;
  return (
    <div className={kind}>
      <h3>
        {title} ({formatCount(messages.length)})
      </h3>
      <ul>
        {messages.slice(0, SHOWN_PROBLEMS).map((message, index) => (
          <li key={index}>{message}</li>
        ))}
        {messages.length > SHOWN_PROBLEMS && <li>and {formatCount(messages.length - SHOWN_PROBLEMS)} more</li>}
      </ul>
    </div>
  );
}
