import type { ProjectDocument } from "../../storage/project.ts";
import { openDocument } from "../label/labelActions.ts";
import { MarkedText, MarkLegend } from "./MarkedText.tsx";
import { marksOf, type Scored } from "./score.ts";

export interface CompareColumn {
  title: string;
  scored: Scored;
}

export type CompareFilter = "all" | "changed" | "wrong";

/** Held-out sentences side by side, one column for each state of the model. */
export function CompareList(props: {
  columns: readonly CompareColumn[];
  typeNames: readonly string[];
  filter: CompareFilter;
}) {
  const { columns, typeNames, filter } = props;
  const documents = (columns[0]?.scored.gold ?? []).filter((document) => isShown(document, columns, filter));
  return (
    <div className="compare">
      <MarkLegend typeNames={typeNames} />
      <table aria-label="Held-out sentences">
        <thead>
          <tr>
            {columns.map(({ title }) => (
              <th key={title} scope="col" style={{ width: `${100 / columns.length}%` }}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {documents.map((document) => (
            <tr key={document.id} title={document.id} onDoubleClick={() => openDocument(document.id)}>
              {columns.map(({ title, scored }) => {
                const predicted = scored.predicted.get(document.id);
                return (
                  <td key={title}>
                    {predicted !== undefined && (
                      <>
                        <MarkedText text={document.text} marks={marksOf(document, predicted)} typeNames={typeNames} />
                        {predicted.hallucinated?.map(({ type, text }, index) => (
                          <span key={index} className="mark wrong" title="Not in the sentence">
                            ✗ {type}: “{text}” is not in the sentence
                          </span>
                        ))}
                      </>
                    )}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      {documents.length === 0 && <p className="faint">No sentence is like that.</p>}
    </div>
  );
}

function isShown(document: ProjectDocument, columns: readonly CompareColumn[], filter: CompareFilter): boolean {
  if (filter === "all") return true;
  const states = columns.map(({ scored }) => {
    const predicted = scored.predicted.get(document.id);
    return predicted === undefined ? [] : marksOf(document, predicted);
  });
  if (filter === "wrong") return states.at(-1)?.some(({ kind }) => kind !== "right") ?? false;
  const key = (marks: (typeof states)[number]): string =>
    marks.map(({ start, end, type, kind }) => `${start} ${end} ${type} ${kind}`).join("|");
  return new Set(states.map(key)).size > 1;
}
