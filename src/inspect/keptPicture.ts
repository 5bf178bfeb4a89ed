/**
 * Test helper: compares a picture with the one kept under src/inspect/pictures, which was looked at before it was kept.
 * OBP_KEEP_PICTURES=1 keeps the new one: look at it, then commit it.
 */
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { unzlibSync } from "fflate";

/** Two of 255 steps of a channel are not seen; more may differ in one of a thousand channels. */
const STEPS = 2;
const SHARE = 1e-3;

/** @param png as scenePng writes it. @throws Error that names a file with the new picture */
export function expectKept(name: string, png: Uint8Array): void {
  const path = fileURLToPath(new URL(`./pictures/${name}.png`, import.meta.url));
  if (process.env["OBP_KEEP_PICTURES"] === "1") {
    writeFileSync(path, png);
  }
  const actual = decoded(png);
  const kept = existsSync(path) ? decoded(readFileSync(path)) : null;
  const differing =
    kept?.size !== actual.size
      ? 1
      : actual.channels.reduce((count, value, i) => {
          return count + (Math.abs(value - (kept.channels[i] ?? NaN)) <= STEPS ? 0 : 1);
        }, 0) / actual.channels.length;
  if (differing > SHARE) {
    const now = join(mkdtempSync(join(tmpdir(), "obp-picture-")), `${name}.png`);
    writeFileSync(now, png);
    const got = kept === null ? "none kept" : `${(100 * differing).toFixed(2)} % of it different (${actual.size})`;
    throw new Error(`expected the picture ${path}, got ${got}: see ${now}, and keep it with OBP_KEEP_PICTURES=1`);
  }
}

/** One IDAT, filter 0, RGB: what encodePng writes. */
function decoded(png: Uint8Array): { size: string; channels: Uint8Array } {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  const size = `${view.getUint32(16)}×${view.getUint32(20)}`;
  return { size, channels: unzlibSync(png.subarray(41, 41 + view.getUint32(33))) };
}
