import { describe } from "vitest";
import { testGpu } from "../gpu/nodeTestGpu.ts";
import { CommandQueue } from "../gpu/queue.ts";
import {
  attentionSubgroupBackwardKv,
  attentionSubgroupBackwardQ,
  attentionSubgroupForward,
} from "./attention_subgroup.ts";
import { CASES, testRows } from "./attentionCases.ts";

const queue = new CommandQueue(await testGpu());

// They only run with shared loads; each group is another pipeline, which lavapipe takes seconds for.
describe.each(CASES.filter(({ shared }) => shared))(
  "attention through subgroups, head size $D, $heads heads over $kvHeads, $rowsAre",
  (sizes) =>
    testRows(queue, [attentionSubgroupForward, attentionSubgroupBackwardQ, attentionSubgroupBackwardKv], sizes),
);
