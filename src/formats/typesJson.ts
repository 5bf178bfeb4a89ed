// types.json: an object of type names and what each refers to, in the file's order.
import type { EntityType } from "../ner/document.ts";
import { FormatError } from "./format.ts";

/**
 * @param content of a JSON file
 * @param name of the file, for messages
 * @throws FormatError naming the first type that is not sound
 */
export function typesOf(content: unknown, name: string): readonly EntityType[] {
  if (typeof content !== "object" || content === null || Array.isArray(content)) {
    const got = Array.isArray(content) ? "a list" : JSON.stringify(content);
    throw new FormatError(`expected ${name} to hold an object {"type": "definition", …}, got ${got}`);
  }
  const types = Object.entries(content).map(([type, definition]: [string, unknown]) => {
    if (type.trim() !== type || type === "" || /[\n\r\t]/.test(type)) {
      throw new FormatError(`expected type names without spaces around them in ${name}, got ${JSON.stringify(type)}`);
    }
    if (typeof definition !== "string" || definition.trim() === "") {
      const got = typeof definition === "string" ? "an empty one" : JSON.stringify(definition);
      throw new FormatError(`expected a definition of type ${type} in ${name}, got ${got} (say what it refers to)`);
    }
    return { name: type, definition };
  });
  if (types.length === 0) {
    throw new FormatError(`expected at least one type in ${name}, got none (name one, with its definition)`);
  }
  return types;
}
