// "Copy as figure": a picture with its caption, on the clipboard; where that refuses, as a file.

import type { FigureFile } from "../../worker/protocol.ts";
import { download } from "../documents/download.ts";
import { messageOf } from "../stores/projectStore.ts";
import { useView } from "../stores/viewStore.ts";

const MEDIA = { png: "image/png", svg: "image/svg+xml" } as const;
export type CopiedFormat = keyof typeof MEDIA;

/**
 * The picture as an image and its caption as text, which a text field takes. Started by a click: the clipboard is asked
 * before the picture is made, since what a click allows does not last.
 */
export async function copyFigure(format: CopiedFormat, file: Promise<FigureFile>): Promise<void> {
  const type = MEDIA[format];
  try {
    if (!("clipboard" in navigator)) throw new Error("it needs a secure page");
    if (!ClipboardItem.supports(type)) throw new Error(`this browser copies no ${format.toUpperCase()}`);
    const item = new ClipboardItem({
      [type]: file.then(({ content }) => new Blob([content], { type })),
      "text/plain": file.then(({ caption }) => new Blob([caption], { type: "text/plain" })),
    });
    await navigator.clipboard.write([item]);
    useView.getState().notify("info", `Copied the figure as ${format.toUpperCase()}, with its caption as text`);
  } catch (refused) {
    try {
      // Where the picture itself failed, that is what is said.
      const { fileName, content, caption } = await file;
      download(fileName, content, type);
      download(fileName.replace(/\.[a-z]+$/, ".txt"), caption, "text/plain");
      useView
        .getState()
        .notify("info", `The clipboard refused the figure (${messageOf(refused)}): saved as files instead`);
    } catch (error) {
      useView.getState().notify("error", messageOf(error));
    }
  }
}
