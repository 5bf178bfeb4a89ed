import type { BoundarySummary } from "../../ner/boundary.ts";
import { DataTable, type Column } from "../components/DataTable.tsx";
import { TypeMark } from "../components/TypeMark.tsx";
import { formatPercent } from "../format.ts";
import type { CompareColumn } from "./CompareList.tsx";

/** Strict precision, recall and F1 of each type, all states side by side. */
export function ScoreTable({
  columns,
  typeNames,
}: {
  columns: readonly CompareColumn[];
  typeNames: readonly string[];
}) {
  const measures = ["precision", "recall", "f1"] as const;
  const short = { precision: "P", recall: "R", f1: "F1" } as const;
  const table: Column<string>[] = [
    {
      title: "Type",
      value: (type) => type,
      draw: (type) => (
        <>
          <TypeMark index={typeNames.indexOf(type)} /> {type}
        </>
      ),
    },
    { title: "Gold", hint: "Gold entities", value: (type) => columns[0]?.scored.evaluation.byType[type]?.support ?? 0 },
    ...columns.flatMap(({ title, scored }) =>
      measures.map((measure): Column<string> => {
        const value = (type: string): number => scored.evaluation.byType[type]?.[measure] ?? 0;
        return {
          title: `${short[measure]} ${title}`,
          value: (type) => Number(formatPercent(value(type))),
          draw: (type) => formatPercent(value(type)),
        };
      }),
    ),
  ];
  return (
    <section>
      <h2>By type</h2>
      <DataTable label="Scores by type" rows={typeNames} columns={table} />
    </section>
  );
}

const BOUNDARY_ROWS: readonly {
  title: string;
  hint: string;
  value: (summary: BoundarySummary) => number;
  percent?: true;
}[] = [
  { title: "Boundary errors (BE)", hint: "Right type, overlapping, wrong edges", value: ({ BE }) => BE },
  { title: "· shorter", hint: "Inside the gold span", value: ({ BES }) => BES },
  { title: "· longer", hint: "Around the gold span", value: ({ BEL }) => BEL },
  { title: "· offset", hint: "Sticking out on one side, short on the other", value: ({ BEO }) => BEO },
  { title: "Right span, wrong type (LE)", hint: "Exact span, other type", value: ({ LE }) => LE },
  { title: "Both wrong (LBE)", hint: "Overlapping, other type", value: ({ LBE }) => LBE },
  { title: "Matches nothing (FP)", hint: "Predicted where gold has nothing", value: ({ FP }) => FP },
  { title: "Missed (FN)", hint: "Gold that nothing overlaps", value: ({ FN }) => FN },
  { title: "Boundary Error Rate, %", hint: "BE / gold entities", value: ({ rate }) => rate, percent: true },
  {
    title: "F1 if boundaries were right, %",
    hint: "Every BE counted as right",
    value: ({ f1IfFixed }) => f1IfFixed,
    percent: true,
  },
];

/** What kinds of errors there are (Table 5 of the paper). */
export function BoundaryTable({ columns }: { columns: readonly CompareColumn[] }) {
  type Row = (typeof BOUNDARY_ROWS)[number];
  const table: Column<Row>[] = [
    { title: "Errors", value: ({ title }) => title, draw: ({ title, hint }) => <span title={hint}>{title}</span> },
    ...columns.map(({ title, scored }): Column<Row> => {
      const value = (row: Row): number => row.value(scored.evaluation.boundary);
      return {
        title,
        value: (row) => (row.percent ? Number(formatPercent(value(row))) : value(row)),
        draw: (row) => (row.percent ? formatPercent(value(row)) : value(row)),
      };
    }),
  ];
  return (
    <section>
      <h2>Boundary errors</h2>
      <DataTable label="Boundary errors" rows={BOUNDARY_ROWS} columns={table} />
    </section>
  );
}
