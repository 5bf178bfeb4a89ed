import { Icon } from "../components/Icon.tsx";
import { plural } from "../format.ts";
import { useEngine } from "../stores/engineStore.ts";
import { useProject } from "../stores/projectStore.ts";
import { useView } from "../stores/viewStore.ts";
import { startQuickTraining } from "../train/startTraining.ts";

/** The way from opening the page to a fine-tuned model: Label → Train → See. */
export function FirstVisit() {
  const shown = useView((state) => state.firstVisit);
  const project = useProject((state) => state.project);
  const gpuReady = useEngine(({ gpu }) => gpu.kind === "ready" || gpu.kind === "opening");
  const training = useEngine(({ job }) => job?.kind === "train");
  const trained = useEngine(({ adapters }) => adapters.some((adapter) => adapter.training !== null));
  if (!shown || project === null || !gpuReady) return null;
  const sentences = project.documents.filter(({ split, done }) => split === "train" && done).length;
  const step = training ? 1 : trained ? 2 : 0;
  const className = (index: number): string => (index === step ? "current" : "");
  return (
    <section className="first-visit" aria-label="First steps">
      <ol>
        <li className={className(0)}>
          <span className="step">1</span> <strong>Label</strong>
          <span className="hint">
            {plural(sentences, "sentence")} {sentences === 1 ? "is" : "are"} labelled
          </span>
        </li>
        <li className={className(1)}>
          <span className="step">2</span> <strong>Train</strong>
          <span className="hint">a small Llama on them, here in the browser</span>
        </li>
        <li className={className(2)}>
          <span className="step">3</span> <strong>See</strong>
          <span className="hint">what it finds before and after</span>
        </li>
      </ol>
      {step === 0 && (
        <button className="primary" disabled={sentences === 0} onClick={() => void startQuickTraining()}>
          {sentences === 1 ? "Train on this sentence" : `Train on these ${plural(sentences, "sentence")}`}
        </button>
      )}
      {step === 2 && (
        <>
          <button onClick={() => useView.getState().setOverlay("import")}>Now do it with your own text</button>
          <button className="primary" onClick={() => useView.getState().goTo("evaluate")}>
            See before and after
          </button>
        </>
      )}
      <button
        className="quiet icon"
        aria-label="Close the first steps"
        title="Close"
        onClick={() => useView.getState().closeFirstVisit()}
      >
        <Icon name="cross" />
      </button>
    </section>
  );
}
