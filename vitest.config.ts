import { defineConfig } from "vitest/config";
import "./bin/dawn-env.mjs";
import { fontBytes } from "./scripts/fontBytes.ts";
import { wgslText } from "./scripts/wgslText.ts";

const common = {
  environment: "node",
  testTimeout: 120_000,
  hookTimeout: 120_000,
  // Each file owns a GPU device; two at a time on two cores would only make both slow.
  fileParallelism: false,
  pool: "forks" as const,
  // wgsl_reflect's entry for Node is CommonJS in a package of type "module"; inlined, Vite takes its ES module.
  server: { deps: { inline: ["wgsl_reflect"] } },
};

export default defineConfig({
  plugins: [wgslText(), fontBytes()],
  test: {
    projects: [
      {
        extends: true,
        test: {
          ...common,
          name: "unit",
          include: ["src/**/*.test.ts", "src/**/*.test.tsx"],
          exclude: ["src/**/*.real.test.ts"],
        },
      },
      { extends: true, test: { ...common, name: "real", include: ["src/**/*.real.test.ts"], testTimeout: 900_000 } },
    ],
  },
});
