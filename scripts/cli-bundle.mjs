// How the command line is bundled: one ES module, shaders inside, only Dawn's native module outside.
import { build } from "esbuild";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Bundles src/cli/cli.ts into `outfile`. */
export async function bundleCli(outfile, { minify = false } = {}) {
  await build({
    absWorkingDir: root,
    entryPoints: ["src/cli/cli.ts"],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    minify,
    sourcemap: minify ? false : "inline",
    sourcesContent: false,
    loader: { ".wgsl": "text", ".woff": "binary" },
    // Behind Dawn: peers of the benchmarks, only where they are installed.
    external: ["webgpu", "@jax-js/jax", "@saehrimnir/druidjs"],
    inject: ["bin/dawn-env.mjs"], // runs before Dawn is loaded, in the single file too
    // CommonJS dependencies inside an ES module still call require for Node's own modules.
    banner: {
      js: 'import { createRequire as obpCreateRequire } from "node:module"; const require = obpCreateRequire(import.meta.url);',
    },
    logLevel: "error",
  });
}
