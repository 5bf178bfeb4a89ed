import { useState } from "react";
import type { SpacePoint, SpaceView } from "../../worker/protocol.ts";
import { DataTable, type Column } from "../components/DataTable.tsx";
import { formatCount } from "../format.ts";
import { openPoint } from "./Scatter.tsx";

/** Points listed in the page; files have all. */
const MOST = 300;

type Scores = SpaceView["maps"][number];

const score = (value: number | null): string => (value === null ? "–" : value.toFixed(3).replace("-", "−"));

function scoreColumns(neighbours: number): Column<Scores>[] {
  const column = (title: string, hint: string, of: (scores: Scores) => number | null): Column<Scores> => ({
    ...{ title, hint },
    value: (scores) => of(scores) ?? NaN,
    draw: (scores) => score(of(scores)),
  });
  return [
    { title: "State", value: ({ name }) => name },
    column("Silhouette, cosine", "Of the vectors, by type: from −1 to 1", (scores) => scores.silhouetteCosine),
    column("Silhouette, euclidean", "Of the vectors, by type: from −1 to 1", (scores) => scores.silhouetteEuclidean),
    column("Purity", `Share of a point's ${neighbours} nearest vectors that have its type`, (scores) => scores.purity),
    column(
      "Trustworthiness",
      `1 unless neighbours in the plane are far apart among the vectors, at ${neighbours}`,
      (scores) => scores.trustworthiness,
    ),
  ];
}

/** Scores of each state, how the plane came about, and the points in numbers. */
export function SpaceTables(props: { view: SpaceView; points: readonly SpacePoint[]; names: readonly string[] }) {
  const { view, points, names } = props;
  const [open, setOpen] = useState(false);
  const rows = open ? points.slice(0, MOST).map((point, index) => ({ point, index })) : [];
  const columns: Column<(typeof rows)[number]>[] = [
    {
      title: "Entity",
      value: ({ point }) => point.text,
      draw: ({ point }) => (
        <button className="quiet small" title="Opens its document" onClick={() => openPoint(point)}>
          {point.text}
        </button>
      ),
    },
    { title: "Type", value: ({ point }) => point.type },
    { title: "Document", value: ({ point }) => point.document },
    ...view.maps.flatMap(({ positions }, state) =>
      ["x", "y"].map((axis, at): Column<(typeof rows)[number]> => ({
        title: names.length > 1 ? `${axis}, ${names[state]}` : axis,
        value: ({ index }) => positions[2 * index + at] ?? NaN,
        draw: ({ index }) => (positions[2 * index + at] ?? NaN).toFixed(2).replace("-", "−"),
      })),
    ),
  ];
  return (
    <>
      <DataTable label="Scores" rows={view.maps} columns={scoreColumns(view.neighbours)} />
      <p className="soft">{view.caption}</p>
      <details className="numbers" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>Points in numbers</summary>
        <DataTable label="Points" rows={rows} columns={columns} />
        {points.length > MOST && (
          <p className="faint">
            The first {MOST} of {formatCount(points.length)}; CSV and JSON have all.
          </p>
        )}
      </details>
    </>
  );
}
