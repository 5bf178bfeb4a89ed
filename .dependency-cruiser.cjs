// Imports point one way (ARCHITECTURE.md). Each rule names a folder of src and what it must not reach.
const onlyFrom = (folder, allowed) => ({
  name: `${folder}-imports-downwards`,
  comment: `src/${folder} may import only: ${[folder, ...allowed].join(", ")}`,
  severity: "error",
  from: { path: `^src/${folder}/`, pathNot: "\\.test\\.tsx?$" },
  to: { path: "^(src|shaders)/", pathNot: `^(src/(${[folder, ...allowed].join("|")})(/|\\.ts)|src/wgsl\\.d\\.ts)` },
});
const rule = (folder, allowed) => onlyFrom(folder, allowed);

/** @type {import("dependency-cruiser").IConfiguration} */
module.exports = {
  forbidden: [
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    rule("gpu", []),
    rule("ner", []),
    rule("formats", ["ner"]),
    rule("storage", ["ner"]),
    { ...rule("kernels", ["gpu"]), to: { path: "^src/", pathNot: "^src/(kernels|gpu|wgsl\\.d\\.ts)" } },
    rule("model", ["kernels", "gpu"]),
    rule("train", ["ner", "model", "kernels", "gpu"]),
    rule("predict", ["ner", "model", "kernels", "gpu"]),
    rule("inspect", ["train", "ner", "model", "kernels", "gpu"]),
    rule("worker", ["train", "predict", "inspect", "model", "ner", "formats", "storage", "gpu"]),
    rule("cli", ["train", "predict", "inspect", "model", "ner", "formats", "storage", "gpu", "kernels"]),
    {
      name: "ui-reaches-only-the-worker-protocol",
      severity: "error",
      from: { path: "^src/ui/", pathNot: "\\.test\\.tsx?$" },
      to: { path: "^src/", pathNot: "^src/(ui/|ner/|formats/|storage/|worker/(client|protocol))" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { extensions: [".ts", ".tsx", ".wgsl", ".js", ".mjs", ".json"] },
  },
};
