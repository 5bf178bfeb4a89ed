import { useState } from "react";
import { Dialog } from "../components/Dialog.tsx";
import type { Command } from "../command.ts";
import { commands } from "../commands.ts";
import { keyLabel } from "../keyboard.ts";
import { useProject } from "../stores/projectStore.ts";
import { useView } from "../stores/viewStore.ts";
import { openDocument } from "../label/labelActions.ts";

const MAX_DOCUMENTS = 20;

/** Every action by name, with its key; and the documents by their text. */
export function CommandPalette() {
  const documents = useProject((state) => state.project?.documents) ?? [];
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const matches = (text: string): boolean => words.every((word) => text.toLowerCase().includes(word));

  const actions = commands().filter(({ title, group, id }) => id !== "palette" && matches(`${group} ${title}`));
  const found: Command[] =
    words.length === 0
      ? []
      : documents
          .filter(({ id, text }) => matches(`${id} ${text}`))
          .slice(0, MAX_DOCUMENTS)
          .map(({ id, text }) => ({
            id: `document ${id}`,
            group: "Document",
            title: text,
            keys: [],
            run: () => openDocument(id),
          }));
  const shown = [...actions, ...found];
  const selected = Math.min(at, shown.length - 1);
  const run = (command: Command | undefined): void => {
    if (command === undefined) return;
    useView.getState().setOverlay(null);
    command.run();
  };

  return (
    <Dialog title="Commands">
      <input
        type="search"
        placeholder="Action or document"
        aria-label="Action or document"
        role="combobox"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={`palette-${selected}`}
        value={query}
        onChange={(event) => {
          setQuery(event.target.value);
          setAt(0);
        }}
        onKeyDown={(event) => {
          const by = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
          if (by !== 0) {
            event.preventDefault();
            setAt((selected + by + shown.length) % Math.max(1, shown.length));
          }
          if (event.key === "Enter") run(shown[selected]);
        }}
      />
      <ul id="palette-list" className="palette-list" role="listbox" aria-label="Matches">
        {shown.map((command, index) => (
          <li
            key={command.id}
            id={`palette-${index}`}
            role="option"
            aria-selected={index === selected}
            ref={(element) => {
              if (index === selected) element?.scrollIntoView({ block: "nearest" });
            }}
            onPointerMove={() => setAt(index)}
            onClick={() => run(command)}
          >
            <span className="faint">{command.group}</span>
            <span className="grow ellipsis">{command.title}</span>
            {command.keys[0] !== undefined && <kbd>{keyLabel(command.keys[0])}</kbd>}
          </li>
        ))}
        {shown.length === 0 && <li className="faint">Nothing matches</li>}
      </ul>
    </Dialog>
  );
}
