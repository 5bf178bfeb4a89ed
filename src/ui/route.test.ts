import { expect, test } from "vitest";
import { FIRST_VIEW } from "./inspect/inspectView.ts";
import { formatRoute, parseRoute } from "./route.ts";

test("the address holds workspace and document, and in Inspect view, layer, head, type and span", () => {
  const inspect = {
    view: "space",
    layer: 4,
    head: 2,
    type: "a & b",
    span: { start: 3, end: 12 },
    states: null,
  } as const;
  const hash = formatRoute({ panel: "inspect", documentId: "a?b/ü", inspect });
  expect(hash).toBe("#/inspect/a%3Fb%2F%C3%BC?view=space&layer=4&head=2&type=a+%26+b&span=3-12");
  expect(parseRoute(hash)).toEqual({ panel: "inspect", documentId: "a?b/ü", inspect });
  expect(formatRoute({ panel: "label", documentId: "a", inspect })).toBe("#/label/a");
  expect(formatRoute({ panel: "inspect", documentId: null, inspect: FIRST_VIEW })).toBe("#/inspect");
});

test("the address holds the states of the model that are compared", () => {
  const states = [null, "11-22", "11-22-last"];
  const hash = formatRoute({ panel: "inspect", documentId: null, inspect: { ...FIRST_VIEW, states } });
  expect(hash).toBe("#/inspect?states=base.11-22.11-22-last");
  expect(parseRoute(hash).inspect.states).toEqual(states);
  // Each once, three at most.
  expect(parseRoute("#/inspect?states=a.a.base.b.c").inspect.states).toEqual(["a", null, "b"]);
  expect(parseRoute("#/inspect?states=..").inspect.states).toBeNull();
});

test("an address typed by hand that makes no sense opens the first view", () => {
  expect(parseRoute("#/inspect/100%?view=x&layer=-1&head=most")).toEqual({
    ...{ panel: "inspect", documentId: "100%", inspect: FIRST_VIEW },
  });
  expect(parseRoute("#/inspect?layer=3").inspect.layer).toBe(3);
  for (const span of ["5-5", "7-2", "3", "-1-4", "a-b"])
    expect(parseRoute(`#/inspect/a?span=${span}`).inspect.span).toBeNull();
  expect(parseRoute("#/inspect?head=all").inspect.head).toBe("all");
});
