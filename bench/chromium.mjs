// The Chromium of the benchmarks, started as playwright.config.ts starts it.
import { existsSync } from "node:fs";

export const executablePath = [process.env.OBP_CHROMIUM, "/usr/bin/chromium", "/usr/bin/google-chrome"].find(
  (path) => path !== undefined && existsSync(path),
);
export const args = [
  "--headless=new",
  "--no-sandbox",
  "--enable-unsafe-webgpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];
