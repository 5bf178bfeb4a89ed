import { describe, expect, test } from "vitest";
import type { AttentionView } from "../../worker/protocol.ts";
import { drawHeatmap, type HeatmapScene, heatmapShape, LEFT, MOST_ZOOM, tokenLabel, TOP } from "./drawHeatmap.ts";

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
  expect(tokenLabel("\u00a0\u200b")).toBe("U+00A0U+200B");
  expect(tokenLabel("👩‍🚀")).toBe("👩‍🚀");
  expect(tokenLabel("😀😀😀", 2)).toBe("😀…"); // whole characters
});

/** Keeps what is drawn, with the styles that it is drawn in; clips and transforms are not followed. */
class Recorder {
  readonly drawn: { what: string; at: readonly number[]; text: string; style: string }[] = [];
  fillStyle = "";
  strokeStyle = "";
  lineWidth = 1;
  globalAlpha = 1;
  imageSmoothingEnabled = true;
  font = "";
  textAlign = "";
  #corners: number[] = [];
  #moved: readonly [number, number] = [0, 0];
  readonly #kept: (readonly [number, number])[] = [];
  save(): void {
    this.#kept.push(this.#moved);
  }
  restore(): void {
    this.#moved = this.#kept.pop() ?? [0, 0];
  }
  translate(x: number, y: number): void {
    this.#moved = [x, y];
  }
  rotate(): void {}
  rect(): void {}
  clip(): void {}
  beginPath(): void {
    this.#corners = [];
  }
  lineTo(x: number, y: number): void {
    this.#corners.push(x, y);
  }
  closePath(): void {}
  fill(): void {
    this.drawn.push({ what: "polygon", at: this.#corners, text: "", style: this.fillStyle });
  }
  fillRect(...at: number[]): void {
    this.drawn.push({ what: "rect", at, text: "", style: this.fillStyle });
  }
  strokeRect(...at: number[]): void {
    this.drawn.push({ what: "frame", at, text: `${this.lineWidth}`, style: this.strokeStyle });
  }
  drawImage(_image: unknown, ...at: number[]): void {
    this.drawn.push({ what: "image", at, text: `${this.imageSmoothingEnabled}`, style: "" });
  }
  fillText(text: string, x: number, y: number): void {
    this.drawn.push({ what: "text", at: [this.#moved[0] + x, this.#moved[1] + y], text, style: this.fillStyle });
  }
}

describe("what is drawn", () => {
  const plain = (text: string): AttentionView["rows"][number] => ({ text, role: "plain" });
  const view: AttentionView = {
    ...{ model: "M", layer: 0, head: 1, heads: 1, type: "person", maps: [], entities: [], document: "d" },
    rows: Array.from({ length: 40 }, (_, i) => plain(`r${i}`)),
    columns: Array.from({ length: 30 }, (_, i) =>
      i === 3 || i === 4 ? { text: `c${i}`, role: "entity" } : plain(`c${i}`),
    ),
    columnRuns: [{ role: "entity", first: 3, count: 2 }],
  };
  const ink = {
    ...{ background: "#fff", text: "#111", soft: "#555", line: "#ccc", entity: "#0a0", type: "#a0a", hand: "#00f" },
    font: "mono",
  };
  const drawn = (change: Partial<HeatmapScene>, zoom = 1): Recorder["drawn"] => {
    const shape = heatmapShape(40, 30, 800, true, zoom);
    const recorder = new Recorder();
    const scene: HeatmapScene = {
      ...{ view, shape, ink, cell: null, scroll: { x: 0, y: 0 }, size: { width: 800, height: 460 } },
      cells: {} as ImageBitmap,
      ...change,
    };
    drawHeatmap(recorder as unknown as CanvasRenderingContext2D, scene);
    return recorder.drawn;
  };
  const { cellWidth, cellHeight } = heatmapShape(40, 30, 800, true);
  const find = (list: Recorder["drawn"], what: string): Recorder["drawn"] => list.filter((one) => one.what === what);

  const same = (at: readonly number[], other: readonly number[]): boolean =>
    at.length === other.length && at.every((value, i) => Math.abs(value - (other[i] ?? NaN)) < 1e-9);

  test("cells, frames and labels move with the scrolled map", () => {
    const scroll = { x: 50, y: 30 };
    const list = drawn({ scroll });
    expect(find(list, "image")[0]).toMatchObject({
      at: [LEFT - 50, TOP - 30, 30 * cellWidth, 40 * cellHeight],
      text: "false", // cells stay sharp
    });
    const run = [LEFT + 3 * cellWidth - 50, TOP - 30, 2 * cellWidth, 40 * cellHeight];
    expect(find(list, "frame").filter(({ at }) => same(at, run))).toMatchObject([
      { style: "#ffffff", text: "3" },
      { style: "#0b6e4f", text: "1.4" },
    ]);
    const texts = find(list, "text");
    expect(texts.find(({ text }) => text === "r10")?.at).toEqual([LEFT - 6, TOP + 10.5 * cellHeight - 30 + 3.5]);
    expect(texts.find(({ text }) => text === "c9")?.at[0]).toBeCloseTo(LEFT + 9.5 * cellWidth - 50 + 3.5, 9);
    expect(texts.find(({ text }) => text === "c3")?.style).toBe(ink.entity);
  });

  test("only tokens in sight are written", () => {
    const rowsOf = (list: Recorder["drawn"]): string[] =>
      find(list, "text").flatMap(({ text }) => (text.startsWith("r") ? [text] : []));
    expect(rowsOf(drawn({}))).toHaveLength(Math.floor((460 - TOP) / cellHeight) + 1);
    expect(rowsOf(drawn({ scroll: { x: 0, y: 20 * cellHeight } }))[0]).toBe("r18");
    // Columns left of the map's edge are under the rows' tokens.
    const far = find(drawn({ scroll: { x: 10 * cellWidth, y: 0 } }), "text").map(({ text }) => text);
    expect(far).not.toContain("c8");
    expect(far).toContain("c9");
  });

  test("the cell in hand has lines through it, a frame, and its tokens in the accent; a locked one is thicker", () => {
    const list = drawn({ cell: { row: 2, column: 5, locked: true } });
    const at = [LEFT + 5 * cellWidth, TOP + 2 * cellHeight, cellWidth, cellHeight];
    const frames = (of: Recorder["drawn"]): string[] =>
      find(of, "frame").flatMap((one) => (same(one.at, at) ? [one.text] : []));
    expect(frames(list)).toEqual(["5", "2.5"]);
    expect(frames(drawn({ cell: { row: 2, column: 5, locked: false } }))).toEqual(["5", "1.5"]);
    expect(find(list, "rect").filter(({ style }) => style === ink.hand)).toMatchObject([
      { at: [LEFT, at[1], 30 * cellWidth, cellHeight] },
      { at: [at[0], TOP, cellWidth, 460 - 84 - TOP] },
    ]);
    const hand = find(list, "text").flatMap(({ text, style }) => (style === ink.hand ? [text] : []));
    expect(hand).toEqual(["r2", "c5"]);
  });

  test("the entity in hand has frames around its rows and columns, and its tokens in the accent", () => {
    const entity = { start: 0, end: 2, columns: [3, 4], rows: [7, 8] };
    const list = drawn({ entity });
    const ofHand = find(list, "frame").filter(({ style }) => style === ink.hand);
    expect(ofHand.map(({ at }) => at)).toEqual([
      [LEFT, TOP + 7 * cellHeight, 30 * cellWidth, 2 * cellHeight],
      [LEFT + 3 * cellWidth, TOP, 2 * cellWidth, 40 * cellHeight],
    ]);
    const texts = find(list, "text").flatMap(({ text, style }) => (style === ink.hand ? [text] : []));
    expect(texts).toEqual(["r7", "r8", "c3", "c4"]);
    // One that the response does not name has columns alone.
    expect(
      find(drawn({ entity: { ...entity, rows: [] } }), "frame").filter(({ style }) => style === ink.hand),
    ).toHaveLength(1);
  });

  test("zoomed, cells grow up to a limit and the map with them; smaller than a pixel they are smoothed", () => {
    const shape = heatmapShape(40, 30, 800, true, 2);
    expect(shape.cellHeight).toBe(2 * cellHeight);
    expect(heatmapShape(40, 30, 800, true, MOST_ZOOM).cellWidth).toBe(40);
    expect(find(drawn({ shape }), "image")[0]?.at).toEqual([LEFT, TOP, 30 * shape.cellWidth, 40 * shape.cellHeight]);
    const small = heatmapShape(2000, 2000, 500, false);
    expect(find(drawn({ shape: small }), "image")[0]?.text).toBe("true");
    // Without room for tokens none is written.
    expect(find(drawn({ shape: small }), "text")).toEqual([]);
  });
});
