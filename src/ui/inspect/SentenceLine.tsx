import type { ProjectDocument } from "../../storage/project.ts";
import { MarkedText } from "../evaluate/MarkedText.tsx";
import type { Mark } from "../evaluate/score.ts";
import { useProject } from "../stores/projectStore.ts";
import { useView } from "../stores/viewStore.ts";

const NO_TYPES: readonly { name: string }[] = [];

/** The sentence with its entities: a click takes one in hand, with its type. */
export function SentenceLine({ document }: { document: ProjectDocument }) {
  const types = useProject((state) => state.project?.types) ?? NO_TYPES;
  const type = useView(({ inspect }) => inspect.type);
  const span = useView(({ inspect }) => inspect.span);
  const marks = document.entities.map((entity): Mark => ({ ...entity, kind: "gold" }));
  const inHand = marks.find((mark) => mark.start === span?.start && mark.end === span.end && mark.type === type);
  return (
    <div
      role="group"
      className="sentence-line"
      aria-label="Sentence"
      title="A click takes an entity in hand; e goes to the next one"
    >
      <MarkedText
        text={document.text}
        marks={marks}
        typeNames={types.map(({ name }) => name)}
        inHand={inHand}
        onPick={(mark) => useView.getState().selectSpan(document.id, mark)}
      />
    </div>
  );
}
