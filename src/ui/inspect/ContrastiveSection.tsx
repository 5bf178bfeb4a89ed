import type { ContrastiveCosines } from "../../worker/protocol.ts";
import { DataTable, type Column } from "../components/DataTable.tsx";
import { CosineStrip } from "./CosineStrip.tsx";
import { tokenLabel } from "./drawHeatmap.ts";
import { ExportButtons } from "./ExportButtons.tsx";
import { useInspect } from "./inspectStore.ts";
import { LookStatus } from "./LookStatus.tsx";
import { askCosines, type AttentionQuestion } from "./requests.ts";

interface Seen {
  name: string;
  entity: ContrastiveCosines["entities"][number];
}

const cosine = (value: number | undefined): string => (value === undefined ? "–" : value.toFixed(3).replace("-", "−"));
const loss = (value: number): string => value.toFixed(4).replace("-", "−");

const COSINES: readonly Column<Seen>[] = [
  { title: "State", value: ({ name }) => name },
  { title: "Entity", value: ({ entity }) => entity.text },
  { title: "cos", value: ({ entity }) => entity.cosine, draw: ({ entity }) => cosine(entity.cosine) },
  { title: "Left of it", value: ({ entity }) => tokenLabel(entity.left?.token ?? "–") },
  {
    title: "cos left",
    value: ({ entity }) => entity.left?.cosine ?? NaN,
    draw: ({ entity }) => cosine(entity.left?.cosine),
  },
  { title: "Right of it", value: ({ entity }) => tokenLabel(entity.right?.token ?? "–") },
  {
    title: "cos right",
    value: ({ entity }) => entity.right?.cosine ?? NaN,
    draw: ({ entity }) => cosine(entity.right?.cosine),
  },
];

const LOSSES: readonly Column<ContrastiveCosines>[] = [
  { title: "State", value: ({ name }) => name },
  {
    title: "Cross-entropy",
    hint: "Of the response, the mean over its tokens",
    value: ({ sftLoss }) => sftLoss,
    draw: ({ sftLoss }) => loss(sftLoss),
  },
  {
    title: "Contrastive",
    value: ({ contrastiveLoss }) => contrastiveLoss,
    draw: ({ contrastiveLoss }) => loss(contrastiveLoss),
  },
  {
    title: "Loss",
    hint: "Cross-entropy + weight × contrastive",
    value: ({ loss: sum }) => sum,
    draw: ({ loss: sum }) => loss(sum),
  },
];

/** What the contrastive loss sees of the sentence: the type against each entity and the tokens beside it. */
export function ContrastiveSection({ question }: { question: AttentionQuestion }) {
  const look = useInspect((state) => state.cosines);
  const shown = look.shown?.key === question.cosinesKey ? look.shown.value : null;
  const { document, type, layer } = question.request;
  const any = document.entities.some((entity) => entity.type === type.name);
  return (
    <section className="contrastive" aria-label="Contrastive view">
      <header className="row">
        <h2 className="grow">Contrastive view</h2>
        {shown !== null && <ExportButtons disabled={false} file={(client, format) => client.cosinesFile(format)} />}
      </header>
      <p className="soft">
        Cosine of the type ({type.name}) with each gold entity and with the tokens beside it, layer {layer}: training
        with the contrastive loss draws entities near and pushes their neighbours away.
      </p>
      {!any && (
        <p className="soft">The sentence has no entity of type {type.name}: the contrastive loss passes over it.</p>
      )}
      {any && (
        <LookStatus
          look={look}
          figure={false}
          wanted={question.cosinesKey}
          action="Measure cosines"
          onAsk={() => void askCosines(question)}
        >
          Prepares the training kernels the first time.
        </LookStatus>
      )}
      {any && shown !== null && (
        <>
          <CosineStrip seen={shown} />
          <DataTable
            label="Cosines"
            rows={shown.flatMap(({ name, entities }) => entities.map((entity) => ({ name, entity })))}
            columns={COSINES}
          />
          <DataTable label="Terms of the loss" rows={shown} columns={LOSSES} />
          <p className="faint">The loss counts the contrastive term times {shown[0]?.weight}.</p>
        </>
      )}
    </section>
  );
}
