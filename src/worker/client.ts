// The page's side of the worker: one typed wrapper. The page imports nothing else of the engine.

import { proxy, wrap, type Remote } from "comlink";
import type { StudioEvent } from "./protocol.ts";
import type { Studio } from "./studio.ts";

export type StudioClient = Remote<Studio>;

/**
 * Starts the worker.
 * @param onEvent gets every event in the order in which the worker sent it
 * @param onCrash gets a message where the worker itself fails to start or dies
 */
export function connectStudio(onEvent: (event: StudioEvent) => void, onCrash: (message: string) => void): StudioClient {
  const worker = new Worker(new URL("./studio.worker.ts", import.meta.url), { type: "module", name: "studio" });
  worker.addEventListener("error", (event) => {
    onCrash(event.message === "" ? "the engine's worker could not be loaded (reload the page)" : event.message);
  });
  const studio = wrap<Studio>(worker);
  void studio.subscribe(proxy(onEvent));
  return studio;
}
