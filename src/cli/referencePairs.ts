// run/pairs.jsonl: the preference pairs of a DPO run with the frozen reference policy's log-probabilities, computed once.
import { join } from "node:path";
import type { Llama } from "../model/llama.ts";
import type { Lora } from "../model/lora.ts";
import { type DpoExample, type DpoPair, type PairLogprobs, pairLogprobs, withReference } from "../train/dpoExamples.ts";
import type { Preference } from "../train/preferences.ts";
import { writeFileAtomic } from "./atomicFile.ts";
import type { Context } from "./context.ts";
import { inFile, readText } from "./readFile.ts";

/** TRL's names for stored reference log-probabilities. */
interface StoredPair extends Omit<Preference, "name"> {
  readonly ref_chosen_logps: number;
  readonly ref_rejected_logps: number;
}

/** Asks the reference policy, and stores what it says. */
export async function storeReference(
  folder: string,
  preferences: readonly Preference[],
  pairs: readonly DpoPair[],
  llama: Llama,
  policy: Lora,
  context: Context,
): Promise<DpoExample[]> {
  const progress = context.progress("reference", pairs.length, "pairs");
  const logprobs = await pairLogprobs(llama, policy, pairs, {
    signal: context.signal,
    onProgress: (done) => progress.update(done),
  });
  progress.finish();
  const lines = preferences.map(({ prompt, chosen, rejected, kind }, i): StoredPair => {
    const { chosen: refChosen = NaN, rejected: refRejected = NaN } = logprobs[i] ?? {};
    return { prompt, chosen, rejected, kind, ref_chosen_logps: refChosen, ref_rejected_logps: refRejected };
  });
  writeFileAtomic(pathIn(folder), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  return withReference(pairs, logprobsOf(lines));
}

/** What an earlier run over the same pairs stored. @throws Error where it is not there, or of other pairs */
export function readReference(
  folder: string,
  preferences: readonly Preference[],
  pairs: readonly DpoPair[],
): DpoExample[] {
  const path = pathIn(folder);
  const lines = inFile(path, () => readText(path))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as StoredPair);
  const same = preferences.every(({ prompt, chosen, rejected }, i) => {
    const line = lines[i];
    return line?.prompt === prompt && line.chosen === chosen && line.rejected === rejected;
  });
  if (!same || lines.length !== preferences.length) {
    throw new Error(
      `expected the pairs of this run in ${path}, got others (give the same pairs, or train without --resume)`,
    );
  }
  return withReference(pairs, logprobsOf(lines));
}

function logprobsOf(lines: readonly StoredPair[]): PairLogprobs[] {
  return lines.map((line) => ({ chosen: line.ref_chosen_logps, rejected: line.ref_rejected_logps }));
}

function pathIn(folder: string): string {
  return join(folder, "pairs.jsonl");
}
