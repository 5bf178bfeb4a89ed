/** Buffers that objectives write anew for each pass: they grow to what the largest one needs, and are kept. */
import { BufferPool } from "../gpu/buffers.ts";
import type { CommandQueue } from "../gpu/queue.ts";

/** Lists laid end to end: list i is members[starts[i]] … members[starts[i + 1] − 1]. */
export interface Lists {
  readonly starts: GPUBuffer;
  readonly members: GPUBuffer;
}

export class PassBuffers {
  readonly #queue: CommandQueue;
  readonly #what: string;
  readonly #pool: BufferPool;
  readonly #buffers = new Map<string, GPUBuffer>();

  /** @param what the buffers are of, for their labels */
  constructor(queue: CommandQueue, what: string) {
    this.#queue = queue;
    this.#what = what;
    this.#pool = new BufferPool(queue.gpu);
  }

  get bytes(): number {
    return this.#pool.bytes;
  }

  /** A buffer that holds at least `count` numbers; what was in it may be gone. */
  buffer(label: string, count: number): GPUBuffer {
    const present = this.#buffers.get(label);
    if (present !== undefined && present.size >= count * 4) {
      return present;
    }
    if (present !== undefined) {
      this.#queue.release(this.#pool, [present]);
    }
    const made = this.#pool.storage(`${this.#what} ${label}`, Math.max(64, 2 * count) * 4);
    this.#buffers.set(label, made);
    return made;
  }

  floats(label: string, values: readonly number[]): GPUBuffer {
    return this.#write(label, Float32Array.from(values));
  }

  indices(label: string, values: readonly number[]): GPUBuffer {
    return this.#write(label, Uint32Array.from(values));
  }

  lists(label: string, lists: readonly (readonly number[])[]): Lists {
    return {
      starts: this.indices(`${label} starts`, startsOf(lists, 0)),
      members: this.indices(`${label} members`, lists.flat()),
    };
  }

  destroy(): void {
    this.#queue.release(this.#pool);
  }

  #write(label: string, values: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>): GPUBuffer {
    const buffer = this.buffer(label, values.length);
    this.#queue.write(buffer, 0, values);
    return buffer;
  }
}

/** Where each list begins, and where the last ends, laid end to end from `first`. */
export function startsOf(lists: readonly (readonly unknown[])[], first: number): number[] {
  const starts = [first];
  lists.forEach(({ length }) => starts.push((starts.at(-1) ?? 0) + length));
  return starts;
}

/** Lists the other way round: of each member the indices (from `first`) of the lists it is in. */
export function inverseLists(lists: readonly (readonly number[])[], first: number): Map<number, number[]> {
  const inverse = new Map<number, number[]>();
  lists.forEach((members, i) => {
    for (const member of members) {
      const present = inverse.get(member);
      if (present === undefined) inverse.set(member, [first + i]);
      else present.push(first + i);
    }
  });
  return inverse;
}
