/** A text as a field of a figure's CSV, always in quotes (RFC 4180). */
export function csvField(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}
