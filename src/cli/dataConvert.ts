// obp data convert: documents from one format to another.
import { OFFSET_UNITS } from "../formats/format.ts";
import { FORMAT_NAMES, writeDocuments } from "../formats/formats.ts";
import { writeFileAtomic } from "./atomicFile.ts";
import { readSound } from "./documents.ts";
import { listLines } from "./listLines.ts";
import { defineVerb } from "./verb.ts";

export const verb = defineVerb({
  positionals: { in: { help: "file to read" }, out: { help: "file to write" } },
  flags: {
    from: { kind: "choice", choices: FORMAT_NAMES, help: "format of IN (default: found by content)" },
    to: { kind: "choice", choices: FORMAT_NAMES, fallback: "obp-jsonl", help: "format of OUT" },
    offsets: { kind: "choice", choices: OFFSET_UNITS, fallback: "code-points", help: "what offsets in IN count" },
    "out-offsets": {
      kind: "choice",
      choices: OFFSET_UNITS,
      fallback: "code-points",
      help: "what offsets in OUT count",
    },
    "no-comments": { kind: "switch", help: "word-per-line formats: no comment lines that keep ids and spacing" },
  },
  example: "npx obp data convert public/samples/train.jsonl /tmp/train.txt --to conll-bio",
  run({ positionals, flags }) {
    const read = readSound(positionals.in, { format: flags.from, offsets: flags.offsets });
    const written = writeDocuments(read.documents, flags.to, {
      offsets: flags["out-offsets"],
      comments: !flags["no-comments"],
    });
    writeFileAtomic(positionals.out, written.text);
    const warnings = [...read.warnings, ...written.warnings];
    const entities = read.documents.reduce((sum, document) => sum + document.entities.length, 0);
    return Promise.resolve({
      json: {
        from: read.format,
        to: flags.to,
        documents: read.documents.length,
        entities,
        warnings,
        out: positionals.out,
      },
      text: [
        `${positionals.out}: ${read.documents.length} documents with ${entities} entities, ${read.format} to ${flags.to}`,
        ...listLines("warnings", warnings),
      ].join("\n"),
    });
  },
});
