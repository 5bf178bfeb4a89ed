import type { Plugin } from "vite";

/** Imports `*.wgsl` as a string, as esbuild's text loader does for the command line. */
export function wgslText(): Plugin {
  return {
    name: "wgsl-text",
    transform: {
      filter: { id: /\.wgsl$/ },
      handler: (code) => ({ code: `export default ${JSON.stringify(code)};`, map: null }),
    },
  };
}
