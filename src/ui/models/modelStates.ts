// States of the open model that can be looked at, predicted with and compared: as it came, and with each adapter.

import { lastState } from "../../storage/adapterStore.ts";
import type { AdapterRecord } from "../../storage/database.ts";
import type { ModelState, NamedState } from "../../worker/protocol.ts";
import { plural } from "../format.ts";
import { fittingAdapters } from "./adapterFit.ts";
import { adapterTitle } from "./adapterTitle.ts";

/** The model as it came, under the name that figures and the command give it. */
const BASE = "base";

export interface ModelStateChoice extends NamedState {
  /** When it was made and how long it learned, for who chooses; empty of the model as it came. */
  detail: string;
}

/** Of a run whose best weights are in use the last ones are a state too. No two have one name. */
export function modelStates(adapters: readonly AdapterRecord[], model: ModelState): ModelStateChoice[] {
  const states = fittingAdapters(adapters, model).flatMap((one): ModelStateChoice[] => {
    const made = { adapter: one.id, name: adapterTitle(one), detail: detailOf(one) };
    if (one.last === undefined) return [made];
    return [made, { ...made, adapter: lastState(one.id), name: `${made.name}, last step` }];
  });
  const taken = new Set([BASE]);
  return [
    { adapter: null, name: BASE, detail: "" },
    ...states.map((state) => {
      let name = state.name;
      for (let count = 2; taken.has(name); count++) name = `${state.name} (${count})`;
      taken.add(name);
      return { ...state, name };
    }),
  ];
}

function detailOf({ createdAt, training }: AdapterRecord): string {
  const made = new Date(createdAt).toLocaleString(undefined, {
    ...{ month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" },
  });
  const epochs = training?.config?.["epochs"];
  return typeof epochs === "number" ? `${made}, ${plural(epochs, "epoch")}` : made;
}

/** As a list names it. */
export function stateLabel({ detail }: Pick<ModelStateChoice, "detail">, name: string): string {
  return detail === "" ? name : `${name} · ${detail}`;
}

/**
 * States beside each other with another one in a place; what stood there goes where that one was, if it was among them.
 */
export function withState(
  states: readonly (string | null)[],
  place: number,
  state: string | null,
): readonly (string | null)[] {
  const before = states.indexOf(state);
  if (place >= states.length) return before < 0 ? [...states, state] : states;
  const moved = before < 0 ? states : states.with(before, states[place] ?? null);
  return moved.with(place, state);
}
