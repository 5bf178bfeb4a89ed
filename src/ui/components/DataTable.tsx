import { useState, type ReactNode } from "react";
import { useView } from "../stores/viewStore.ts";

export interface Column<Row> {
  title: string;
  /** What the column sorts by and what is copied. */
  value: (row: Row) => string | number;
  /** How it is drawn; the value where absent. */
  draw?: (row: Row) => ReactNode;
  /** Shown over the title. */
  hint?: string;
}

/** A table that sorts by a click on a title, with numbers to the right, and copies as TSV. The first column names a row. */
export function DataTable<Row>(props: { label: string; rows: readonly Row[]; columns: readonly Column<Row>[] }) {
  const { rows, columns, label } = props;
  const [sort, setSort] = useState<{ column: number; down: boolean } | null>(null);
  const by = sort === null ? undefined : columns[sort.column];
  const sorted =
    sort === null || by === undefined
      ? rows
      : rows.toSorted((a, b) => (sort.down ? -1 : 1) * compare(by.value(a), by.value(b)));
  const isNumber = (column: Column<Row>): boolean => rows[0] !== undefined && typeof column.value(rows[0]) === "number";

  const copy = async (): Promise<void> => {
    const lines = [columns.map(({ title }) => title), ...sorted.map((row) => columns.map(({ value }) => value(row)))];
    await navigator.clipboard.writeText(lines.map((line) => line.join("\t")).join("\n"));
    useView.getState().notify("info", "Copied as tab-separated values");
  };

  return (
    <div className="data-table">
      <table aria-label={label}>
        <thead>
          <tr>
            {columns.map((column, index) => (
              <th
                key={column.title}
                scope="col"
                className={isNumber(column) ? "right" : ""}
                title={column.hint}
                aria-sort={sort?.column === index ? (sort.down ? "descending" : "ascending") : "none"}
              >
                <button
                  className="quiet"
                  onClick={() => setSort({ column: index, down: sort?.column === index ? !sort.down : true })}
                >
                  {column.title}
                  {sort?.column === index && <span aria-hidden="true">{sort.down ? " ↓" : " ↑"}</span>}
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {sorted.map((row, index) => (
            <tr key={index}>
              {columns.map((column) => (
                <td key={column.title} className={isNumber(column) ? "right number" : ""}>
                  {column.draw === undefined ? column.value(row) : column.draw(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      <button className="quiet small copy" onClick={() => void copy()}>
        Copy as TSV
      </button>
    </div>
  );
}

function compare(a: string | number, b: string | number): number {
  return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
}
