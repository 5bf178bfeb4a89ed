import { existsSync } from "node:fs";

/** Chromium or Chrome on this machine; undefined where there is none. */
export const chromiumPath = [
  process.env["OBP_CHROMIUM"],
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
].find((path) => path !== undefined && existsSync(path));

/** Playwright's global setup. Not thrown while the configuration loads: `npm run check` reads that without a browser. */
export default function requireChromium(): void {
  if (chromiumPath === undefined) {
    throw new Error("expected Chromium, found none (npm run setup installs it, or set OBP_CHROMIUM)");
  }
}
