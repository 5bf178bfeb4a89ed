import type { Split } from "../storage/project.ts";

export const SPLIT_TITLES: Record<Split, string> = { train: "Support", heldout: "Held-out" };
