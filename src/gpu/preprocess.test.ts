import { describe, expect, test } from "vitest";
import { preprocess } from "./preprocess.ts";

const FILE = "shaders/x.wgsl";

function code(source: string, fragments: Record<string, string> = {}, features: readonly string[] = []): string[] {
  return preprocess(FILE, source, fragments, new Set(features)).code.split("\n");
}

describe("imports", () => {
  const fragments = {
    "shared/a": "#import shared/b\nfn a() {}",
    "shared/b": "fn b() {}",
    "shared/c": "#import shared/b\nfn c() {}",
  };

  test("put each fragment in once, its own imports first", () => {
    const source = "#import shared/a\n#import shared/c\n  # import shared/a \nfn main() {}";
    expect(code(source, fragments)).toEqual(["fn b() {}", "fn a() {}", "fn c() {}", "fn main() {}"]);
  });

  test("end where fragments import each other", () => {
    const cycle = { "shared/a": "#import shared/b\nfn a() {}", "shared/b": "#import shared/a\nfn b() {}" };
    expect(code("#import shared/a", cycle)).toEqual(["fn b() {}", "fn a() {}"]);
  });

  test("of an unknown fragment are an error with file and line, in fragments too", () => {
    expect(() => code("\n#import shared/z", fragments)).toThrow(
      'shaders/x.wgsl:2: expected a known fragment, got "shared/z" (known: shared/a, shared/b, shared/c)',
    );
    expect(() => code("#import shared/a", { "shared/a": "fn a() {}\n#import shared/z" })).toThrow(
      'shaders/shared/a.wgsl:2: expected a known fragment, got "shared/z"',
    );
  });
});

describe("conditions", () => {
  const nested = [
    "#ifdef f16",
    "both1",
    "#ifdef subgroups",
    "both",
    "#else",
    "f16",
    "#endif",
    "#else",
    "none",
    "#endif",
  ];

  test.each([
    { features: ["f16", "subgroups"], lines: ["both1", "both"] },
    { features: ["f16"], lines: ["both1", "f16"] },
    { features: ["subgroups"], lines: ["none"] },
    { features: [], lines: ["none"] },
  ])("nest, with features $features", ({ features, lines }) => {
    expect(code(nested.join("\n"), {}, features)).toEqual(lines);
  });

  test("keep imports of the branch not taken out, also for a later import", () => {
    const source = "#ifdef f16\n#import shared/a\n#endif\nmain\n#import shared/a";
    expect(code(source, { "shared/a": "a" })).toEqual(["main", "a"]);
  });

  test("must be balanced within a file, and name a feature once", () => {
    expect(() => code("#ifdef f16\nx")).toThrow("shaders/x.wgsl: #ifdef without #endif");
    expect(() => code("x\n#endif")).toThrow("shaders/x.wgsl:2: #endif without #ifdef");
    expect(() => code("#else")).toThrow("shaders/x.wgsl:1: #else without #ifdef");
    expect(() => code("#ifdef f16\n#import shared/a\n#endif", { "shared/a": "#endif" }, ["f16"])).toThrow(
      "shaders/shared/a.wgsl:1: #endif without #ifdef",
    );
    expect(() => code("#ifdef f16\na\n#else\nb\n#else\nc\n#endif")).toThrow("shaders/x.wgsl:5: #else after #else");
  });
});

test.each(["#define X 1", "#if X", "#include <x>", "#ifndef f16", "#pragma once"])(
  "%s is an unknown directive",
  (line) => {
    const word = /#\w+/.exec(line)?.[0] ?? "";
    expect(() => code(`fn f() {}\n${line}`)).toThrow(
      `shaders/x.wgsl:2: expected #import, #ifdef, #else or #endif, got ${word}`,
    );
  },
);

test("every line of code is traced to the line it was written on", () => {
  const source = "one\n#import shared/a\n#ifdef f16\nleft out\n#endif\ntwo";
  const { code: text, origins } = preprocess(FILE, source, { "shared/a": "fragment one\nfragment two" });
  expect(text.split("\n").map((line, i) => `${origins[i]?.file}:${origins[i]?.line} ${line}`)).toEqual([
    "shaders/x.wgsl:1 one",
    "shaders/shared/a.wgsl:1 fragment one",
    "shaders/shared/a.wgsl:2 fragment two",
    "shaders/x.wgsl:6 two",
  ]);
});
