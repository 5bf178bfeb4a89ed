import { readFile } from "node:fs/promises";
import type { Plugin } from "vite";

/** Imports `*.woff?bytes` as a Uint8Array, as esbuild's binary loader does for the command line. */
export function fontBytes(): Plugin {
  return {
    name: "font-bytes",
    enforce: "pre",
    load: {
      filter: { id: /\.woff\?bytes$/ },
      async handler(id) {
        const text = (await readFile(id.replace(/\?bytes$/, ""))).toString("base64");
        return `export default Uint8Array.from(atob(${JSON.stringify(text)}), (character) => character.charCodeAt(0));`;
      },
    },
  };
}
