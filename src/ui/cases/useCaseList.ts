import { useMemo } from "react";
import { caseOf, type Case } from "../../ner/cases.ts";
import { adapterOf } from "../../storage/adapterStore.ts";
import type { PredictionRecord } from "../../storage/database.ts";
import type { Project } from "../../storage/project.ts";
import { useModelChoices, type ModelChoice } from "../evaluate/states.ts";
import { stageTitle } from "../models/adapterTitle.ts";
import { useEngine } from "../stores/engineStore.ts";
import { useProject } from "../stores/projectStore.ts";
import { useView } from "../stores/viewStore.ts";
import { heldoutSet } from "../train/trainStore.ts";

export interface CaseList {
  choices: readonly ModelChoice[];
  before: ModelChoice | undefined;
  after: ModelChoice | undefined;
  /** Which stage of training made what is called after: "DPO". */
  afterStage: string;
  /** Types that both were asked for. */
  types: readonly string[];
  /** Held-out sentences, and those that both predicted as they are now. */
  heldout: number;
  cases: readonly Case[];
}

/** Held-out sentences with what two states of the model predict; empty until both have. */
export function useCaseList(): CaseList {
  const project = useProject((state) => state.project);
  const choices = useModelChoices();
  const adapters = useEngine((state) => state.adapters);
  const active = useEngine((state) => state.activeAdapter);
  const chosen = useView(({ inspect }) => inspect.states);
  const there = (chosen ?? []).flatMap((state) => choices.filter(({ adapter }) => adapter === state));
  const pick = (id: string | null): ModelChoice | undefined => choices.find(({ adapter }) => adapter === id);
  // One alone is what is looked at; unless any is, the adapter in use: against what it was trained from.
  const alone = there.length === 1 && there.at(0)?.adapter !== null;
  const after =
    there.at(alone ? 0 : 1) ?? (active === null ? undefined : pick(active)) ?? choices.at(1) ?? choices.at(0);
  const training = adapters.find(({ id }) => id === adapterOf(after?.adapter ?? ""))?.training ?? null;
  const before = (alone ? undefined : there.at(0)) ?? pick(training?.parent ?? null) ?? choices.at(0);
  const { heldout, types, cases } = usePaired(project, before?.record ?? null, after?.record ?? null);
  const afterStage = after?.adapter == null ? "the base model" : training === null ? after.title : stageTitle(training);
  return { choices, before, after, afterStage, types, heldout, cases };
}

function usePaired(
  project: Project | null,
  before: PredictionRecord | null,
  after: PredictionRecord | null,
): Pick<CaseList, "heldout" | "types" | "cases"> {
  return useMemo(() => {
    const heldout = project === null ? [] : heldoutSet(project, null);
    if (before === null || after === null) return { heldout: heldout.length, types: [], cases: [] };
    const asked = new Set(before.types.map(({ name }) => name));
    const types = after.types.flatMap(({ name }) => (asked.has(name) ? [name] : []));
    const said = new Map(before.predictions.map((document) => [document.id, document]));
    const saidAfter = new Map(after.predictions.map((document) => [document.id, document]));
    const cases = heldout.flatMap((gold): Case[] => {
      const [one, two] = [said.get(gold.id), saidAfter.get(gold.id)];
      return one?.text === gold.text && two?.text === gold.text ? [caseOf(gold, one, two, types)] : [];
    });
    return { heldout: heldout.length, types, cases };
  }, [project, before, after]);
}
