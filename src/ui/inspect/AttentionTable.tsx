import { useMemo, useState } from "react";
import type { AttentionPaint, AttentionView } from "../../worker/protocol.ts";
import { DataTable, type Column } from "../components/DataTable.tsx";
import { tokenLabel } from "./drawHeatmap.ts";
import { useInspect } from "./inspectStore.ts";

/** Prompt tokens listed of one row. */
const MOST = 24;

interface Row {
  column: number;
  values: readonly number[];
}

/** One row of the maps in numbers: the prompt tokens that it sees most, or whose difference is largest. */
export function AttentionTable({ view, paint }: { view: AttentionView; paint: AttentionPaint }) {
  const [open, setOpen] = useState(false);
  const cellRow = useInspect((state) => state.cell?.row ?? 0);
  const hideFirst = useInspect((state) => state.drawn.hideFirst);
  const row = Math.min(cellRow, view.rows.length - 1);
  const rows = useMemo(() => (open ? strongest(view, paint, row, hideFirst) : []), [open, view, paint, row, hideFirst]);
  const columns: Column<Row>[] = [
    { title: "Prompt token", value: ({ column }) => tokenLabel(view.columns[column]?.text ?? "") },
    { title: "Position", value: ({ column }) => column },
    {
      title: "Is",
      value: ({ column }) => {
        const role = view.columns[column]?.role ?? "plain";
        return role === "plain" ? "" : role;
      },
    },
    ...paint.panels.map(({ name }, index): Column<Row> => ({
      title: name,
      value: ({ values }) => values[index] ?? NaN,
      draw: ({ values }) => (values[index] ?? NaN).toFixed(4).replace("-", "−"),
    })),
  ];
  return (
    <details className="numbers" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Numbers of a response token</summary>
      <label className="row">
        <span className="soft">Response token</span>
        <select
          value={row}
          onChange={({ target }) =>
            useInspect.setState({ cell: { row: Number(target.value), column: 0, locked: true } })
          }
        >
          {/* There may be a thousand: not while they are out of sight. */}
          {(open ? view.rows : view.rows.slice(row, row + 1)).map(({ text }, at) => {
            const index = open ? at : row;
            return (
              <option key={index} value={index}>
                {index}: {tokenLabel(text)}
              </option>
            );
          })}
        </select>
      </label>
      <DataTable label="Attention of the response token" rows={rows} columns={columns} />
    </details>
  );
}

function strongest(view: AttentionView, paint: AttentionPaint, row: number, hideFirst: boolean): Row[] {
  const width = view.columns.length;
  const size = ({ values }: Row): number => Math.max(...values.map(Math.abs));
  return view.columns
    .map((_, column): Row => ({
      column,
      values: paint.panels.map(({ values }) => values[row * width + column] ?? NaN),
    }))
    .slice(hideFirst ? 1 : 0)
    .sort((a, b) => size(b) - size(a))
    .slice(0, MOST);
}
