/** Pictures as SVG and PNG: structure, pixels, text, and that both are always the same. */
import { createHash } from "node:crypto";
import { unzlibSync } from "fflate";
import { describe, expect, test } from "vitest";
import { scenePng } from "./png.ts";
import { breakLines, frame, type Scene, type SceneShape, textWidth } from "./scene.ts";
import { sceneSvg } from "./sceneSvg.ts";

const scene = (shapes: readonly SceneShape[], width = 8, height = 8): Scene => ({
  width,
  height,
  background: "#ffffff",
  description: 'a <"test"> & more',
  shapes,
});

/** Decodes what scenePng writes (one IDAT, filter 0, RGB). */
function pixels(png: Uint8Array): { width: number; height: number; at: (x: number, y: number) => number[] } {
  const view = new DataView(png.buffer, png.byteOffset);
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  const raw = unzlibSync(png.subarray(41, 41 + view.getUint32(33)));
  const row = width * 3 + 1;
  return { width, height, at: (x, y) => [...raw.subarray(y * row + 1 + x * 3, y * row + 4 + x * 3)] };
}

describe("PNG", () => {
  test("covers pixels by their area", () => {
    const black = { fill: "#000000" };
    const { at, width, height } = pixels(
      scenePng(
        scene([
          { kind: "rect", x: 1, y: 1, width: 2.25, height: 2, ...black },
          { kind: "polygon", points: [4, 4, 8, 8, 4, 8], ...black },
          { kind: "rect", x: 5, y: 0, width: 3, height: 2, fill: "#ff0000", opacity: 0.5 },
        ]),
        1,
      ),
    );
    expect([width, height]).toEqual([8, 8]);
    expect(at(0, 0)).toEqual([255, 255, 255]);
    expect(at(1, 1)).toEqual([0, 0, 0]);
    expect(at(3, 2)).toEqual([191, 191, 191]); // a quarter covered
    expect(at(4, 4)).toEqual([128, 128, 128]); // half, by the slope
    expect(at(4, 7)).toEqual([0, 0, 0]);
    expect(at(5, 4)).toEqual([255, 255, 255]);
    expect(at(6, 1)).toEqual([255, 128, 128]);
  });

  test("a shallow edge across many pixels covers each by its trapezium", () => {
    const { at } = pixels(scenePng(scene([{ kind: "polygon", points: [0, 0, 8, 0, 8, 1], fill: "#000000" }]), 1));
    for (let x = 0; x < 8; x++) {
      expect(at(x, 0)[0]).toBe(Math.round(255 * (1 - (x + 0.5) / 8)));
    }
    expect(at(4, 1)[0]).toBe(255);
  });

  test("what lies outside of the picture is cut off", () => {
    const { at } = pixels(
      scenePng(
        scene([
          { kind: "circle", x: 0, y: 4, radius: 3, fill: "#000000" },
          { kind: "rect", x: 7, y: -5, width: 90, height: 8, fill: "#0000ff" },
          { kind: "polygon", points: [-9, -9, -5, -9, -5, -5], fill: "#ff0000" },
        ]),
        1,
      ),
    );
    expect(at(0, 4)).toEqual([0, 0, 0]);
    expect(at(5, 4)).toEqual([255, 255, 255]);
    expect([at(7, 0), at(7, 2), at(7, 3)]).toEqual([
      [0, 0, 255],
      [0, 0, 255],
      [255, 255, 255],
    ]);
  });

  test("cells and frames", () => {
    const rgb = Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9);
    const cells: SceneShape = { kind: "cells", x: 1, y: 1, width: 4, height: 4, columns: 2, rows: 2, rgb };
    const { at, width } = pixels(scenePng(scene([cells, ...frame(6, 6, 1, 1, "#000000", 1)]), 2));
    expect(width).toBe(16);
    expect([at(2, 2), at(9, 2), at(2, 9), at(9, 9)]).toEqual([
      [255, 0, 0],
      [0, 255, 0],
      [0, 0, 255],
      [9, 9, 9],
    ]);
    expect(at(11, 11)).toEqual([0, 0, 0]);
  });

  test("text has ink where it stands, in every direction, and a box for what the font lacks", () => {
    const ink = (shape: Partial<SceneShape>): [number, number, number, number] => {
      const text = { kind: "text", x: 50, y: 50, size: 20, fill: "#000000", text: "Lima Ωж" } as const;
      const { at } = pixels(scenePng(scene([{ ...text, ...shape } as SceneShape], 200, 100), 1));
      const dark: [number, number][] = [];
      for (let y = 0; y < 100; y++) for (let x = 0; x < 200; x++) if ((at(x, y)[0] ?? 255) < 128) dark.push([x, y]);
      const [xs, ys] = [dark.map(([x]) => x), dark.map(([, y]) => y)];
      return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
    };
    const [left, top, right, bottom] = ink({});
    expect(left).toBeGreaterThanOrEqual(50);
    expect(bottom).toBeLessThanOrEqual(51);
    expect(top).toBeGreaterThan(30);
    expect(Math.abs(right - 50 - textWidth("Lima Ωж", 20))).toBeLessThan(8);
    expect(ink({ anchor: "end" })[2]).toBeLessThanOrEqual(50);
    const [x0, y0, x1, y1] = ink({ rotate: -90, y: 95 });
    expect([x1 - x0, y1 - y0]).toEqual([bottom - top, right - left]);
    expect(y1).toBeLessThanOrEqual(95);
  });

  const drawn = (text: string): string => {
    const shape = { kind: "text", x: 4, y: 30, size: 20, fill: "#000000", text } as const;
    return createHash("sha256")
      .update(scenePng(scene([shape], 160, 40), 1))
      .digest("hex");
  };

  test("what the font lacks, or has no ink, is a box with its code point: no two look alike, none vanishes", () => {
    const texts = [
      "",
      "語",
      "语",
      "😀",
      "😁",
      "👩‍🚀",
      "👩🚀",
      "\u00ad",
      "-",
      "\u200b",
      "\u200d",
      "\u0001",
      "\u0301",
      "ا",
      "語語",
    ];
    expect(new Set(texts.map(drawn)).size).toBe(texts.length);
    expect(drawn("e\u0301")).toBe(drawn("é"));
    expect(drawn("\u00a0x")).toBe(drawn(" x"));
    // U+8A9E: digits in the box, by their ink in each quarter of it; an empty frame has none there.
    const { at } = pixels(
      scenePng(scene([{ kind: "text", x: 0, y: 86, size: 100, fill: "#000000", text: "語" }], 100, 100), 1),
    );
    for (const [x0, y0] of [
      [15, 8],
      [52, 8],
      [15, 54],
      [52, 54],
    ] as const) {
      let dark = 0;
      for (let y = y0; y < y0 + 38; y++) for (let x = x0; x < x0 + 34; x++) dark += (at(x, y)[0] ?? 255) < 128 ? 1 : 0;
      expect(dark).toBeGreaterThan(100);
    }
  });

  test("widths that pictures are laid out by hold every character, whether it is a glyph or a box", () => {
    const samples = [
      "Attention of the response",
      "語彙東京",
      "😀👍🚀",
      "الكتاب",
      "тридцать",
      "한국어",
      "→⏎ﬁ",
      "ế",
      "นี่คือ",
    ];
    for (const text of samples) {
      const shape = { kind: "text", x: 0, y: 30, size: 20, fill: "#000000", text } as const;
      const { at, width } = pixels(scenePng(scene([shape], 400, 40), 1));
      let right = 0;
      for (let y = 0; y < 40; y++)
        for (let x = 0; x < width; x++) if ((at(x, y)[0] ?? 255) < 128) right = Math.max(right, x);
      expect(right, text).toBeLessThan(1.12 * textWidth(text, 20));
      expect(right, text).toBeGreaterThan(0.75 * textWidth(text, 20));
    }
  });

  test("is the same file as ever, and says where it cannot be", () => {
    const shapes: SceneShape[] = [
      { kind: "text", x: 4, y: 30, text: "Same αβ everywhere", size: 14, fill: "#0072b2", strong: true, rotate: 3 },
      { kind: "circle", x: 100, y: 20, radius: 9, fill: "#d55e00", opacity: 0.7 },
      { kind: "line", x1: 3, y1: 3, x2: 120, y2: 50, stroke: "#333333", width: 1.5 },
    ];
    const png = scenePng(scene(shapes, 160, 60), 2);
    expect(createHash("sha256").update(png).digest("hex").slice(0, 16)).toMatchInlineSnapshot(`"f90d564ee4648f66"`);
    expect(() => scenePng(scene([], 90000, 90000), 1)).toThrow("expected a picture of at most 100 million pixels");
    expect(() => scenePng(scene([{ kind: "circle", x: 1, y: 1, radius: 1, fill: "red" }]), 1)).toThrow("#rrggbb");
  });
});

