// The keys of the Label workspace.

import type { Command } from "../command.ts";
import { useProject } from "../stores/projectStore.ts";
import { applyType, doneAndNext, moveCursor, nudge, pickMark, removeInHand, stepDocument } from "./labelActions.ts";
import { cursorToLine } from "./lines.ts";
import { acceptEvery, acceptInHand, suggestForOpen, suggestHere } from "./suggestionActions.ts";

export function labelCommands(): Command[] {
  const types = useProject.getState().project?.types.slice(0, 9) ?? [];
  const group = "Label";
  return [
    ...types.flatMap(({ name }, index): Command[] => [
      { id: `type.${index}`, group, title: `Label ${name}`, keys: [`${index + 1}`], run: () => applyType(index) },
      {
        id: `stack.${index}`,
        group,
        title: `Add ${name} on top`,
        keys: [`Shift+${index + 1}`],
        run: () => applyType(index, true),
      },
    ]),
    { id: "left", group, title: "Previous word", keys: ["ArrowLeft"], run: () => moveCursor(-1, false) },
    { id: "right", group, title: "Next word", keys: ["ArrowRight"], run: () => moveCursor(1, false) },
    { id: "up", group, title: "Line up", keys: ["ArrowUp"], run: () => cursorToLine(-1, false) },
    { id: "down", group, title: "Line down", keys: ["ArrowDown"], run: () => cursorToLine(1, false) },
    {
      id: "extendLeft",
      group,
      title: "Extend to the left",
      keys: ["Shift+ArrowLeft"],
      run: () => moveCursor(-1, true),
    },
    {
      id: "extendRight",
      group,
      title: "Extend to the right",
      keys: ["Shift+ArrowRight"],
      run: () => moveCursor(1, true),
    },
    { id: "extendUp", group, title: "Extend a line up", keys: ["Shift+ArrowUp"], run: () => cursorToLine(-1, true) },
    {
      id: "extendDown",
      group,
      title: "Extend a line down",
      keys: ["Shift+ArrowDown"],
      run: () => cursorToLine(1, true),
    },
    { id: "nextEntity", group, title: "Next entity or suggestion", keys: ["e"], run: () => pickMark(1) },
    { id: "previousEntity", group, title: "Previous entity or suggestion", keys: ["Shift+e"], run: () => pickMark(-1) },
    { id: "startLeft", group, title: "Left edge to the left", keys: ["["], run: () => nudge("start", -1) },
    { id: "startRight", group, title: "Left edge to the right", keys: ["]"], run: () => nudge("start", 1) },
    { id: "endLeft", group, title: "Right edge to the left", keys: ["{"], run: () => nudge("end", -1) },
    { id: "endRight", group, title: "Right edge to the right", keys: ["}"], run: () => nudge("end", 1) },
    { id: "accept", group, title: "Accept the suggestion", keys: ["Enter"], run: acceptInHand },
    {
      id: "remove",
      group,
      title: "Remove the entity, reject the suggestion",
      keys: ["x", "Backspace", "Delete"],
      run: removeInHand,
    },
    { id: "acceptAll", group, title: "Accept all suggestions", keys: ["a"], run: acceptEvery },
    { id: "suggest", group, title: "Suggest entities here", keys: ["s"], run: suggestHere },
    {
      id: "suggestForOpen",
      group,
      title: "Suggest for all open documents",
      keys: ["Shift+s"],
      run: suggestForOpen,
    },
    { id: "done", group, title: "Done, next document", keys: ["Space"], run: doneAndNext },
    { id: "next", group, title: "Next document", keys: ["j"], run: () => void stepDocument(1) },
    { id: "previous", group, title: "Previous document", keys: ["k"], run: () => void stepDocument(-1) },
  ];
}
