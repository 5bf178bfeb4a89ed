// Runs commands from the keyboard.

import type { Command } from "./command.ts";

/** Chords such as "g l": the second key must come within this time. */
const CHORD_MS = 1200;

const IS_MAC = navigator.platform.startsWith("Mac");

/** "Mod" is Cmd on a Mac and Ctrl elsewhere. Shift is named only with keys that do not change with it. */
export function pressedKey(event: KeyboardEvent): string {
  const mod = IS_MAC ? event.metaKey : event.ctrlKey;
  // Shift turns a digit into another character, by keyboard layout: the physical key says which digit it is.
  const shiftedDigit =
    event.shiftKey && event.key.length === 1 && /^Digit[1-9]$/.test(event.code) && !/[0-9]/.test(event.key);
  const key = shiftedDigit
    ? event.code.slice(5)
    : event.key === " "
      ? "Space"
      : event.key.length === 1
        ? event.key.toLowerCase()
        : event.key;
  const shift = event.shiftKey && (shiftedDigit || key.length > 1 || /^[a-z]$/.test(key));
  return `${mod ? "Mod+" : ""}${event.altKey ? "Alt+" : ""}${shift ? "Shift+" : ""}${key}`;
}

/** How a key is shown on screen. */
export function keyLabel(keys: string): string {
  return keys
    .replace("Mod+", IS_MAC ? "⌘" : "Ctrl ")
    .replace("Shift+", IS_MAC ? "⇧" : "Shift ")
    .replace("Alt+", IS_MAC ? "⌥" : "Alt ")
    .replace("ArrowLeft", "←")
    .replace("ArrowRight", "→")
    .replace("ArrowUp", "↑")
    .replace("ArrowDown", "↓");
}

/** Inputs whose value is picked, not typed: letters are free to be shortcuts while they have the focus. */
const PICKED = ["radio", "checkbox", "range", "color", "file", "button", "submit", "reset"];

function isTyping(target: EventTarget | null): boolean {
  if (target instanceof HTMLInputElement) return !PICKED.includes(target.type);
  return target instanceof HTMLElement && (target.isContentEditable || /^(TEXTAREA|SELECT)$/.test(target.tagName));
}

/** Space and Enter press the button that has the focus; Space and arrows set a picked input. */
function pressesControl(target: EventTarget | null, key: string): boolean {
  if (target instanceof HTMLInputElement) return key === "Space" || key === "Enter" || key.startsWith("Arrow");
  return (
    (key === "Space" || key === "Enter") &&
    target instanceof HTMLElement &&
    target.closest("button, a, summary") !== null
  );
}

export function connectKeyboard(commands: () => Command[]): void {
  let first: { key: string; at: number } | null = null;
  addEventListener("keydown", (event) => {
    if (event.isComposing || /^(Shift|Control|Alt|Meta)$/.test(event.key)) return;
    const key = pressedKey(event);
    const inDialog = document.querySelector("dialog[open]") !== null;
    if (inDialog || (isTyping(event.target) && key !== "Mod+k") || pressesControl(event.target, key)) return;
    const available = commands();
    const chord = first !== null && event.timeStamp - first.at < CHORD_MS ? `${first.key} ${key}` : null;
    const command =
      available.find(({ keys }) => chord !== null && keys.includes(chord)) ??
      available.find(({ keys }) => keys.includes(key));
    const begins = available.some(({ keys }) => keys.some((name) => name.startsWith(`${key} `)));
    first = command === undefined && begins ? { key, at: event.timeStamp } : null;
    if (command === undefined) return;
    event.preventDefault();
    command.run();
  });
}
