import { testGpu } from "../gpu/nodeTestGpu.ts";
import { CommandQueue } from "../gpu/queue.ts";
import { loraSubgroupDown, loraSubgroupGrad, loraSubgroupUp } from "./lora_subgroup.ts";
import { testLora } from "./loraCases.ts";

testLora(new CommandQueue(await testGpu()), {
  down: loraSubgroupDown,
  up: loraSubgroupUp,
  grad: loraSubgroupGrad,
});
