import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { fontBytes } from "./scripts/fontBytes.ts";
import { wgslText } from "./scripts/wgslText.ts";

export default defineConfig({
  plugins: [react(), wgslText(), fontBytes()],
  base: "./",
  worker: { format: "es", plugins: () => [wgslText(), fontBytes()] },
  server: { port: 5173, headers: isolation() },
  preview: { headers: isolation() },
  build: { target: "es2023", chunkSizeWarningLimit: 1500 },
});

/** Cross-origin isolation: precise timers and shared memory for the worker. */
function isolation() {
  return { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };
}
