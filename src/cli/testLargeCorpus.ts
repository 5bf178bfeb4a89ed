/** For tests of what may be larger than memory: a corpus of some size, and how much memory is in use meanwhile. */
import { appendFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Appends labelled sentences, each with an id, to a file. @param megabytes of 1e6 bytes */
export function writeLargeCorpus(path: string, megabytes: number): void {
  const rain = ", and it rained and rained".repeat(8);
  for (let part = 0; part < megabytes; part++) {
    let lines = "";
    for (let i = 0; lines.length < 1e6; i++) {
      const id = part * 1e5 + i + 1000;
      const text = `Ann ${id} met the crew of the Lark at the pier of Vigo${rain}.`;
      lines += `${JSON.stringify({ id, text, entities: [{ start: 0, end: 3, type: "person" }] })}\n`;
    }
    appendFileSync(path, lines);
  }
}

/** Live memory, that is after a collection, of this process. */
export class LiveMemory {
  readonly #collect: () => void;
  readonly #before: number;
  #most = 0;
  #next = 0;

  constructor() {
    setFlagsFromString("--expose-gc");
    this.#collect = runInNewContext("gc") as () => void;
    this.#before = this.#inUse();
  }

  /** Measures where another 10 MB are done. @param done bytes so far */
  watch(done: number): void {
    if (done < this.#next) return;
    this.#next = done + 1e7;
    this.#most = Math.max(this.#most, this.#inUse());
  }

  /** The most that was in use until now beyond what was at the beginning, MiB. */
  growth(): number {
    return Math.max(this.#most, this.#inUse()) - this.#before;
  }

  #inUse(): number {
    this.#collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return (heapUsed + arrayBuffers) / 2 ** 20;
  }
}
