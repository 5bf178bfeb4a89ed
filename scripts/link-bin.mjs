// npm links the commands of dependencies but none of the root package itself; this makes `npx obp` work here.
import { mkdirSync, rmSync, symlinkSync } from "node:fs";

const link = new URL("../node_modules/.bin/obp", import.meta.url);
mkdirSync(new URL(".", link), { recursive: true });
rmSync(link, { force: true });
symlinkSync("../../bin/obp.mjs", link);
