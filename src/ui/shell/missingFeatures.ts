// What it means that an adapter lacks a feature which the engine can use. Pure.

const MEANINGS: Readonly<Record<string, string>> = {
  subgroups: "No subgroups: those kernels cannot run here, registers and tiled do.",
  "timestamp-query": "No timestamp queries: training shows no times of single kernels.",
  "shader-f16": "No f16: the kernels tiled-f16 cannot run here. Nothing else is lost, all others compute in f32.",
};

/** @param narrow its subgroups are too few lanes wide for the kernels that use them */
export function missingFeatures(features: readonly string[], narrow: boolean): string[] {
  const missing = Object.entries(MEANINGS).flatMap(([feature, meaning]) =>
    features.includes(feature) ? [] : [meaning],
  );
  const lanes = "Subgroups of fewer than eight lanes: those kernels cannot run here, registers and tiled do.";
  return narrow && features.includes("subgroups") ? [lanes, ...missing] : missing;
}
