// A list for people: its heading with the count, then the lines, cut short where there are many.

const SHOWN = 20;

/** Nothing where there are no lines. */
export function listLines(heading: string, lines: readonly string[]): string[] {
  if (lines.length === 0) {
    return [];
  }
  const shown = lines.slice(0, SHOWN).map((line) => `  ${line}`);
  const more = lines.length > SHOWN ? [`  … ${lines.length - SHOWN} more (--json lists all)`] : [];
  return [`${heading}: ${lines.length}`, ...shown, ...more];
}
