import { useEffect, useState } from "react";
import type { UnfinishedChain as Chain } from "../../worker/protocol.ts";
import { ask, useEngine } from "../stores/engineStore.ts";
import { adapterTitle } from "../models/adapterTitle.ts";
import { type Stage, STAGE_TITLES } from "./settings.ts";

/** The newest training is finished, but not the stages that were to follow it: go on with them, or let them go. */
export function UnfinishedChain() {
  const newest = useEngine(({ runs }) => runs[0]);
  const job = useEngine((state) => state.job);
  const model = useEngine((state) => state.model);
  const ready = useEngine(({ gpu }) => gpu.kind === "ready");
  const [chain, setChain] = useState<Chain | null>(null);
  const finished = job === null && newest?.status === "finished" ? newest.id : null;
  useEffect(() => {
    if (finished === null) return;
    let current = true;
    void ask((client) => client.unfinishedChain()).then((found) => current && setChain(found));
    return () => {
      current = false;
    };
  }, [finished]);
  if (newest === undefined || chain === null || chain.runId !== finished) return null;
  const isOpen = model.kind === "open" && model.facts.fingerprint === newest.model;
  const titles = chain.next.map(({ config }) => STAGE_TITLES[config["stage"] as Stage]);
  return (
    <section className="banner warn" role="status" aria-label="Stages that remain">
      <div className="grow">
        <strong>{adapterTitle({ name: newest.name, training: newest })} is finished.</strong> Still to come:{" "}
        {titles.join(", ")}.
        {!isOpen && model.kind === "open" && ` Open the model ${newest.modelName} under Models first.`}
      </div>
      <button
        onClick={() => {
          setChain(null);
          void ask((client) => client.endChain(chain.runId));
        }}
      >
        Discard
      </button>
      <button
        className="primary"
        disabled={!isOpen || !ready}
        onClick={() => void ask((client) => client.continueChain(chain.runId))}
      >
        Go on
      </button>
    </section>
  );
}
