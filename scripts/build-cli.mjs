// npm run build, second half: dist/obp.mjs, one self-contained file.
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { bundleCli } from "./cli-bundle.mjs";

const out = new URL("../dist/obp.mjs", import.meta.url);
await bundleCli("dist/obp.mjs", { minify: true });
writeFileSync(out, `#!/usr/bin/env node\n${readFileSync(out, "utf8")}`);
chmodSync(out, 0o755);
