/** Which kernels a device runs the products of linear layers and of LoRA with. All families compute the same sums. */
import type { Gpu } from "../gpu/device.ts";
import { linearBackward, linearForward, linearForwardRow } from "../kernels/linear.ts";
import { linearSubgroupBackward, linearSubgroupForward, linearSubgroupForwardRow } from "../kernels/linear_subgroup.ts";
import { loraDown, loraGrad, loraUp } from "../kernels/lora.ts";
import { loraSubgroupDown, loraSubgroupGrad, loraSubgroupUp } from "../kernels/lora_subgroup.ts";

/** Products of the quantized linear layers; one set of bindings and parameters. */
interface LinearKernels {
  readonly forward: typeof linearForward;
  /** For very few rows. */
  readonly forwardRow: typeof linearForwardRow;
  readonly backward: typeof linearBackward;
}

interface LoraKernels {
  readonly down: typeof loraDown;
  readonly up: typeof loraUp;
  readonly grad: typeof loraGrad;
}

interface KernelFamily {
  readonly linear: LinearKernels;
  readonly lora: LoraKernels;
}

const REGISTERS: KernelFamily = {
  linear: { forward: linearForward, forwardRow: linearForwardRow, backward: linearBackward },
  lora: { down: loraDown, up: loraUp, grad: loraGrad },
};
const SUBGROUPS: KernelFamily = {
  linear: {
    forward: linearSubgroupForward,
    forwardRow: linearSubgroupForwardRow,
    backward: linearSubgroupBackward,
  },
  lora: { down: loraSubgroupDown, up: loraSubgroupUp, grad: loraSubgroupGrad },
};
/** Lanes that read the rows of a tile for each other in SUBGROUPS. */
const SUBGROUP_LANES = 8;

/** The kernels that suit a device best. */
export function kernelFamily({ subgroupSize }: Pick<Gpu, "subgroupSize">): KernelFamily {
  return subgroupSize >= SUBGROUP_LANES ? SUBGROUPS : REGISTERS;
}
