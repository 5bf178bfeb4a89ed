import { useEffect, useState } from "react";
import { storageUse } from "../../storage/opfs.ts";
import { Icon } from "../components/Icon.tsx";
import { formatBytes } from "../format.ts";
import { ask, BUNDLED_MODEL_URL, useEngine } from "../stores/engineStore.ts";

/** The models there are: the bundled one, those kept in this browser, and a file from disk. */
export function ModelList() {
  const model = useEngine((state) => state.model);
  const models = useEngine((state) => state.models);
  const open = model.kind === "open" ? model.facts.fingerprint : null;
  const bundledOpen = model.kind === "open" && model.facts.origin === "bundled";
  const kept = models.filter(({ origin }) => origin.kind === "file");
  return (
    <section className="model-list" aria-label="Models">
      <header className="pane-head">
        <h2 className="grow">Models</h2>
      </header>
      <ul>
        <li className={bundledOpen ? "current" : ""}>
          <button
            className="quiet grow"
            onClick={() => void ask((client) => client.openBundledModel(BUNDLED_MODEL_URL))}
          >
            <strong>obp-mini</strong>
            <span className="faint">comes with the studio</span>
          </button>
        </li>
        {kept.map(({ fingerprint, name, bytes }) => (
          <li key={fingerprint} className={fingerprint === open ? "current" : ""}>
            <button
              className="quiet grow"
              title={name}
              onClick={() => void ask((client) => client.openCachedModel(fingerprint))}
            >
              <strong className="ellipsis">{name}</strong>
              <span className="faint">kept in this browser, {formatBytes(bytes)}</span>
            </button>
            <button
              className="quiet icon small"
              aria-label={`Delete ${name}`}
              title="Delete the copy in this browser"
              onClick={() => void ask((client) => client.deleteModel(fingerprint))}
            >
              <Icon name="cross" />
            </button>
          </li>
        ))}
        {model.kind === "open" && model.facts.origin === "file" && !model.facts.cached && (
          <li className="current">
            <button className="quiet grow" title={model.facts.fileName}>
              <strong className="ellipsis">{model.facts.fileName}</strong>
              <span className="faint">from disk, {formatBytes(model.facts.fileBytes)}</span>
            </button>
          </li>
        )}
      </ul>
      <label className="file-button">
        <input
          type="file"
          accept=".gguf"
          className="visually-hidden"
          aria-label="Open a GGUF file"
          onChange={(event) => {
            const [file] = event.target.files ?? [];
            if (file !== undefined) void ask((client) => client.openModelFile(file));
            event.target.value = "";
          }}
        />
        <Icon name="open" /> Open a GGUF file…
      </label>
      {model.kind === "failed" && (
        <p className="bad model-problem" role="alert">
          {model.name}: {model.message}
        </p>
      )}
      <StorageUse />
    </section>
  );
}

function StorageUse() {
  const models = useEngine((state) => state.models);
  const adapters = useEngine((state) => state.adapters);
  const [use, setUse] = useState<{ usage: number; quota: number } | null>(null);
  useEffect(() => void storageUse().then(setUse), [models, adapters]);
  if (use === null) return null;
  return (
    <p className="faint storage-use">
      Storage in this browser: {formatBytes(use.usage)} of {formatBytes(use.quota)}
    </p>
  );
}
