import { formatCount, plural } from "../format.ts";
import type { PointMarks } from "./pointMarks.ts";
import { useSpace } from "./spaceStore.ts";

/** Groups that are named; pointing at a mark names the others. */
const MOST = 24;

/** What the marks stand for; counts of each state where they differ. */
export function MarksLegend({ marks }: { marks: readonly PointMarks[] }) {
  const markedBy = useSpace((state) => state.markedBy);
  const groups = marks[0]?.groups ?? [];
  const states = new Set(marks).size === 1 ? marks.slice(0, 1) : marks;
  const counts = (index: number): number[] => states.map((state) => state.groups[index]?.count ?? 0);
  const shown = groups.map((group, index) => ({ ...group, counts: counts(index) }));
  const used = shown.filter((group) => markedBy === "type" || group.counts.some((count) => count > 0));
  const unpredicted = markedBy === "correctness" && used.every(({ name }) => name === "not predicted");
  return (
    <p className="type-legend">
      {used.slice(0, MOST).map(({ name, color, shape, counts }) => (
        <span key={name} className="row">
          <span className="type-mark" style={{ color: `var(${color})` }} aria-hidden="true">
            {shape}
          </span>
          {name} <span className="number faint">{counts.map(formatCount).join(" / ")}</span>
        </span>
      ))}
      {used.length > MOST && <span className="faint">and {plural(used.length - MOST, "other")}</span>}
      {unpredicted && <span className="faint">Held-out sentences are predicted under Cases.</span>}
    </p>
  );
}
