import type { PlaneScale } from "./drawScatter.ts";
import { WHOLE, zoomed } from "./planeView.ts";
import { MARKED_BY, useSpace } from "./spaceStore.ts";

const STEP = 1.5;

/** How the plane is looked at. */
export function PlaneTools({ whole }: { whole: PlaneScale }) {
  const { view, tool, markedBy } = useSpace();
  const zoom = (factor: number): void => {
    const middle = whole.side / 2;
    useSpace.setState({ view: zoomed(whole, view, factor, middle, middle) });
  };
  return (
    <div className="row plane-tools">
      <div className="segmented" role="group" aria-label="Dragging">
        <button aria-pressed={tool === "move"} onClick={() => useSpace.setState({ tool: "move" })}>
          Move
        </button>
        <button
          aria-pressed={tool === "lasso"}
          title="Draw a line around points; also with Shift while moving"
          onClick={() => useSpace.setState({ tool: "lasso" })}
        >
          Lasso
        </button>
      </div>
      <span className="row" role="group" aria-label="Zoom">
        <button className="quiet small" aria-label="Zoom out" disabled={view.zoom <= 1} onClick={() => zoom(1 / STEP)}>
          −
        </button>
        <span className="number soft">{view.zoom.toFixed(1)}×</span>
        <button className="quiet small" aria-label="Zoom in" onClick={() => zoom(STEP)}>
          +
        </button>
        <button className="quiet small" disabled={view.zoom === 1} onClick={() => useSpace.setState({ view: WHOLE })}>
          Whole
        </button>
      </span>
      <label className="row">
        <span className="soft">Marks</span>
        <select
          value={markedBy}
          onChange={({ target }) =>
            useSpace.setState({ markedBy: MARKED_BY.find((name) => name === target.value) ?? "type" })
          }
        >
          {MARKED_BY.map((name) => (
            <option key={name} value={name}>
              by {name}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}
