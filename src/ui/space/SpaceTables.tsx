import { useState } from "react";
import type { SpacePoint, SpaceView } from "../../worker/protocol.ts";
import { DataTable, type Column } from "../components/DataTable.tsx";
import { formatCount } from "../format.ts";
import { openPoint } from "./Scatter.tsx";

/** Points listed in the page; files have all. */
const MOST = 300;

type Scores = SpaceView["maps"][number];

interface Measure {
  title: string;
  hint: string;
  of: (scores: Scores) => number | null;
}

const score = (value: number | null): string => (value === null ? "–" : value.toFixed(3).replace("-", "−"));

function measures(neighbours: number): readonly Measure[] {
  const silhouette = "Of the vectors, by type: from −1 to 1";
  return [
    { title: "Silhouette, cosine", hint: silhouette, of: ({ silhouetteCosine }) => silhouetteCosine },
    { title: "Silhouette, euclidean", hint: silhouette, of: ({ silhouetteEuclidean }) => silhouetteEuclidean },
    {
      title: `Purity at ${neighbours}`,
      hint: "Share of a point's nearest vectors that have its type",
      of: ({ purity }) => purity,
    },
    {
      title: `Trustworthiness at ${neighbours}`,
      hint: "1 unless neighbours in the plane are far apart among the vectors",
      of: ({ trustworthiness }) => trustworthiness,
    },
  ];
}

/** Scores of each state, and how the plane came about. */
export function SpaceScores({ view }: { view: SpaceView }) {
  const columns: Column<Measure>[] = [
    { title: "Score", value: ({ title }) => title, draw: ({ title, hint }) => <span title={hint}>{title}</span> },
    ...view.maps.map((scores): Column<Measure> => ({
      title: scores.name,
      value: ({ of }) => of(scores) ?? NaN,
      draw: ({ of }) => score(of(scores)),
    })),
  ];
  return (
    <div className="space-scores">
      <DataTable label="Scores" rows={measures(view.neighbours)} columns={columns} />
      <p className="soft">{view.caption}</p>
    </div>
  );
}

/** The points in numbers. */
export function SpacePoints(props: { view: SpaceView; points: readonly SpacePoint[]; names: readonly string[] }) {
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
    <details className="numbers" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Points in numbers</summary>
      <DataTable label="Points" rows={rows} columns={columns} />
      {points.length > MOST && (
        <p className="faint">
          The first {MOST} of {formatCount(points.length)}; CSV and JSON have all.
        </p>
      )}
    </details>
  );
}
