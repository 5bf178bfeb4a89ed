import type { CorpusRecord } from "../../storage/database.ts";
import { Icon } from "../components/Icon.tsx";
import { formatBytes, formatCount, plural } from "../format.ts";
import { JobButtons, JobProgress } from "../shell/JobChip.tsx";
import { ask, useEngine } from "../stores/engineStore.ts";
import { SourceFacts } from "./SourceFacts.tsx";
import { useSource } from "./sourceStore.ts";
import type { TrainSetup } from "./trainSetup.ts";
import { SourceTypes } from "./SourceTypes.tsx";

/** What the stage Source learns from: files of any size, kept in this browser, and the definitions of their types. */
export function SourceCorpora({ setup }: { setup: TrainSetup }) {
  const { corpora: chosen, sourceTypes } = setup;
  const all = useEngine((state) => state.corpora);
  const job = useEngine((state) => state.job);
  const deleted = useSource((state) => state.deleted);
  const corpora = all.filter(({ id }) => id !== deleted?.id);
  const add = (files: FileList | null): void => {
    if (files !== null && files.length > 0) void addCorpora([...files]);
  };
  const input = (
    <input
      type="file"
      multiple
      className="visually-hidden"
      aria-label="Add source corpora"
      disabled={job !== null}
      onChange={({ target }) => {
        add(target.files);
        target.value = "";
      }}
    />
  );
  return (
    <section
      className="support source"
      aria-label="Source corpora"
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        add(event.dataTransfer.files);
      }}
    >
      <header className="row">
        <h2 className="grow">Source corpora</h2>
        {corpora.length > 0 && (
          <label className="file-button small">
            {input}
            <Icon name="plus" /> Add files…
          </label>
        )}
      </header>
      {corpora.length === 0 && (
        <label className="drop">
          {input}
          <strong>Choose labelled files</strong> or drop them here
          <span className="faint">CoNLL (BIO), Few-NERD, JSONL, doccano; of any size. They stay in this browser.</span>
        </label>
      )}
      {job?.kind === "corpus" && (
        <p className="row" role="status">
          <span className="grow ellipsis">
            {job.pending ?? "reading"} {job.name} <JobProgress job={job} />
          </span>
          <JobButtons job={job} />
        </p>
      )}
      {corpora.length > 0 && (
        <ul className="corpora" aria-label="Corpora">
          {corpora.map((corpus) => (
            <Corpus key={corpus.id} corpus={corpus} chosen={chosen.some(({ id }) => id === corpus.id)} />
          ))}
        </ul>
      )}
      {deleted !== null && (
        <p className="row" role="status">
          <span className="grow ellipsis">Deleted {deleted.name}.</span>
          <button className="small" onClick={() => useSource.getState().undoRemove()}>
            Undo
          </button>
        </p>
      )}
      {chosen.length > 0 && (
        <>
          <SourceTypes types={sourceTypes} />
          <SourceFacts setup={setup} />
        </>
      )}
    </section>
  );
}

/** Progress, and what is wrong with a file, come as events. */
async function addCorpora(files: readonly File[]): Promise<void> {
  // One that was just deleted may be added again.
  await useSource.getState().finishRemove();
  await ask((client) => client.addCorpora(files));
}

function Corpus({ corpus, chosen }: { corpus: CorpusRecord; chosen: boolean }) {
  const { id, name, bytes, sentences, types } = corpus;
  const job = useEngine((state) => state.job);
  const counts = types.map((type) => `${type.name} ${formatCount(type.entities)}`).join(", ");
  return (
    <li className="row">
      <label className="row grow">
        <input
          type="checkbox"
          aria-label={`Learn from ${name}`}
          checked={chosen}
          disabled={job?.kind === "train"}
          onChange={({ target }) => useSource.getState().choose(id, target.checked)}
        />
        <span className="grow">
          <span className="row">
            <strong className="grow ellipsis" title={name}>
              {name}
            </strong>
            <span className="number soft">{formatBytes(bytes)}</span>
          </span>
          <span className="faint ellipsis" title={counts}>
            {plural(sentences, "sentence")} · {counts}
          </span>
        </span>
      </label>
      <button
        className="quiet icon small"
        aria-label={`Delete ${name}`}
        title="Delete the copy in this browser"
        disabled={job !== null}
        onClick={() => useSource.getState().remove(corpus)}
      >
        <Icon name="cross" />
      </button>
    </li>
  );
}
