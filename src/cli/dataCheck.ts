// obp data check: what a documents file holds, and every line that cannot be read.
import { documentFlags, parseFile } from "./documents.ts";
import { listLines } from "./listLines.ts";
import { defineVerb } from "./verb.ts";

export const verb = defineVerb({
  positionals: { file: { help: "documents in any format" } },
  flags: documentFlags,
  example: "npx obp data check public/samples/train.jsonl",
  run({ positionals: { file }, flags }, context) {
    const { format, documents, warnings, errors } = parseFile(file, flags);
    const types = new Map<string, number>();
    for (const { type } of documents.flatMap(({ entities }) => entities)) {
      types.set(type, (types.get(type) ?? 0) + 1);
    }
    const entities = [...types.values()].reduce((sum, count) => sum + count, 0);
    const [first] = errors;
    if (first !== undefined) {
      const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
      context.note(`error: expected sound documents in ${file}, got ${first}${more}`);
    }
    return Promise.resolve({
      json: { format, documents: documents.length, entities, types: Object.fromEntries(types), warnings, errors },
      text: [
        `${file}: ${format}, ${documents.length} documents, ${entities} entities`,
        ...[...types].map(([type, count]) => `  ${type}: ${count}`),
        ...listLines("warnings", warnings),
        ...listLines("errors", errors),
      ].join("\n"),
      exitCode: errors.length > 0 ? 1 : 0,
    });
  },
});
