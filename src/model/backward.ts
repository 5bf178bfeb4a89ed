/**
 * Backward through the frozen Llama to the LoRA weights. Gradients of A and B accumulate (+=); the base has none.
 * Each layer's intermediates are those forward left ("none"), or are recomputed from its input or its block's ("layer",
 * k). Gradients lie where the intermediates lay that are done with (workspace.ts): the order of the products matters.
 */
import { halvesUnpack } from "../kernels/halves.ts";
import { rmsnormBackward } from "../kernels/rmsnorm.ts";
import { swigluBackward } from "../kernels/swiglu.ts";
import type { LoraTarget } from "./adapters/loraWeights.ts";
import { backwardAttention } from "./attention.ts";
import { dropoutParams, forwardLayer, NO_DROPOUT, type Pass, readerOf, rotate } from "./forward.ts";
import { loraKernels } from "./kernelFamilies.ts";
import { backwardLinear } from "./linear.ts";
import type { Lora, LoraPages } from "./lora.ts";
import { blockLayers } from "./residuals.ts";
import type { GradientBuffers } from "./workspace.ts";

export interface BackwardPass extends Pass {
  readonly lora: Lora;
  /** Gradients of the LoRA weights, in their pages' layout. */
  readonly loraGradients: LoraPages;
}

/** From the gradient of residual[layers], which workspace.gradients.dx holds, to the gradients of every LoRA weight. */
export async function backward(pass: BackwardPass, layers = pass.llama.config.layers): Promise<void> {
  const k = blockLayers(pass.workspace.keep) ?? layers;
  for (let block = Math.ceil(layers / k) - 1; block >= 0; block--) {
    await backwardBlock(pass, block, block * k, Math.min(layers, (block + 1) * k), layers);
  }
}

/** Layers first … end − 1, walked down; `layers` forward had. */
async function backwardBlock(
  pass: BackwardPass,
  block: number,
  first: number,
  end: number,
  layers: number,
): Promise<void> {
  const { llama, workspace } = pass;
  // The last block's residuals still lie where forward put them, and its last layer's intermediates.
  if (end < layers) {
    restoreHalves(pass, block, first);
    for (let layer = first; layer < end; layer++) {
      forwardLayer(pass, layer, layer < end - 1);
      await llama.queue.pace();
    }
  }
  for (let layer = end - 1; layer >= first; layer--) {
    if (workspace.keep !== "none" && layer < end - 1) {
      forwardLayer(pass, layer, false);
    }
    backwardLayer(pass, layer);
    await llama.queue.pace();
  }
}

/** A block's input from its copy as f16, where the workspace keeps it so. */
function restoreHalves({ llama, workspace, rows }: Pass, block: number, first: number): void {
  const halves = workspace.checkpoints[block];
  const y = workspace.residual[first];
  if (halves !== undefined && y !== undefined) {
    llama.queue.dispatch(halvesUnpack, { halves, y }, { count4: (rows * llama.config.hiddenSize) / 4 });
  }
}

function backwardLayer(pass: BackwardPass, layer: number): void {
  const { llama, workspace, rows } = pass;
  const { queue, config } = llama;
  const { hiddenSize: C, rmsNormEps: eps, feedForwardSize } = config;
  const weights = llama.layers[layer];
  const act = workspace.layers[layer];
  const input = workspace.residual[layer];
  const grads = workspace.gradients;
  if (weights === undefined || act === undefined || input === undefined || grads === null) {
    throw new Error(`expected a training workspace and a layer of 0…${config.layers - 1}, got ${layer}`);
  }
  const { dx } = grads;
  const { dNormed, dH, dO, dQ, dK, dV } = act;

  adaptedBackward(pass, grads, layer, "down_proj", act.h, dx, dH, false);
  queue.dispatch(swigluBackward, { gate: act.gate, upward: act.up, dh: dH }, { count4: (rows * feedForwardSize) / 4 });
  adaptedBackward(pass, grads, layer, "gate_proj", act.normed2, act.gate, dNormed, false);
  adaptedBackward(pass, grads, layer, "up_proj", act.normed2, act.up, dNormed, true);
  queue.dispatch(
    rmsnormBackward,
    { x: act.middle, weight: weights.feedForwardNorm, saved: act.rstd2, dy: dNormed, dx },
    { C, eps, rows },
  );

  adaptedBackward(pass, grads, layer, "o_proj", act.o, dx, dO, false);
  backwardAttention(pass, act, { dO, dQ, dK, dV });
  const reader = readerOf(pass, layer);
  if (reader?.rope === "post") {
    reader.backward?.(dQ, dK, layer);
  }
  rotate(pass, { q: dQ, k: dK }, -1);
  if (reader?.rope === "pre") {
    reader.backward?.(dQ, dK, layer);
  }
  // Below layer 0 lies the frozen embedding: nothing needs the gradient of its output.
  const needed = layer > 0 ? dNormed : null;
  adaptedBackward(pass, grads, layer, "q_proj", act.normed1, dQ, needed, false);
  adaptedBackward(pass, grads, layer, "k_proj", act.normed1, dK, needed, true);
  adaptedBackward(pass, grads, layer, "v_proj", act.normed1, dV, needed, true);
  if (needed !== null) {
    queue.dispatch(
      rmsnormBackward,
      { x: input, weight: weights.attentionNorm, saved: act.rstd1, dy: needed, dx },
      { C, eps, rows },
    );
  }
}

/** From dy: dx (+)= dy·W + drop(dxa·A), dB += scale·dyᵀ·xa, dA += dxaᵀ·drop(x), with dxa = scale·dy·B. */
function adaptedBackward(
  pass: BackwardPass,
  grads: GradientBuffers,
  layer: number,
  target: LoraTarget,
  x: GPUBuffer,
  dy: GPUBuffer,
  dx: GPUBuffer | null,
  accumulate: boolean,
): void {
  const { llama, lora, loraGradients, workspace, rows } = pass;
  const { queue } = llama;
  const weights = llama.layers[layer]?.linears[target];
  const xa = workspace.layers[layer]?.xa[target];
  if (weights === undefined || xa === undefined) {
    throw new Error(`expected linear ${target} in layer ${layer}, got none`);
  }
  const module = lora.module(layer, target);
  if (module === undefined) {
    if (dx !== null) {
      backwardLinear(queue, weights, dy, rows, dx, accumulate);
    }
    return;
  }
  const { K, N } = module;
  const { R, scale } = lora;
  const dropout = dropoutParams(pass, layer, target);
  const kernels = loraKernels(queue.gpu);
  queue.dispatch(
    kernels.down,
    { x: dy, m: lora.weights.slice(module.b), out: grads.dXa },
    { rows, R, C: N, scale, ...NO_DROPOUT },
    undefined,
    rows * R * N,
  );
  queue.dispatch(
    kernels.grad,
    { h: xa, xg: dy, out: loraGradients.slice(module.b) },
    { rows, R, C: N, scale, ...NO_DROPOUT },
    undefined,
    rows * R * N,
  );
  queue.dispatch(
    kernels.grad,
    { h: grads.dXa, xg: x, out: loraGradients.slice(module.a) },
    { rows, R, C: K, scale: 1, ...dropout },
    undefined,
    rows * R * K,
  );
  // After x has been read for the last time: dx may lie in its place.
  if (dx !== null) {
    backwardLinear(queue, weights, dy, rows, dx, accumulate);
    queue.dispatch(
      kernels.up,
      { h: grads.dXa, m: lora.weights.slice(module.a), out: dx },
      { rows, R, C: K, scale: 1, ...dropout },
      undefined,
      rows * R * K,
    );
  }
}
