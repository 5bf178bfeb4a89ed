// What of the Inspect workspace stands in the URL: ?view=space&layer=4&head=2 behind the document.

export const INSPECT_VIEWS = ["attention", "heads", "live", "space", "cases", "prompt"] as const;

export const VIEW_TITLES: Readonly<Record<InspectView["view"], string>> = {
  attention: "Attention",
  heads: "Layers × heads",
  live: "While training",
  space: "Space",
  cases: "Cases",
  prompt: "Prompt",
};

/** Of the document in hand, UTF-16 offsets. */
export interface SpanInHand {
  start: number;
  end: number;
}

export interface InspectView {
  view: (typeof INSPECT_VIEWS)[number];
  /** From 0; null: that of the contrastive loss. */
  layer: number | null;
  /** `all`: each of the layer's by itself. */
  head: number | "mean" | "all";
  /** Name of the type looked at; null: the first. */
  type: string | null;
  /** The entity in hand, of that type. */
  span: SpanInHand | null;
  /** States of the model beside each other (null: as it came); null as a whole: base, and the adapter that is on. */
  states: readonly (string | null)[] | null;
}

/** States beside each other that every panel has room for. */
export const MOST_STATES = 3;

export const FIRST_VIEW: InspectView = {
  view: "attention",
  layer: null,
  head: "mean",
  type: null,
  span: null,
  states: null,
};

export function parseInspect(query: string): InspectView {
  const asked = new URLSearchParams(query);
  return {
    view: INSPECT_VIEWS.find((view) => view === asked.get("view")) ?? FIRST_VIEW.view,
    layer: wholeNumber(asked.get("layer")),
    head: asked.get("head") === "all" ? "all" : (wholeNumber(asked.get("head")) ?? "mean"),
    type: asked.get("type"),
    span: parseSpan(asked.get("span")),
    states: parseStates(asked.get("states")),
  };
}

/** What differs from the first view, with its question mark. */
export function formatInspect({ view, layer, head, type, span, states }: InspectView): string {
  const said = new URLSearchParams();
  if (view !== FIRST_VIEW.view) said.set("view", view);
  if (layer !== null) said.set("layer", `${layer}`);
  if (head !== "mean") said.set("head", `${head}`);
  if (type !== null) said.set("type", type);
  if (span !== null) said.set("span", `${span.start}-${span.end}`);
  if (states !== null) said.set("states", states.map((state) => state ?? BASE).join(SEPARATOR));
  return said.size === 0 ? "" : `?${said.toString()}`;
}

/** Neither is part of an adapter's id, nor written otherwise in an address. */
const BASE = "base";
const SEPARATOR = ".";

function parseStates(text: string | null): InspectView["states"] {
  const states = new Set((text ?? "").split(SEPARATOR).filter((state) => state !== ""));
  return states.size === 0 ? null : [...states].slice(0, MOST_STATES).map((state) => (state === BASE ? null : state));
}

function parseSpan(text: string | null): SpanInHand | null {
  const [, start, end] = /^(\d{1,9})-(\d{1,9})$/.exec(text ?? "") ?? [];
  return Number(start) < Number(end) ? { start: Number(start), end: Number(end) } : null;
}

function wholeNumber(text: string | null): number | null {
  return text !== null && /^\d{1,4}$/.test(text) ? Number(text) : null;
}
