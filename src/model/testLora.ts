/** Test helper: an adapter whose both matrices are filled, so that it changes what the model says. */
import { TestRandom } from "../kernels/testRandom.ts";
import type { LoraTarget } from "./adapters/loraWeights.ts";
import type { Llama } from "./llama.ts";
import { Lora } from "./lora.ts";

export async function filledLora(
  llama: Llama,
  { rank, targets, deviation }: { rank: number; targets: readonly LoraTarget[]; deviation: number },
): Promise<Lora> {
  const config = { rank, alpha: 2 * rank, dropout: 0, targets };
  const fresh = Lora.create(llama, config, 1);
  const { tensors } = await fresh.read();
  fresh.destroy();
  const random = new TestRandom(1);
  const filled = [...tensors].map(([name, tensor]) => {
    return [name, { ...tensor, data: random.normal(tensor.data.length, deviation) }] as const;
  });
  return Lora.fromWeights(llama, { config, tensors: new Map(filled) });
}
