/**
 * A checkpoint as one safetensors file: LoRA weights and both moments of Adam, page by page in the GPU's own layout, and
 * what the run must have in common with the one that goes on from it. Data order, schedule and dropout are functions of
 * seed and step, so that a resumed run takes the steps an uninterrupted one would have taken, bit for bit.
 */
import type { KernelChoice } from "../gpu/kernelChoice.ts";
import { readMetadata, readSafetensors, SafetensorsError, writeSafetensors } from "../model/adapters/safetensors.ts";
import { PAPER_SFT, type TrainConfig } from "./config.ts";
import type { TrainerState } from "./trainer.ts";

/** Of this layout; another one is refused. */
const VERSION = 1;
const KINDS = ["weights", "m", "v"] as const;

/** What settings that were saved without packTokens meant: one prompt a pass was all there was. */
export const BEFORE_PACKING = { packTokens: 0 } as const;

/** What decides every number of a run, besides the adapter that computes it. */
export interface RunIdentity {
  readonly config: TrainConfig;
  /** SHA-256 of the model's files, of the data (documents, types or pairs) and of the adapter it began with. */
  readonly model: string;
  readonly data: string;
  readonly start: string;
}

export interface Checkpoint {
  readonly state: TrainerState;
  readonly identity: RunIdentity;
  /** What computed it, so that the same goes on; null in checkpoints of versions that did not choose. */
  readonly kernels: KernelChoice | null;
}

/** A whole checkpoint that another version of the program wrote: not damaged, and not to be passed over. */
export class CheckpointVersionError extends Error {
  override readonly name = "CheckpointVersionError";
}

export function writeCheckpoint({ state, identity, kernels }: Checkpoint): Uint8Array<ArrayBuffer> {
  const tensors = new Map(
    KINDS.flatMap((kind) =>
      state[kind].map((data, page) => [`${kind}.${page}`, { shape: [data.length], data }] as const),
    ),
  );
  const { stepsDone, tokensSeen } = state;
  return writeSafetensors(tensors, {
    run: JSON.stringify({ version: VERSION, stepsDone, tokensSeen, pages: state.weights.length, kernels, ...identity }),
  });
}

/** @throws SafetensorsError where the file is damaged; CheckpointVersionError where it is of another version */
export function readCheckpoint(bytes: Uint8Array): Checkpoint {
  const tensors = readSafetensors(bytes);
  const { version, stepsDone, tokensSeen, pages, kernels, ...identity } = parseRun(readMetadata(bytes)["run"]);
  if (version !== VERSION) {
    throw new CheckpointVersionError(
      `expected a checkpoint of version ${VERSION}, got ${String(version)} (another version of obp wrote it: go on with that one, or train anew)`,
    );
  }
  const page = (name: string): Float32Array<ArrayBuffer> => {
    const tensor = tensors.get(name);
    if (tensor === undefined) {
      throw new SafetensorsError(`expected tensor ${name} in the checkpoint, got none (the file is damaged)`);
    }
    return tensor.data;
  };
  const [weights, m, v] = KINDS.map((kind) => Array.from({ length: pages }, (_, i) => page(`${kind}.${i}`)));
  return {
    state: { stepsDone, tokensSeen, weights: weights ?? [], m: m ?? [], v: v ?? [] },
    identity: { ...identity, config: { ...BEFORE_PACKING, ...identity.config } },
    kernels: kernels ?? null,
  };
}

/**
 * Refuses to go on from a checkpoint of another run.
 * @throws Error naming what differs
 */
export function checkSameRun(saved: RunIdentity, own: RunIdentity): void {
  const what = { model: "model file", data: "training data", start: "adapter to start from" } as const;
  for (const name of ["model", "data", "start"] as const) {
    if (saved[name] !== own[name]) {
      throw new Error(
        `expected the ${what[name]} of the checkpoint (hash ${short(saved[name])}), got another (hash ${short(own[name])}) (give the same, or train without --resume)`,
      );
    }
  }
  // How often a run is saved changes no number of it, nor does what backward recomputes.
  for (const name of Object.keys({ ...saved.config, ...own.config }) as (keyof TrainConfig)[]) {
    // A setting that the saved run's version did not have was what is the default now.
    const [before, now] = [saved.config[name] ?? PAPER_SFT[name], own.config[name]].map((value) =>
      JSON.stringify(value),
    );
    if (before !== now && name !== "saveSteps" && name !== "checkpointing") {
      throw new Error(
        `expected ${name} ${before}, as in the checkpoint, got ${now} (give the same setting, or train without --resume)`,
      );
    }
  }
}

function short(hash: string): string {
  return hash === "" ? "none" : hash.slice(0, 12);
}

type Run = RunIdentity & {
  readonly version: unknown;
  readonly stepsDone: number;
  readonly tokensSeen: number;
  readonly pages: number;
  readonly kernels?: KernelChoice | null;
};

function parseRun(text: string | undefined): Run {
  try {
    const run = JSON.parse(text ?? "") as Run;
    if (Number.isInteger(run.stepsDone) && Number.isInteger(run.tokensSeen) && Number.isInteger(run.pages)) {
      return run;
    }
  } catch {
    // Said below.
  }
  throw new SafetensorsError("expected a checkpoint's run record in the file, got none (another safetensors file?)");
}
