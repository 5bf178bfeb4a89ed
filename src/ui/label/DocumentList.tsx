import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useMemo, useRef } from "react";
import { SPLITS, type ProjectDocument, type Split } from "../../storage/project.ts";
import { SPLIT_TITLES } from "../splitTitles.ts";
import { Empty } from "../components/Empty.tsx";
import { Icon } from "../components/Icon.tsx";
import { formatCount, plural } from "../format.ts";
import { useEngine } from "../stores/engineStore.ts";
import { useProject } from "../stores/projectStore.ts";
import { useView } from "../stores/viewStore.ts";
import { typeStyle } from "../typeStyle.ts";
import { openDocument } from "./labelActions.ts";
import { filteredDocuments, setCursor, useLabel, type StatusFilter } from "./labelStore.ts";
import { openSuggestions } from "./suggestions.ts";

const ROW_HEIGHT = 48;

/** The project's documents; a click opens one in the workspace that shows the list. */
export function DocumentList({ current, panel }: { current: ProjectDocument | null; panel: "label" | "inspect" }) {
  const filter = useLabel();
  const project = useProject((state) => state.project);
  const suggestions = useEngine((state) => state.suggestions);
  const documents = project?.documents ?? [];
  const types = project?.types ?? [];
  const shown = useMemo(
    () => (project === null ? [] : filteredDocuments(project, filter, suggestions)),
    [project, filter, suggestions],
  );
  const scroller = useRef<HTMLDivElement>(null);
  const list = useVirtualizer({
    count: shown.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 8,
  });
  const currentIndex = shown.findIndex(({ id }) => id === current?.id);
  useEffect(() => {
    if (currentIndex >= 0) list.scrollToIndex(currentIndex, { align: "auto" });
  }, [currentIndex, list]);

  const count = (split: Split): number => documents.filter((document) => document.split === split).length;
  const openFirst = (split: Split): void => {
    const first = project === null ? undefined : filteredDocuments(project, { ...filter, split }, suggestions)[0];
    useLabel.setState({ split });
    if (first !== undefined) openDocument(first.id, panel);
    else setCursor(0);
  };

  return (
    <section className={filter.listOpen ? "document-list open" : "document-list"} aria-label="Documents">
      <button
        className="list-toggle"
        aria-expanded={filter.listOpen}
        onClick={() => useLabel.setState({ listOpen: !filter.listOpen })}
      >
        <span aria-hidden="true">{filter.listOpen ? "▾" : "▸"}</span> Documents
        <span className="faint mono ellipsis">{current?.id}</span>
      </button>
      <div className="list-head">
        <div className="segmented" role="tablist" aria-label="Which documents">
          {SPLITS.map((split) => (
            <button key={split} role="tab" aria-selected={filter.split === split} onClick={() => openFirst(split)}>
              {SPLIT_TITLES[split]} <span className="number faint">{formatCount(count(split))}</span>
            </button>
          ))}
        </div>
        <div className="row">
          <input
            type="search"
            className="grow"
            placeholder="Search"
            aria-label="Search documents"
            value={filter.search}
            onChange={(event) => useLabel.setState({ search: event.target.value })}
          />
          <select
            aria-label="Status"
            className="narrow"
            value={filter.status}
            onChange={(event) => useLabel.setState({ status: event.target.value as StatusFilter })}
          >
            <option value="all">All</option>
            <option value="open">Open</option>
            <option value="done">Done</option>
            <option value="disagrees" title="The model read it otherwise than it is labelled">
              Disagrees
            </option>
          </select>
          <select
            aria-label="With type"
            className="narrow"
            value={filter.typeFilter ?? ""}
            onChange={(event) =>
              useLabel.setState({ typeFilter: event.target.value === "" ? null : event.target.value })
            }
          >
            <option value="">Any type</option>
            {types.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </div>
      </div>
      <div ref={scroller} className="list-scroll" role="listbox" aria-label="Documents">
        {shown.length === 0 && (
          <Empty
            title={count(filter.split) === 0 ? "No documents here" : "No document matches"}
            action={
              count(filter.split) === 0 ? (
                <button onClick={() => useView.getState().setOverlay("import")}>Import documents…</button>
              ) : (
                <button onClick={() => useLabel.setState({ search: "", status: "all", typeFilter: null })}>
                  Clear the filters
                </button>
              )
            }
          />
        )}
        <div style={{ height: list.getTotalSize(), position: "relative" }}>
          {list.getVirtualItems().map((item) => {
            const document = shown[item.index];
            if (document === undefined) return null;
            const isCurrent = document.id === current?.id;
            return (
              <div
                key={document.id}
                role="option"
                aria-selected={isCurrent}
                className={isCurrent ? "document current" : "document"}
                style={{ height: ROW_HEIGHT, transform: `translateY(${item.start}px)` }}
                onClick={() => {
                  useLabel.setState({ listOpen: false });
                  openDocument(document.id, panel);
                }}
              >
                <div className="row">
                  <span className={document.done ? "status done" : "status"} title={document.done ? "Done" : "Open"}>
                    {document.done && <Icon name="check" />}
                  </span>
                  <span className="grow ellipsis">{document.text}</span>
                </div>
                <div className="row faint">
                  <span className="grow ellipsis mono">{document.id}</span>
                  <TypeTally document={document} names={types.map(({ name }) => name)} />
                  <Suggested count={openSuggestions(document, suggestions.get(document.id), types).length} />
                </div>
              </div>
            );
          })}
        </div>
      </div>
    </section>
  );
}

function Suggested({ count }: { count: number }) {
  return count === 0 ? null : (
    <span className="suggested-count number" title={plural(count, "open suggestion")}>
      {count}
    </span>
  );
}

/** How many entities of each type, as shapes with counts. */
function TypeTally({ document, names }: { document: ProjectDocument; names: readonly string[] }) {
  return (
    <span className="row tally number">
      {names.map((name, index) => {
        const count = document.entities.filter(({ type }) => type === name).length;
        const { color, shape } = typeStyle(index);
        return count === 0 ? null : (
          <span key={name} title={`${count} ${name}`}>
            <span style={{ color }}>{shape}</span>
            {count}
          </span>
        );
      })}
    </span>
  );
}
