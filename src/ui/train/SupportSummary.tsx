import { useEffect, useState } from "react";
import type { TrainConfig, TrainingPlan } from "../../worker/protocol.ts";
import { Facts } from "../components/Facts.tsx";
import { TypeMark } from "../components/TypeMark.tsx";
import { Verdict } from "../components/Verdict.tsx";
import { formatCount, plural } from "../format.ts";
import { typeCounts } from "../label/edits.ts";
import { studio, useEngine } from "../stores/engineStore.ts";
import { messageOf, useProject } from "../stores/projectStore.ts";
import { useView } from "../stores/viewStore.ts";
import { TrainTime } from "./TrainTime.tsx";
import { currentConfig, supportSet, planProblem, useTrain } from "./trainStore.ts";

/** Settings change with every key typed: the plan is asked for once they rest. */
const PLAN_DELAY_MS = 250;
const SHOWN_TOO_LONG = 8;

type Stage = TrainConfig["stage"];

/** What the model will learn from, and what that takes. */
export function SupportSummary() {
  const project = useProject((state) => state.project);
  const plan = usePlan();
  const stage = useTrain((state) => state.stage);
  const config = useTrain(currentConfig);
  if (project === null) return null;
  const support = supportSet(project);
  const counts = typeCounts(support);
  return (
    <section className="support">
      <header className="row">
        <h2 className="grow">Support set: {plural(support.length, "sentence")}</h2>
        <button className="quiet small" onClick={() => useView.getState().goTo("label")}>
          Edit under Label
        </button>
      </header>
      <p className="support-types">
        {project.types.map(({ name }, index) => (
          <span key={name}>
            <TypeMark index={index} /> <span className="number">{formatCount(counts.get(name) ?? 0)}</span> {name}
          </span>
        ))}
      </p>
      {typeof plan === "string" && <p className="bad">{plan}</p>}
      {plan !== null && typeof plan === "object" && (
        <>
          <Facts
            rows={[
              stage === "dpo"
                ? ["Pairs of labels", `${formatCount(plan.prompts)}, and the adapter's own errors`]
                : ["Prompts", `${formatCount(plan.prompts)}, sentences × types`],
              ["Tokens an epoch", `${formatCount(plan.tokens)}, ${formatCount(plan.supervisedTokens)} of them learned`],
              [stage === "dpo" ? "Longest pair" : "Longest prompt", plural(plan.longestPrompt, "token")],
              [
                "Optimizer steps",
                `${formatCount(plan.steps)}${stage === "dpo" && config?.maxSteps == null ? ", more with errors" : ""}`,
              ],
              ["Training time", config && <TrainTime key="time" plan={plan} config={config} />],
              ["GPU memory", <Verdict key="memory" need={plan.memory.training} />],
            ]}
          />
          {plan.tooLong.length > 0 && (
            <p className="warn-text">
              Left out, over the model's context:{" "}
              {plan.tooLong
                .slice(0, SHOWN_TOO_LONG)
                .map(({ name, tokens }) => `${name} (${formatCount(tokens)} tokens)`)
                .join(", ")}
              {plan.tooLong.length > SHOWN_TOO_LONG && ` and ${formatCount(plan.tooLong.length - SHOWN_TOO_LONG)} more`}
            </p>
          )}
        </>
      )}
    </section>
  );
}

/** The plan for the settings as they are; a string says why there is none; null while nothing can be said. */
function usePlan(): TrainingPlan | string | null {
  const project = useProject((state) => state.project);
  const config = useTrain(currentConfig);
  const open = useEngine(({ model }) => (model.kind === "open" ? model.facts.fingerprint : null));
  const [said, setSaid] = useState<{ stage: Stage; plan: TrainingPlan | string } | null>(null);
  useEffect(() => {
    if (project === null || config === null || open === null || planProblem(project, config) !== null) return;
    let current = true;
    const timer = setTimeout(() => {
      const { stage } = config;
      const request = { documents: supportSet(project), types: project.types, config };
      studio()
        .plan(request)
        .then(
          (plan) => current && setSaid({ stage, plan }),
          (error: unknown) => current && setSaid({ stage, plan: messageOf(error) }),
        );
    }, PLAN_DELAY_MS);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [project, config, open]);
  // Another stage's figures are not this one's, not even for a moment.
  return said !== null && said.stage === config?.stage ? said.plan : null;
}
