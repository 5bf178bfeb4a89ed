import { useState } from "react";
import { typesOf } from "../../formats/typesJson.ts";
import { formatCount } from "../format.ts";
import { useEngine } from "../stores/engineStore.ts";
import { messageOf } from "../stores/projectStore.ts";
import { useView } from "../stores/viewStore.ts";
import { useSource } from "./sourceStore.ts";
import { definedTypes, type SourceType } from "./sourceTypes.ts";

const SHOWN_MISSING = 6;

interface Loaded {
  said: string;
  before: Readonly<Record<string, string>>;
}

/** The prompt says: "the entity of {type} refers to {definition}". A type without a definition takes no part. */
export function SourceTypes({ types }: { types: readonly SourceType[] }) {
  const training = useEngine(({ job }) => job?.kind === "train");
  const [loaded, setLoaded] = useState<Loaded | null>(null);
  const defined = new Set(definedTypes(types).map(({ name }) => name));
  const missing = types.map(({ name }) => name).filter((name) => !defined.has(name));
  const load = async (file: File | undefined): Promise<void> => {
    if (file === undefined) return;
    try {
      const read = typesOf(parsed(await file.text(), file.name), file.name);
      const names = new Set(types.map(({ name }) => name));
      const taken = read.filter(({ name }) => names.has(name)).length;
      setLoaded({
        said: `${formatCount(taken)} of these types defined by ${file.name}.`,
        before: useSource.getState().definitions,
      });
      useSource.getState().define(read);
    } catch (error) {
      useView.getState().notify("error", messageOf(error));
    }
  };
  return (
    <fieldset className="source-types" disabled={training}>
      <legend className="visually-hidden">Types of the corpora</legend>
      <header className="row">
        <h3 className="grow">
          Types: {formatCount(defined.size)} of {formatCount(types.length)} defined
        </h3>
        <label className="file-button small" title='{"type": "what it refers to", …}, as obp train --types takes it'>
          <input
            type="file"
            accept=".json"
            className="visually-hidden"
            aria-label="Load types.json"
            disabled={training}
            onChange={({ target }) => {
              void load(target.files?.[0]);
              target.value = "";
            }}
          />
          Load types.json…
        </label>
      </header>
      {loaded !== null && (
        <p className="row" role="status">
          <span className="grow">{loaded.said}</span>
          <button
            type="button"
            className="small"
            onClick={() => {
              useSource.getState().setDefinitions(loaded.before);
              setLoaded(null);
            }}
          >
            Undo
          </button>
        </p>
      )}
      <ul>
        {types.map(({ name, entities, definition }) => (
          <li key={name}>
            <span className="row">
              <span className="grow ellipsis" title={name}>
                {name}
              </span>
              <span className="number faint">{formatCount(entities)}</span>
            </span>
            <input
              type="text"
              aria-label={`What ${name} refers to`}
              placeholder="refers to …"
              title={definition}
              value={definition}
              onChange={({ target }) => useSource.getState().define([{ name, definition: target.value }])}
            />
          </li>
        ))}
      </ul>
      {missing.length > 0 && (
        <p className="warn-text">
          Types without a definition take no part: {missing.slice(0, SHOWN_MISSING).join(", ")}
          {missing.length > SHOWN_MISSING && ` and ${formatCount(missing.length - SHOWN_MISSING)} more`}
        </p>
      )}
    </fieldset>
  );
}

function parsed(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`expected JSON in ${name}, got: ${messageOf(error)}`, { cause: error });
  }
}
