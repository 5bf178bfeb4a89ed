import { Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import { duration, progressLine, quantity, startProgress } from "./progress.ts";

/** A stream that keeps what is written. */
function sink(isTTY: boolean, columns = 80): { stream: NodeJS.WriteStream; readonly text: () => string } {
  let text = "";
  const writable = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  return { stream: Object.assign(writable, { isTTY, columns }) as unknown as NodeJS.WriteStream, text: () => text };
}

describe("progress", () => {
  test("a bar with counts, note, rate and time left, in 80 columns", () => {
    const line = progressLine("training", 25, 100, "steps", 50, "loss 1.2345", true);
    expect(line).toBe("training  [████············]  25 %  25/100 steps  loss 1.2345  0.500 steps/s  2 min 30 s left");
    expect(progressLine("loading", 7, 7, "B", 1, "", false)).toBe("loading  100 %  7/7 B  7 B/s");
    expect(progressLine("loading", 0, 0, "B", 0, "", false)).toBe("loading  100 %  0/0 B");
  });

  test("a terminal's bar is redrawn in its line and ends with its last state; it never wraps", async () => {
    const { stream, text } = sink(true, 30);
    const progress = startProgress("working", 3, "things", stream);
    await new Promise((resolve) => setTimeout(resolve, 120));
    progress.update(1);
    progress.update(3);
    progress.finish();
    const drawings = text().split("\r\u001b[K");
    expect(drawings).toHaveLength(3);
    expect(drawings[2]).toMatch(/\n$/);
    expect(drawings.every((line) => line.trimEnd().length < 30)).toBe(true);
  });

  test("elsewhere quick work says nothing", () => {
    const { stream, text } = sink(false);
    const progress = startProgress("working", 2, "things", stream);
    progress.update(1);
    progress.update(2);
    progress.finish();
    expect(text()).toBe("");
  });

  test("quantities and durations", () => {
    expect([0, 7, 1234, 0.51234, 12345, 98362432, 4.66e9].map(quantity)).toEqual([
      ...["0", "7", "1234", "0.512", "12.3k", "98.4M", "4.66G"],
    ]);
    expect([0, 59.6, 61, 3600, 7620].map(duration)).toEqual([
      "0 s",
      "1 min 00 s",
      "1 min 01 s",
      "1 h 00 min",
      "2 h 07 min",
    ]);
  });
});
