/** How trainings differ, as it stands in a figure's JSON, CSV and caption. */
import type { Comparison } from "../train/compareRuns.ts";
import { csvField } from "./csvField.ts";

/** What a figure's JSON has of it; nothing where nothing is compared. */
export function comparedJson(compared: Comparison | null | undefined): Record<string, unknown> {
  if (compared == null) return {};
  const { text, differences, notes } = compared;
  return { compared: { text, differences, notes } };
}

/**
 * The last column of a figure's CSV: each adapter's part of what differs, and of a difference both, behind the adapters as
 * everywhere. No column where nothing is compared. Fields begin with their comma (RFC 4180).
 */
export function configurationColumn(compared: Comparison | null | undefined): {
  readonly title: string;
  readonly of: (map: number) => string;
} {
  if (compared == null) return { title: "", of: () => "" };
  const { of } = compared;
  const [first = ""] = of;
  const parts = [...of, ...of.slice(1).map((part) => `${part} − ${first}`)];
  return { title: ",configuration", of: (map) => `,${csvField(parts[map] ?? "")}` };
}

/** A caption with it. */
export function withCompared(caption: string, compared: Comparison | null | undefined): string {
  return compared == null ? caption : `${caption} ${compared.text}`;
}
