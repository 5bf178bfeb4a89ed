/** Hands the bytes to the browser's download. */
export function download(fileName: string, content: BlobPart, type = "application/octet-stream"): void {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = fileName;
  link.click();
  // The download has taken its own reference to the Blob by then.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
