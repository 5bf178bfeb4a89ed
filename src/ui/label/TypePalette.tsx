import { useState, type SyntheticEvent } from "react";
import type { EntityType } from "../../ner/document.ts";
import { Icon } from "../components/Icon.tsx";
import { TypeMark } from "../components/TypeMark.tsx";
import { formatCount } from "../format.ts";
import { useProject } from "../stores/projectStore.ts";
import { useView } from "../stores/viewStore.ts";
import { removeType, renameType, typeCounts } from "./edits.ts";
import { applyType } from "./labelActions.ts";
import { useLabel } from "./labelStore.ts";

/** The types with the words the prompt uses for them, and how many labels each has. */
export function TypePalette() {
  const project = useProject((state) => state.project);
  const activeType = useLabel((state) => state.activeType);
  const [newName, setNewName] = useState("");
  if (project === null) return null;
  const support = typeCounts(project.documents.filter(({ split }) => split === "train"));
  const heldout = typeCounts(project.documents.filter(({ split }) => split === "heldout"));
  const most = Math.max(1, ...support.values());

  const add = (event: SyntheticEvent): void => {
    event.preventDefault();
    const name = newName.trim();
    if (name === "") return;
    if (project.types.some((type) => type.name === name)) {
      useView.getState().notify("error", `expected a new name, got “${name}”, which is a type already`);
      return;
    }
    useProject.getState().edit(`add type ${name}`, (before) => ({
      ...before,
      types: [...before.types, { name, definition: "" }],
    }));
    setNewName("");
  };

  return (
    <section className="palette" aria-label="Types">
      <header className="pane-head">
        <h2 className="grow">Types</h2>
        <span className="faint">in support · held-out</span>
      </header>
      <ul>
        {project.types.map((type, index) => (
          <li key={index} className={index === activeType ? "type active" : "type"}>
            <div className="row">
              <button
                className="quiet type-button grow"
                aria-pressed={index === activeType}
                title="Label the selection; dragging over words gives this type"
                onMouseDown={(event) => event.preventDefault()}
                onClick={() => applyType(index)}
              >
                {index < 9 && <kbd>{index + 1}</kbd>}
                <TypeMark index={index} />
                <span className="ellipsis">{type.name}</span>
              </button>
              <span className="number">
                {formatCount(support.get(type.name) ?? 0)}
                <span className="faint"> · {formatCount(heldout.get(type.name) ?? 0)}</span>
              </span>
              <TypeMenu type={type} />
            </div>
            <div className="shot-meter" aria-hidden="true">
              <div style={{ width: `${((support.get(type.name) ?? 0) / most) * 100}%` }} />
            </div>
            <Definition type={type} />
          </li>
        ))}
      </ul>
      <form className="row add-type" onSubmit={add}>
        <input
          type="text"
          className="grow"
          placeholder="New type"
          aria-label="Name of a new type"
          value={newName}
          onChange={(event) => setNewName(event.target.value)}
        />
        <button disabled={newName.trim() === ""}>
          <Icon name="plus" /> Add
        </button>
      </form>
    </section>
  );
}

/** The prompt says: "the entity of {type} refers to {definition}". */
function Definition({ type }: { type: EntityType }) {
  return (
    <>
      <textarea
        className="definition"
        aria-label={`What ${type.name} refers to`}
        placeholder={`${type.name} refers to …`}
        value={type.definition}
        onChange={(event) => {
          const definition = event.target.value.replace(/\s*\n\s*/g, " ");
          useProject.getState().edit(
            `definition of ${type.name}`,
            (project) => ({
              ...project,
              types: project.types.map((other) => (other.name === type.name ? { ...other, definition } : other)),
            }),
            { mergeKey: `definition ${type.name}` },
          );
        }}
      />
      {type.definition.trim() === "" && <p className="warn-text">Needs a definition before training</p>}
    </>
  );
}

function TypeMenu({ type }: { type: EntityType }) {
  const rename = (): void => {
    const name = prompt(`New name for ${type.name}`, type.name);
    if (name !== null)
      useProject.getState().edit(`rename ${type.name}`, (before) => renameType(before, type.name, name));
  };
  const remove = (): void => {
    useProject.getState().edit(`remove type ${type.name} with its labels`, (before) => removeType(before, type.name));
    useView.getState().notify("info", `Removed ${type.name} with its labels; undo brings it back`);
  };
  return (
    <span className="type-menu row">
      <button className="quiet small" onClick={rename} title="Rename">
        Rename
      </button>
      <button
        className="quiet icon small"
        onClick={remove}
        aria-label={`Remove ${type.name}`}
        title="Remove the type with its labels"
      >
        <Icon name="cross" />
      </button>
    </span>
  );
}
