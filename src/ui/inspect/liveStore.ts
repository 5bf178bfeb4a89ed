// The sentence whose map is taken while trainings run, and its maps so far; the worker keeps them.

import { proxy } from "comlink";
import { create } from "zustand";
import type { AttentionAnswer, LiveProgress } from "../../worker/protocol.ts";
import { ask, studio } from "../stores/engineStore.ts";
import { messageOf } from "../stores/projectStore.ts";
import { useView } from "../stores/viewStore.ts";
import { dropImages, useInspect } from "./inspectStore.ts";
import type { AttentionQuestion } from "./requests.ts";

export interface Followed {
  key: string;
  /** For people. */
  name: string;
  question: AttentionQuestion;
}

interface LiveState {
  /** What is followed; null: nothing. */
  followed: Followed | null;
  /** Steps from one map to the next. */
  every: number;
  /** Of the maps that are there; a followed sentence's, or the last one's. */
  moments: readonly { run: string; step: number }[];
  keptEvery: number;
  /** What the newest map took. */
  seconds: number;
  failed: string | null;
  /** Which map is shown; null: the newest. */
  at: number | null;
  shown: AttentionAnswer | null;
  playing: boolean;
}

const EVERY_KEY = "obp.liveEvery";
const EVERY = 5;
/** Least and most steps between two maps. */
export const EVERY_RANGE = [1, 1000] as const;

export const useLive = create<LiveState>()(() => ({
  followed: null,
  every: savedEvery(),
  moments: [],
  keptEvery: 1,
  seconds: 0,
  failed: null,
  at: null,
  shown: null,
  playing: false,
}));

useLive.subscribe(({ shown }, before) => {
  if (shown !== before.shown) dropImages(before.shown?.paint);
});

function savedEvery(): number {
  const saved = Number(localStorage.getItem(EVERY_KEY));
  return Number.isInteger(saved) && saved >= EVERY_RANGE[0] && saved <= EVERY_RANGE[1] ? saved : EVERY;
}

/** From the next step on. Maps of another sentence are forgotten. */
export async function follow(followed: Followed): Promise<void> {
  const before = useLive.getState();
  const same = before.followed?.key === followed.key;
  const nothing = { moments: [], keptEvery: 1, at: null, shown: null, playing: false };
  useLive.setState({ followed, failed: null, ...(same ? {} : nothing) });
  const { document, type, layer, head } = followed.question.request;
  const request = { document, type, layer, head, every: before.every };
  await ask((client) =>
    client.follow(
      request,
      proxy((progress: LiveProgress) => receive(followed, progress)),
    ),
  );
}

/** The maps taken so far stay. */
export async function unfollow(): Promise<void> {
  useLive.setState({ followed: null });
  await ask((client) =>
    client.follow(
      null,
      proxy(() => undefined),
    ),
  );
}

export async function setEvery(every: number): Promise<void> {
  useLive.setState({ every });
  localStorage.setItem(EVERY_KEY, `${every}`);
  const { followed } = useLive.getState();
  if (followed !== null) await follow(followed);
}

/** @param at index of a map; null: the newest, now and later */
export function showMoment(at: number | null): void {
  useLive.setState({ at });
  void drawMoment();
}

function receive(followed: Followed, progress: LiveProgress): void {
  if (useLive.getState().followed?.key !== followed.key) return;
  if (progress.kind === "failed") {
    useLive.setState({ failed: progress.message, followed: null });
    return;
  }
  const { moments, keptEvery, seconds } = progress;
  const { moments: before, at } = useLive.getState();
  // Where maps were thinned out, the one on screen has another index, or is the one before.
  const shown = at === null ? undefined : before[at];
  const place =
    shown === undefined ? null : moments.findLastIndex(({ run, step }) => run === shown.run && step <= shown.step);
  useLive.setState({ moments, keptEvery, seconds, at: place === null || place < 0 ? null : place });
  void drawMoment();
}

let drawing = false;
let asked = 0;

/** Paints the map that is to be shown; what is asked meanwhile is drawn as one. */
export async function drawMoment(): Promise<void> {
  const mine = ++asked;
  const { moments, at } = useLive.getState();
  if (drawing || moments.length === 0) return;
  drawing = true;
  try {
    const index = Math.min(at ?? moments.length - 1, moments.length - 1);
    const shown = await studio().liveMap(index, useInspect.getState().drawn);
    if (useLive.getState().moments.length > 0) useLive.setState({ shown });
  } catch (error) {
    useView.getState().notify("error", messageOf(error));
  } finally {
    drawing = false;
  }
  if (mine !== asked) await drawMoment();
}
