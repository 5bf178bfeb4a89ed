import type { MemoryNeed } from "../../worker/protocol.ts";
import { formatBytes } from "../format.ts";

const WORDS = { yes: "fits", tight: "tight", no: "no" } as const;
const SIGNS = { yes: "✓", tight: "!", no: "✗" } as const;

/** Whether a need for memory is met on this device, with the reason. */
export function Verdict({ need }: { need: MemoryNeed }) {
  return (
    <span className={`verdict ${need.verdict}`} title={need.reason}>
      <span className="number">{formatBytes(need.bytes)}</span>
      <span className="verdict-word">
        {SIGNS[need.verdict]} {WORDS[need.verdict]}
      </span>
    </span>
  );
}
