import { useEffect, useState } from "react";
import { SPLITS, type Split } from "../../storage/project.ts";
import { Dialog } from "../components/Dialog.tsx";
import { formatCount } from "../format.ts";
import { SPLIT_TITLES } from "../splitTitles.ts";
import { useLabel } from "../label/labelStore.ts";
import { ask, studio } from "../stores/engineStore.ts";
import { useProject } from "../stores/projectStore.ts";
import { useView } from "../stores/viewStore.ts";
import { download } from "./download.ts";

export function ExportDialog() {
  const project = useProject((state) => state.project);
  const [formats, setFormats] = useState<readonly string[]>([]);
  const [format, setFormat] = useState("obp-jsonl");
  const [split, setSplit] = useState<Split>(useLabel.getState().split);
  const [onlyDone, setOnlyDone] = useState(false);
  useEffect(() => void studio().formatNames().then(setFormats), []);
  if (project === null) return null;
  const documents = project.documents.filter((document) => document.split === split && (document.done || !onlyDone));

  const save = async (): Promise<void> => {
    const written = await ask((client) => client.writeDocuments(format, documents));
    if (written === null) return;
    download(
      `${project.name.toLowerCase().replace(/\s+/g, "-")}.${split}.${written.extension}`,
      written.text,
      "text/plain",
    );
    useView.getState().setOverlay(null);
    for (const warning of written.warnings) useView.getState().notify("info", `Not in the file: ${warning}`);
  };
  const saveTypes = (): void => {
    const types = Object.fromEntries(project.types.map(({ name, definition }) => [name, definition]));
    download("types.json", `${JSON.stringify(types, null, 2)}\n`, "application/json");
  };

  return (
    <Dialog title="Export documents">
      <div className="form">
        <label>
          <span>Documents</span>
          <select value={split} onChange={(event) => setSplit(event.target.value as Split)}>
            {SPLITS.map((name) => (
              <option key={name} value={name}>
                {SPLIT_TITLES[name]}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span>Format</span>
          <select value={format} onChange={(event) => setFormat(event.target.value)}>
            {formats.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <label>
          <span>Only done</span>
          <input type="checkbox" checked={onlyDone} onChange={(event) => setOnlyDone(event.target.checked)} />
        </label>
      </div>
      <footer className="row end">
        <button onClick={saveTypes}>types.json</button>
        <button className="primary" disabled={documents.length === 0} onClick={() => void save()}>
          Export {formatCount(documents.length)}
        </button>
      </footer>
    </Dialog>
  );
}
