// What is asked of the worker, from what is chosen on screen.

import { proxy } from "comlink";
import { useMemo } from "react";
import type { AttentionRequest, HeadsRequest, NamedState, SpaceProgress, SpaceRequest } from "../../worker/protocol.ts";
import { adapterInUse } from "../models/adapterFit.ts";
import type { ModelStateChoice } from "../models/modelStates.ts";
import { useModelStates } from "../models/useModelStates.ts";
import { useCurrentDocument } from "../label/labelStore.ts";
import { studio, useEngine } from "../stores/engineStore.ts";
import { WHOLE } from "../space/planeView.ts";
import { useSpace } from "../space/spaceStore.ts";
import { messageOf, useProject } from "../stores/projectStore.ts";
import { useView } from "../stores/viewStore.ts";
import { look, useInspect } from "./inspectStore.ts";

export interface Question<T> {
  request: T;
  key: string;
}

export interface AttentionQuestion extends Question<AttentionRequest> {
  /** Of its cosines, which do not depend on the head. */
  cosinesKey: string;
}

/** Those that are chosen and still there; unless any was: base, and the adapter that is on. */
export function useChosenStates(): readonly NamedState[] {
  const choices = useModelStates();
  const chosen = useView(({ inspect }) => inspect.states);
  const inUse = useEngine((state) => adapterInUse(state)?.id ?? null);
  return useMemo(() => {
    const found = present(choices, chosen ?? (inUse === null ? [null] : [null, inUse]));
    return (found.length === 0 ? choices.slice(0, 1) : found).map(({ adapter, name }) => ({ adapter, name }));
  }, [choices, chosen, inUse]);
}

function present(choices: readonly ModelStateChoice[], wanted: readonly (string | null)[]): ModelStateChoice[] {
  return wanted.flatMap((state) => choices.filter(({ adapter }) => adapter === state));
}

/** The layer looked at; null without a model. */
export function useLayer(): number | null {
  const own = useView(({ inspect }) => inspect.layer);
  return useEngine(({ model }) => (model.kind === "open" ? (own ?? model.facts.contrastiveLayer) : null));
}

/** Null while there is no document, type or model. */
export function useHeadsQuestion(): Question<HeadsRequest> | null {
  const document = useCurrentDocument();
  const types = useProject((state) => state.project?.types);
  const typeName = useView(({ inspect }) => inspect.type);
  const states = useChosenStates();
  const model = useEngine((state) => (state.model.kind === "open" ? state.model.facts.fingerprint : null));
  return useMemo(() => {
    const type = types?.find(({ name }) => name === typeName) ?? types?.[0];
    if (document === null || type === undefined || model === null) return null;
    const { id, text, words, entities } = document;
    const gold = { id, text, entities, ...(words === undefined ? {} : { words }) };
    const request = { document: gold, type, states };
    return { request, key: JSON.stringify([model, request]) };
  }, [document, types, typeName, states, model]);
}

/** The same of the layer and head in view. */
export function useAttentionQuestion(): AttentionQuestion | null {
  const whole = useHeadsQuestion();
  const head = useView(({ inspect }) => inspect.head);
  const layer = useLayer();
  return useMemo(() => {
    if (whole === null || layer === null) return null;
    const keyOf = (asked: object): string => JSON.stringify([whole.key, asked]);
    const request = { ...whole.request, layer, head };
    return { request, key: keyOf({ layer, head }), cosinesKey: keyOf({ layer }) };
  }, [whole, layer, head]);
}

export async function askAttention({ request, key }: Question<AttentionRequest>): Promise<void> {
  const { attention, drawn } = useInspect.getState();
  const before = attention.shown?.value;
  const asked = { ...drawn, difference: drawn.difference && request.states.length > 1 };
  const answered = await look("attention", key, async () => {
    const { view, paint } = await studio().attention(request, asked);
    // A cell in hand stays where it is the same tokens that are shown.
    const same = view.rows.length === before?.rows.length && view.columns.length === before.columns.length;
    useInspect.setState(same ? { paint } : { paint, cell: null });
    return view;
  });
  if (answered && useInspect.getState().drawn !== drawn) await repaint();
}

/** Where the answer is to be drawn otherwise. */
export async function repaint(): Promise<void> {
  const { drawn, attention } = useInspect.getState();
  if (attention.shown === null) return;
  const { maps } = attention.shown.value;
  try {
    const asked = { ...drawn, difference: drawn.difference && maps.length > 1 };
    const paint = await studio().paintAttention(asked);
    if (useInspect.getState().drawn === drawn) useInspect.setState({ paint });
  } catch (error) {
    useView.getState().notify("error", messageOf(error));
  }
}

export async function askCosines({ request, cosinesKey }: AttentionQuestion): Promise<void> {
  await look("cosines", cosinesKey, () => studio().cosines(request));
}

export async function askHeads({ request, key }: Question<HeadsRequest>): Promise<void> {
  await look("heads", key, () => studio().heads(request));
}

export async function askSpace({ request, key }: Question<SpaceRequest>): Promise<void> {
  useInspect.setState({ point: null });
  useSpace.setState({ view: WHOLE });
  const names = request.states.map(({ name }) => name);
  const show = (progress: SpaceProgress): void => {
    if (progress.kind === "points") {
      const { points, found, leftOut, perplexity } = progress;
      const start = { iteration: 0, total: 0, positions: [] };
      useInspect.setState({ spaceNow: { points, names, found, leftOut, perplexity, ...start } });
      return;
    }
    const { iteration, total, positions } = progress;
    const { spaceNow } = useInspect.getState();
    if (spaceNow !== null) useInspect.setState({ spaceNow: { ...spaceNow, iteration, total, positions } });
  };
  await look("space", key, async () => {
    const view = await studio().space(request, proxy(show));
    const { spaceNow } = useInspect.getState();
    if (spaceNow !== null) {
      useInspect.setState({ spaceNow: { ...spaceNow, positions: view.maps.map(({ positions }) => positions) } });
    }
    return view;
  });
}

/** The labelled documents of the project; null without project or model. */
export function useSpaceQuestion(): Question<SpaceRequest> | null {
  const project = useProject((state) => state.project);
  const settings = useInspect((state) => state.spaceSettings);
  const layer = useLayer();
  const states = useChosenStates();
  const model = useEngine((state) => (state.model.kind === "open" ? state.model.facts.fingerprint : null));
  return useMemo(() => {
    if (project === null || layer === null) return null;
    const documents = project.documents.filter(({ entities }) => entities.length > 0);
    const { perplexity, ...rest } = settings;
    const typed = perplexity.trim() === "" ? null : Number(perplexity);
    const request = { ...rest, perplexity: typed, documents, types: project.types, states, layer };
    const marks = documents.map(({ id, text, entities }) => [id, text, entities]);
    return { request, key: JSON.stringify([model, marks, project.types, states, layer, settings]) };
  }, [project, settings, layer, states, model]);
}
