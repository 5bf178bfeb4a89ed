import { useEffect, useState } from "react";
import type { PromptTokens } from "../../worker/protocol.ts";
import { Empty } from "../components/Empty.tsx";
import { formatCount } from "../format.ts";
import { studio } from "../stores/engineStore.ts";
import { messageOf } from "../stores/projectStore.ts";
import { useAttentionQuestion } from "./requests.ts";
import { TokenView } from "./TokenView.tsx";

/** The prompt as the model reads it, and which of its tokens are learned. */
export function PromptPanel() {
  const question = useAttentionQuestion();
  const [tokens, setTokens] = useState<PromptTokens | string | null>(null);
  useEffect(() => {
    if (question === null) return;
    let current = true;
    const { document, type } = question.request;
    studio()
      .promptTokens(document, type)
      .then(
        (next) => current && setTokens(next),
        (error: unknown) => current && setTokens(messageOf(error)),
      );
    return () => {
      current = false;
    };
  }, [question]);
  if (question === null) return <Empty title="No model is open">Tokens are those of the open model.</Empty>;
  if (typeof tokens === "string") return <Empty title="No prompt">{tokens}</Empty>;
  if (tokens === null) return null;
  return (
    <div className="inspect-body">
      <p className="soft inspect-summary">
        {formatCount(tokens.tokens.length)} tokens as the model reads them,{" "}
        {formatCount(tokens.tokens.filter(({ supervised }) => supervised).length)} of them learned: the response and the
        end token. Hover for ids.
      </p>
      <TokenView tokens={tokens.tokens} />
    </div>
  );
}
