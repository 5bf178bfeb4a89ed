import { useMemo, useState } from "react";
import type { HeadsView } from "../../worker/protocol.ts";
import { type Column, DataTable } from "../components/DataTable.tsx";
import { shareLabel } from "./shareLabel.ts";

/** Heads listed of all layers. */
const MOST = 32;

interface Row {
  layer: number;
  head: number;
  values: readonly number[];
}

/** The maps in numbers: the heads of a layer, or those of all layers that change most (with one state: that see most). */
export function HeadsTable({ view }: { view: HeadsView }) {
  const [open, setOpen] = useState(false);
  const [layer, setLayer] = useState<number | null>(null);
  const shown = layer !== null && layer < view.layers ? layer : null;
  const rows = useMemo(() => (open ? rowsOf(view, shown) : []), [open, view, shown]);
  const states = view.values.maps.length;
  const columns: Column<Row>[] = [
    { title: "Layer", value: (row) => row.layer },
    { title: "Head", value: ({ head }) => head },
    ...[...view.values.maps, ...view.changes.maps].map(({ name }, index): Column<Row> => ({
      title: name,
      value: ({ values }) => values[index] ?? NaN,
      draw: ({ values }) => shareLabel(values[index] ?? NaN, index >= states),
    })),
  ];
  return (
    <details className="numbers" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Numbers of the heads</summary>
      <label className="row">
        <span className="soft">Heads of</span>
        <select
          value={shown ?? ""}
          onChange={({ target }) => setLayer(target.value === "" ? null : Number(target.value))}
        >
          <option value="">
            all layers, the {Math.min(MOST, view.layers * view.heads)} {states > 1 ? "that change most" : "highest"}
          </option>
          {Array.from({ length: view.layers }, (_, index) => (
            <option key={index} value={index}>
              layer {index}
            </option>
          ))}
        </select>
      </label>
      <DataTable label="Attention on gold entities" rows={rows} columns={columns} />
    </details>
  );
}

function rowsOf({ layers, heads, values, changes }: HeadsView, layer: number | null): Row[] {
  const all = Array.from({ length: layers * heads }, (_, at): Row => ({
    layer: Math.floor(at / heads),
    head: at % heads,
    values: [...values.maps, ...changes.maps].map((map) => map.values[at] ?? NaN),
  }));
  if (layer !== null) return all.filter((row) => row.layer === layer);
  const size = (row: Row): number =>
    Math.max(...row.values.slice(changes.maps.length === 0 ? 0 : values.maps.length).map(Math.abs));
  return all.sort((a, b) => size(b) - size(a)).slice(0, MOST);
}
