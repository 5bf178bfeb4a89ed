import type { CSSProperties } from "react";
import { TypeMark } from "../components/TypeMark.tsx";
import { plural } from "../format.ts";
import { useEngine } from "../stores/engineStore.ts";
import { useProject } from "../stores/projectStore.ts";

const SHOWN = 4;

/** The sentences of the step before, each with the type that it was asked for. */
export function LearnedNow() {
  const learned = useEngine((state) => state.learned);
  const config = useEngine((state) => state.trainedConfig);
  const training = useEngine(({ job }) => job?.kind === "train");
  const project = useProject((state) => state.project);
  if (!training || learned.length === 0 || project === null) return null;
  const more = learned.length - SHOWN;
  // The last step of an epoch may have fewer: what is below stays where it is.
  const rows = Math.min(SHOWN, Math.max(config?.gradAccumSteps ?? 1, learned.length));
  return (
    <section className="learned" aria-label="Sentences being learned">
      <ul style={{ "--rows": rows } as CSSProperties}>
        {learned.slice(0, SHOWN).map((name, index) => {
          // Prompts and pairs are named by document and type.
          const [id, type] = [name.slice(0, name.lastIndexOf(" / ")), name.slice(name.lastIndexOf(" / ") + 3)];
          const typeIndex = project.types.findIndex((one) => one.name === type);
          const text = project.documents.find((document) => document.id === id)?.text ?? id;
          return (
            <li key={`${index} ${name}`} className="row" title={text}>
              {typeIndex >= 0 && <TypeMark index={typeIndex} />} <span>{type}</span>
              <span className="ellipsis grow soft">{text}</span>
            </li>
          );
        })}
      </ul>
      {more > 0 && <p className="faint">and {plural(more, "more prompt")}</p>}
    </section>
  );
}
