import { useMemo, type ReactNode } from "react";
import { Empty } from "../components/Empty.tsx";
import { formatCount, plural } from "../format.ts";
import { useView } from "../stores/viewStore.ts";
import { MarksLegend } from "./MarksLegend.tsx";
import { PlaneTools } from "./PlaneTools.tsx";
import { SelectedPoints } from "./SelectedPoints.tsx";
import { usePointMarks } from "./usePointMarks.ts";
import { planeScale } from "./drawScatter.ts";
import { useInspect, type SpaceNow } from "../inspect/inspectStore.ts";
import { ChosenDifferences } from "../inspect/Differences.tsx";
import { LookStatus } from "../inspect/LookStatus.tsx";
import { askSpace, useSpaceQuestion } from "../inspect/requests.ts";
import { Scatter } from "./Scatter.tsx";
import { SpacePoints, SpaceScores } from "./SpaceTables.tsx";
import { SpaceTools } from "./SpaceTools.tsx";
import { useWidth } from "../inspect/useWidth.ts";

const GAP = 16;
const LARGEST = 420;

/** Labelled entities in one plane, states of the model beside each other. */
export function SpacePanel() {
  const question = useSpaceQuestion();
  const look = useInspect((state) => state.space);
  const now = useInspect((state) => state.spaceNow);
  const shown = look.shown?.key === question?.key ? look.shown : null;
  const drawn = now !== null && now.positions.length > 0 ? now : null;
  // Of the plane on screen: while another is laid out there is none.
  const view = look.reading === null && look.failed === null ? (look.shown?.value ?? null) : null;
  const stale = shown === null && look.reading === null;
  const labelled = question?.request.documents.length ?? 0;
  if (question !== null && labelled === 0) {
    return <Empty title="No labelled entities">Label some, in Support or Held-out: each is a point.</Empty>;
  }
  return (
    <div className="inspect-body">
      <SpaceTools canSave={shown !== null && look.reading === null} fitting={now?.perplexity ?? null} />
      <ChosenDifferences />
      <LookStatus
        look={look}
        figure={drawn !== null}
        wanted={question?.key ?? null}
        action="Lay out"
        onAsk={() => question !== null && void askSpace(question)}
      >
        The entities of {plural(labelled, "labelled document")}, where near means alike to the model.
      </LookStatus>
      {drawn !== null && (
        <div className={stale ? "inspect-figure stale" : "inspect-figure"}>
          <PointInHand now={drawn} />
          <Plane now={drawn}>{view !== null && <SpaceScores view={view} />}</Plane>
          <p className="soft">
            {formatCount(drawn.points.length)} entities
            {drawn.found > drawn.points.length && `, a sample of ${formatCount(drawn.found)}`}
            {drawn.total > 0 && `, iteration ${formatCount(drawn.iteration)} of ${formatCount(drawn.total)}`}.
            {drawn.leftOut.length > 0 && ` Left out, over the model's context: ${drawn.leftOut.join(", ")}.`}
          </p>
          {view !== null && <SpacePoints view={view} points={drawn.points} names={drawn.names} />}
        </div>
      )}
    </div>
  );
}

function Plane({ now, children }: { now: SpaceNow; children: ReactNode }) {
  const document = useView((state) => state.documentId);
  const [box, width] = useWidth();
  const count = now.positions.length;
  const side = Math.max(120, Math.min(LARGEST, Math.floor((width - (count - 1) * GAP) / count)));
  const whole = useMemo(() => planeScale(now.positions, side), [now.positions, side]);
  const marks = usePointMarks(now);
  const title = (index: number): string =>
    count > 1 ? `(${"abc".charAt(index)}) ${now.names[index]}` : (now.names[index] ?? "");
  return (
    <>
      <PlaneTools whole={whole} />
      <div ref={box} className="scatters">
        {width > 0 &&
          now.positions.map((positions, index) => {
            const own = marks[index];
            return own === undefined ? null : (
              <Scatter
                key={now.names[index]}
                title={title(index)}
                points={now.points}
                marks={own}
                positions={positions}
                whole={whole}
                document={document}
              />
            );
          })}
        {children}
      </div>
      <MarksLegend marks={marks} />
      <SelectedPoints points={now.points} />
    </>
  );
}

function PointInHand({ now }: { now: SpaceNow }) {
  const index = useInspect((state) => state.point);
  const point = index === null ? undefined : now.points[index];
  return (
    <p className="readout" aria-live="polite">
      {point === undefined ? (
        <span className="faint">
          Hover reads a point, a click opens its document, whose entities are ringed. The wheel zooms; Shift and drag
          selects.
        </span>
      ) : (
        <>
          <strong>{point.text}</strong> <span className="soft">{point.type}</span>{" "}
          <span className="mono faint">{point.document}</span>
        </>
      )}
    </p>
  );
}
