#!/usr/bin/env node
// Runs the command line from its TypeScript sources: bundles them once into node_modules/.cache and
// again only when a source is newer, so that no separate build step is needed and starting stays fast.
import { existsSync, mkdirSync, readdirSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const cache = join(root, "node_modules", ".cache", "obp");
const bundle = join(cache, "obp.mjs");

/** Modification time (ms) of the newest source under `folder`. */
function newest(folder) {
  let latest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      latest = Math.max(latest, newest(path));
    } else if (/\.(ts|wgsl|json|mjs)$/.test(entry.name)) {
      latest = Math.max(latest, statSync(path).mtimeMs);
    }
  }
  return latest;
}

const sources = Math.max(
  ...["src", "shaders", "scripts", "bin"].map((folder) => newest(join(root, folder))),
  statSync(join(root, "package.json")).mtimeMs,
);
if (!existsSync(bundle) || statSync(bundle).mtimeMs < sources) {
  const { bundleCli } = await import("../scripts/cli-bundle.mjs");
  mkdirSync(cache, { recursive: true });
  const temporary = join(cache, `obp.${process.pid}.mjs`);
  await bundleCli(temporary);
  renameSync(temporary, bundle); // atomic: two commands may start at once
}
process.env.OBP_ROOT ??= root;
await import(pathToFileURL(bundle).href);
