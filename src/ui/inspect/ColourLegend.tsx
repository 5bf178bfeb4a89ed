import { useEffect, useRef } from "react";
import type { Legend } from "../../worker/protocol.ts";

const NAMES: Readonly<Record<Legend["kind"], string>> = {
  linear: "attention probability",
  log: "attention probability, logarithmic",
  difference: "difference of attention probabilities",
};

/**
 * The one scale of all maps, with its numbers.
 * @param title what its numbers are; by the kind of scale where absent
 * @param hideFirst whether the first token is off it; absent where the maps have no tokens
 */
export function ColourLegend(props: { legend: Legend; title?: string; hideFirst?: boolean }) {
  const { legend, title = NAMES[legend.kind], hideFirst } = props;
  const bar = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const levels = legend.rgba.length / 4;
    bar.current?.getContext("2d")?.putImageData(new ImageData(legend.rgba, levels, 1), 0, 0);
  }, [legend]);
  return (
    <div className="colour-legend">
      <span className="soft">{title}</span>
      <div className="colour-bar">
        <canvas ref={bar} width={legend.rgba.length / 4} height={1} aria-hidden="true" />
        {legend.ticks.map(({ at, label }) => (
          <span
            key={at}
            className={at === 0 ? "number first" : at === 1 ? "number last" : "number"}
            style={at === 1 ? {} : { left: `${at * 100}%` }}
          >
            {label}
          </span>
        ))}
      </div>
      {hideFirst !== undefined && (
        <span className="row soft">
          <span className="mark-entity" aria-hidden="true">
            ▼
          </span>
          entity
          <span className="mark-type" aria-hidden="true">
            ◆
          </span>
          the type&apos;s name
          {hideFirst && (
            <>
              <span className="off-scale" aria-hidden="true" />
              first token, not on the scale
            </>
          )}
        </span>
      )}
    </div>
  );
}
