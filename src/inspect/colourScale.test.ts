/** Many colours at a time are those of the values one by one. */
import { expect, test } from "vitest";
import { TestRandom } from "../kernels/testRandom.ts";
import { differenceScale, paint, valueScale } from "./colourScale.ts";

test.each([valueScale("linear", 0.37), valueScale("log", 0.37), differenceScale(0.37), valueScale("linear", 0)])(
  "$kind",
  (scale) => {
    const random = new TestRandom(3);
    const spread = Array.from({ length: 20_000 }, () => 10 ** random.uniform(-7, 0) * (random.uniform(0, 1) - 0.5));
    const ends = [0, -0, 1, -1, 0.37, -0.37, scale.low, scale.high, 1e-30, -1e-30];
    const values = Float32Array.from([...ends, ...spread]);
    const rgba = paint(scale, values);
    const apart = [...values].flatMap((value, i) => {
      const at = 3 * scale.level(value);
      const own = [...scale.table.subarray(at, at + 3), 255];
      return own.every((channel, c) => channel === rgba[4 * i + c]) ? [] : [value];
    });
    // Halves may be rounded either way.
    expect(apart.length).toBeLessThan(3);
  },
);
