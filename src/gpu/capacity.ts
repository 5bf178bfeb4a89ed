/**
 * Whether a need for memory is met. WebGPU tells neither the size of a GPU's memory nor what of it is free: what the user
 * says counts most, then what is known otherwise.
 */

/** Memory that the engine may take on a device. */
export interface GpuCapacity {
  readonly bytes: number;
  /**
   * "setting": the user says so; "machine": a software adapter's is the machine's main memory, and on other adapters a
   * browser may tell of that one only; "largest buffer": a device that may have one buffer of this size has at least
   * as much, and nothing more is known.
   */
  readonly source: "setting" | "machine" | "largest buffer";
}

export interface Verdict {
  readonly verdict: "yes" | "tight" | "no";
  readonly reason: string;
}

/** Of a limit that the user set, all but this share is free for the engine: drivers and the desktop take some. */
const SETTING_ROOM = 0.9;
/** Of a machine's memory other programs have their part. */
const MACHINE_ROOM = 0.5;

export function judge(bytes: number, { bytes: most, source }: GpuCapacity): Verdict {
  if (source === "largest buffer") {
    return bytes <= most
      ? { verdict: "yes", reason: `even a single buffer may be ${gigabytes(most)} here` }
      : {
          verdict: "tight",
          reason: `nothing tells this GPU's memory; a buffer may be ${gigabytes(most)} (set the GPU's memory to know)`,
        };
  }
  const known = source === "setting" ? `the limit set is ${gigabytes(most)}` : `the machine has ${gigabytes(most)}`;
  if (bytes > most) {
    return { verdict: "no", reason: `too much: ${known}` };
  }
  const tight = bytes > most * (source === "setting" ? SETTING_ROOM : MACHINE_ROOM);
  return tight
    ? { verdict: "tight", reason: source === "setting" ? `nearly all: ${known}` : `over half: ${known}` }
    : { verdict: "yes", reason: known };
}

/** "0.14 GB", "5.2 GB". */
export function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(bytes < 1e9 ? 2 : 1)} GB`;
}
