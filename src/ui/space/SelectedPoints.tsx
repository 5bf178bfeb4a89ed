import type { SpacePoint } from "../../worker/protocol.ts";
import { DataTable, type Column } from "../components/DataTable.tsx";
import { formatCount, plural } from "../format.ts";
import { openPoint } from "./Scatter.tsx";
import { select, useSelected } from "./spaceStore.ts";

/** Points listed in the page; counts are of all. */
const MOST = 100;

const COLUMNS: readonly Column<SpacePoint>[] = [
  {
    title: "Entity",
    value: ({ text }) => text,
    draw: (point) => (
      <button className="quiet small" title="Opens its document" onClick={() => openPoint(point)}>
        {point.text}
      </button>
    ),
  },
  { title: "Type", value: ({ type }) => type },
  { title: "Document", value: ({ document }) => document },
];

/** What the lasso holds. */
export function SelectedPoints({ points }: { points: readonly SpacePoint[] }) {
  const selected = useSelected(points);
  const chosen = points.filter((_, index) => selected.has(index));
  if (chosen.length === 0) return null;
  const counts = new Map<string, number>();
  for (const { type } of chosen) counts.set(type, (counts.get(type) ?? 0) + 1);
  const documents = new Set(chosen.map(({ document }) => document)).size;
  return (
    <section className="selected-points" aria-label="Selected">
      <header className="row">
        <span role="status">
          {plural(chosen.length, "entity", "entities")} selected, of {plural(documents, "document")}:{" "}
          {[...counts].map(([type, count]) => `${formatCount(count)} ${type}`).join(", ")}
        </span>
        <button className="quiet small" onClick={() => select(points, [], "instead")}>
          Clear
        </button>
      </header>
      <div className="selected-scroll">
        <DataTable label="Selected entities" rows={chosen.slice(0, MOST)} columns={COLUMNS} />
      </div>
      {chosen.length > MOST && (
        <p className="faint">
          The first {MOST} of {formatCount(chosen.length)}.
        </p>
      )}
    </section>
  );
}