test("SVG holds text as text, escaped, and every shape", () => {
  const svg = sceneSvg(
    scene([
      { kind: "text", x: 1.005, y: 2, text: "a < b & \u0000", size: 10, fill: "#000000", anchor: "end", rotate: -45 },
      { kind: "rect", x: -0.001, y: 0, width: 1, height: 1, fill: "#123456", opacity: 0.25 },
      { kind: "cells", x: 0, y: 0, width: 2, height: 2, columns: 1, rows: 1, rgb: Uint8Array.of(1, 2, 3) },
    ]),
  );
  expect(svg).toContain('<title>a &lt;"test"&gt; &amp; more</title>');
  expect(svg).toContain(
    '<text x="1" y="2" font-size="10" fill="#000000" xml:space="preserve" text-anchor="end" transform="rotate(-45 1 2)">a &lt; b &amp; \ufffd</text>',
  );
  expect(svg).toContain('<rect x="0" y="0" width="1" height="1" fill="#123456" fill-opacity="0.25"/>');
  expect(svg).toMatch(
    /<image x="0" y="0" width="2" height="2" [^>]*href="data:image\/png;base64,iVBORw0KGgo[\w+/]+=*"\/>/,
  );
});

test("lines break between words", () => {
  expect(breakLines("one two three", 10, textWidth("one two", 10))).toEqual(["one two", "three"]);
  expect(breakLines("unbreakable x", 10, 5)).toEqual(["unbreakable", "x"]);
});
