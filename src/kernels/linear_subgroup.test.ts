import { testGpu } from "../gpu/nodeTestGpu.ts";
import { CommandQueue } from "../gpu/queue.ts";
import { pair, testLinear } from "./linearCases.ts";
import {
  linearSubgroupBackward,
  linearSubgroupForward,
  linearSubgroupForwardFour,
  linearSubgroupForwardRow,
} from "./linear_subgroup.ts";
import {
  linearSubgroupBackwardRef,
  linearSubgroupForwardFourRef,
  linearSubgroupForwardRef,
  linearSubgroupForwardRowRef,
} from "./linear_subgroup.ref.ts";

const queue = new CommandQueue(await testGpu());

testLinear(queue, {
  forward: [
    pair(linearSubgroupForward, linearSubgroupForwardRef),
    pair(linearSubgroupForwardFour, linearSubgroupForwardFourRef),
    pair(linearSubgroupForwardRow, linearSubgroupForwardRowRef),
  ],
  backward: [pair(linearSubgroupBackward, linearSubgroupBackwardRef)],
});
