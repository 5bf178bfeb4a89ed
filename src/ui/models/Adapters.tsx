import { renameAdapter } from "../../storage/adapterStore.ts";
import type { AdapterRecord } from "../../storage/database.ts";
import { DataTable } from "../components/DataTable.tsx";
import { Icon } from "../components/Icon.tsx";
import { download } from "../documents/download.ts";
import { formatBytes, formatCount } from "../format.ts";
import { ask, useEngine } from "../stores/engineStore.ts";
import { useView } from "../stores/viewStore.ts";
import { fittingAdapters } from "./adapterFit.ts";
import { stageTitle } from "./adapterTitle.ts";

/** Adapters kept in this browser: switch on, rename, export as PEFT, delete; import PEFT. */
export function Adapters() {
  const adapters = useEngine((state) => state.adapters);
  const model = useEngine((state) => state.model);
  const active = useEngine((state) => state.activeAdapter);
  const fitting = new Set(fittingAdapters(adapters, model).map(({ id }) => id));
  return (
    <section className="adapters" aria-label="Adapters">
      <header className="row">
        <h2 className="grow">Adapters</h2>
        <label className="file-button">
          <input
            type="file"
            multiple
            className="visually-hidden"
            aria-label="Import an adapter"
            accept=".zip,.json,.safetensors"
            onChange={(event) => {
              void importFiles([...(event.target.files ?? [])]);
              event.target.value = "";
            }}
          />
          <Icon name="open" /> Import PEFT…
        </label>
      </header>
      {adapters.length === 0 ? (
        <p className="faint">
          None yet. Training makes one; or import a PEFT adapter: adapter_config.json and adapter_model.safetensors, or
          a zip of both.
        </p>
      ) : (
        <DataTable
          label="Adapters"
          rows={adapters}
          columns={[
            {
              title: "On",
              value: ({ id }) => (id === active ? "on" : ""),
              draw: ({ id, name }) => (
                <input
                  type="radio"
                  name="adapter"
                  aria-label={`Use ${name}`}
                  checked={id === active}
                  disabled={!fitting.has(id)}
                  title={fitting.has(id) ? "Use with the open model" : "Was trained on another model"}
                  onChange={() => useEngine.getState().setActiveAdapter(id)}
                />
              ),
            },
            { title: "Name", value: ({ name }) => name, draw: (adapter) => <AdapterName adapter={adapter} /> },
            { title: "Model", value: ({ modelName }) => modelName },
            { title: "Stage", value: ({ training }) => stageTitle(training) },
            {
              title: "Steps",
              value: ({ training }) => training?.steps ?? 0,
              draw: ({ training }) => (training === null ? "–" : `${training.steps}/${training.totalSteps}`),
            },
            {
              title: "Last loss",
              value: ({ training }) => training?.lastLoss ?? 0,
              draw: ({ training }) => training?.lastLoss.toFixed(3) ?? "–",
            },
            { title: "Rank", value: ({ rank }) => rank },
            {
              title: "Targets",
              value: ({ targets }) => targets.map((target) => target.replace("_proj", "")).join(" "),
            },
            { title: "Size", value: size, draw: (adapter) => formatBytes(size(adapter)) },
            { title: "Made", value: ({ createdAt }) => new Date(createdAt).toLocaleString() },
            { title: "", value: () => "", draw: (adapter) => <AdapterActions adapter={adapter} /> },
          ]}
        />
      )}
      {active !== null && (
        <button className="quiet" onClick={() => useEngine.getState().setActiveAdapter(null)}>
          Use the base model, no adapter
        </button>
      )}
    </section>
  );
}

async function importFiles(files: readonly File[]): Promise<void> {
  if (files.length === 0) return;
  const record = await ask((client) => client.importAdapter(files));
  if (record === null) return;
  await useEngine.getState().refreshAdapters();
  useView
    .getState()
    .notify("info", `Imported ${record.name}: rank ${record.rank}, ${formatCount(record.targets.length)} targets`);
}

/** Of all that is kept of it. */
function size({ bytes, last }: AdapterRecord): number {
  return bytes + (last?.bytes ?? 0);
}

function AdapterName({ adapter: { id, name } }: { adapter: AdapterRecord }) {
  return (
    <input
      type="text"
      className="adapter-name"
      aria-label="Name of the adapter"
      defaultValue={name}
      onKeyDown={(event) => {
        if (event.key === "Enter") event.currentTarget.blur();
      }}
      onBlur={(event) => {
        const next = event.target.value.trim();
        if (next === "" || next === name) return;
        void renameAdapter(id, next).then(() => useEngine.getState().refreshAdapters());
      }}
    />
  );
}

function AdapterActions({ adapter: { id, name } }: { adapter: AdapterRecord }) {
  const busy = useEngine(({ job, trainedAdapter }) => job !== null && trainedAdapter === id);
  const exportZip = async (): Promise<void> => {
    const file = await ask((client) => client.exportAdapter(id));
    if (file !== null) download(file.fileName, file.bytes, "application/zip");
  };
  const remove = async (): Promise<void> => {
    if (!confirm(`Delete the adapter “${name}” and its predictions? This cannot be undone.`)) return;
    await ask((client) => client.deleteAdapter(id));
    if (useEngine.getState().activeAdapter === id) useEngine.getState().setActiveAdapter(null);
    await useEngine.getState().refreshAdapters();
  };
  return (
    <span className="row">
      <button
        className="quiet small"
        title="adapter_config.json and adapter_model.safetensors in a zip; run/ in it has the best and the last of its training"
        onClick={() => void exportZip()}
      >
        <Icon name="save" /> PEFT
      </button>
      <button
        className="quiet icon small"
        aria-label={`Delete ${name}`}
        title="Delete"
        disabled={busy}
        onClick={() => void remove()}
      >
        <Icon name="cross" />
      </button>
    </span>
  );
}
