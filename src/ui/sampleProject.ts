// The sample project that the first visit starts with: public/samples, fetched from the studio's own origin.

import * as v from "valibot";
import { obpJsonl } from "../formats/obpJsonl.ts";
import type { Project, ProjectDocument, Split } from "../storage/project.ts";

const Types = v.record(v.string(), v.string());
const Manifest = v.object({ name: v.string() });

async function fetchText(name: string): Promise<string> {
  const response = await fetch(`${import.meta.env.BASE_URL}samples/${name}`);
  if (!response.ok) throw new Error(`expected the sample file ${name}, got HTTP ${response.status} (reload the page)`);
  return response.text();
}

async function fetchDocuments(name: string, split: Split): Promise<ProjectDocument[]> {
  const { documents, errors } = obpJsonl.parse(await fetchText(name));
  if (errors[0] !== undefined) throw new Error(`sample file ${name}: ${errors[0]}`);
  return documents.map((document) => ({ ...document, split, done: true }));
}

export async function fetchSampleProject(): Promise<Project> {
  const [manifest, types, train, heldout] = await Promise.all([
    fetchText("project.json").then((text) => v.parse(Manifest, JSON.parse(text))),
    fetchText("types.json").then((text) => v.parse(Types, JSON.parse(text))),
    fetchDocuments("train.jsonl", "train"),
    fetchDocuments("heldout.jsonl", "heldout"),
  ]);
  return {
    name: manifest.name,
    types: Object.entries(types).map(([name, definition]) => ({ name, definition })),
    documents: [...train, ...heldout],
  };
}
