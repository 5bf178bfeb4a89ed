import { expect, test } from "vitest";
import { heatmapShape, LEFT, tokenLabel } from "./drawHeatmap.ts";

test("a map fits its panel, and where tokens are to be read it is as wide as they need", () => {
  const fit = heatmapShape(1024, 1024, 800, false);
  expect(fit.width).toBeLessThanOrEqual(800);
  expect(fit.height).toBeLessThan(500);
  const readable = heatmapShape(1024, 1024, 800, true);
  expect(readable.width).toBe(LEFT + 1024 * 14 + 1);
  expect(heatmapShape(2, 3, 800, false).cellWidth).toBe(24);
});

test("white space that is all of a token is spelled out", () => {
  expect(tokenLabel(" butter")).toBe("butter");
  expect(tokenLabel("\n ")).toBe("⏎·");
  expect(tokenLabel("a-very-long-token", 6)).toBe("a-ver…");
});
