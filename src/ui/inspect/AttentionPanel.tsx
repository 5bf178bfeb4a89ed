import { AttentionMaps } from "./AttentionMaps.tsx";
import { AttentionTools } from "./AttentionTools.tsx";
import { ChosenDifferences } from "./Differences.tsx";
import { ContrastiveSection } from "./ContrastiveSection.tsx";
import { useInspect } from "./inspectStore.ts";
import { LookStatus } from "./LookStatus.tsx";
import { askAttention, useAttentionQuestion } from "./requests.ts";
import { useAutoLook } from "./useAutoLook.ts";

/** How the response looks at the prompt, with up to three states of the model on one colour scale. */
export function AttentionPanel() {
  const question = useAttentionQuestion();
  const look = useInspect((state) => state.attention);
  const paint = useInspect((state) => state.paint);
  useAutoLook(look, question, askAttention);
  const view = look.shown?.value ?? null;
  const stale = look.shown?.key !== question?.key;
  return (
    <div className="inspect-body">
      <AttentionTools stale={stale} />
      <ChosenDifferences />
      <LookStatus
        look={look}
        figure={view !== null}
        wanted={question?.key ?? null}
        action="Read attention"
        onAsk={() => question !== null && void askAttention(question)}
      >
        How much each token of the gold response looks at each token of the prompt, layer by layer.
      </LookStatus>
      {view !== null && paint !== null && (
        <div className={stale ? "inspect-figure stale" : "inspect-figure"}>
          <AttentionMaps view={view} paint={paint} />
          {question !== null && <ContrastiveSection question={question} />}
        </div>
      )}
    </div>
  );
}
