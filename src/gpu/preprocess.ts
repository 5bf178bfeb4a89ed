/**
 * WGSL preprocessing: `#import shared/name` (each fragment once, its own imports first) and
 * `#ifdef FEATURE … #else … #endif` for device features. Any other directive is an error.
 * Keeps a map from output lines to source lines, so that compile errors cite the file that was written.
 */

export interface ProcessedShader {
  readonly code: string;
  /** For each line of `code` (0-based): where it came from. */
  readonly origins: readonly { readonly file: string; readonly line: number }[];
}

/**
 * @param file name used in error messages, e.g. "shaders/linear.wgsl"
 * @param fragments sources of importable fragments by name ("shared/weights")
 * @param features device features that `#ifdef` may test
 */
export function preprocess(
  file: string,
  source: string,
  fragments: Readonly<Record<string, string>> = {},
  features: ReadonlySet<string> = new Set(),
): ProcessedShader {
  const lines: string[] = [];
  const origins: { file: string; line: number }[] = [];
  const imported = new Set<string>();

  const add = (name: string, text: string): void => {
    const conditions: { holds: boolean; inElse: boolean }[] = [];
    const active = (): boolean => conditions.every(({ holds }) => holds);
    text.split("\n").forEach((line, index) => {
      const where = `${name}:${index + 1}`;
      const directive = /^\s*#\s*(\w+)\s*(.*)$/.exec(line);
      if (directive === null) {
        if (active()) {
          lines.push(line);
          origins.push({ file: name, line: index + 1 });
        }
        return;
      }
      const [, word = "", rest = ""] = directive;
      const argument = rest.trim();
      switch (word) {
        case "import": {
          const fragment = fragments[argument];
          if (fragment === undefined) {
            throw new Error(
              `${where}: expected a known fragment, got "${argument}" (known: ${Object.keys(fragments).join(", ")})`,
            );
          }
          if (active() && !imported.has(argument)) {
            imported.add(argument);
            add(`shaders/${argument}.wgsl`, fragment);
          }
          break;
        }
        case "ifdef":
          conditions.push({ holds: features.has(argument), inElse: false });
          break;
        case "else":
        case "endif": {
          const condition = conditions.pop();
          if (condition === undefined) {
            throw new Error(`${where}: #${word} without #ifdef`);
          }
          if (word === "else") {
            if (condition.inElse) {
              throw new Error(`${where}: #else after #else`);
            }
            conditions.push({ holds: !condition.holds, inElse: true });
          }
          break;
        }
        default:
          throw new Error(`${where}: expected #import, #ifdef, #else or #endif, got #${word}`);
      }
    });
    if (conditions.length > 0) {
      throw new Error(`${name}: #ifdef without #endif`);
    }
  };
  add(file, source);
  return { code: lines.join("\n"), origins };
}
