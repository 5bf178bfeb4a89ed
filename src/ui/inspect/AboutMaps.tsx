import type { AttentionView } from "../../worker/protocol.ts";

/** What the maps are of, and how much of their attention falls on gold entities. */
export function AboutMaps({ view: { model, layer, head, heads, type, maps } }: { view: AttentionView }) {
  const which = head === "mean" ? "mean of all heads" : head === "all" ? `each of ${heads} heads` : `head ${head}`;
  const shares = maps.flatMap(({ name, onEntities }) => {
    if (onEntities === null) return [];
    const mean = onEntities.reduce((sum, share) => sum + share, 0) / onEntities.length;
    return [`${name} ${mean.toFixed(4)}`];
  });
  return (
    <p className="soft">
      {model}, layer {layer}, {which}, type {type}.{" "}
      {shares.length === 0
        ? "No gold entity of the type in the sentence."
        : `Attention on gold entities${head === "all" ? ", mean of the heads" : ""}: ${shares.join(", ")}.`}
    </p>
  );
}
