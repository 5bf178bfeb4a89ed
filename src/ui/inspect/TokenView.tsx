import type { PromptTokens } from "../../worker/protocol.ts";

/** Tokens in a row, spaces and line ends drawn; those that are learned are underlined. */
export function TokenView({ tokens }: { tokens: PromptTokens["tokens"] }) {
  return (
    <div className="token-view">
      {tokens.map(({ id, text, supervised }, index) => (
        <span key={index}>
          <span className={supervised ? "token supervised" : "token"} title={`position ${index}, id ${id}`}>
            {text.replaceAll(" ", "·").replaceAll("\n", "⏎")}
          </span>
          {text.includes("\n") && <br />}
        </span>
      ))}
    </div>
  );
}
