/**
 * CPU twins of shaders/swiglu.wgsl, elementwise, σ the logistic function:
 *   forward   h = g·σ(g)·u
 *   backward  gate ← dg = dh·u·σ(g)(1 + g(1 − σ(g)));  upward ← du = dh·g·σ(g)
 */
import type { swigluBackward, swigluForward } from "./swiglu.ts";
import { at, type KernelTwin } from "./twin.ts";

function sigmoid(value: number): number {
  return 1 / (1 + Math.exp(-value));
}

export const swigluForwardRef: KernelTwin<typeof swigluForward> = ({ g, u, h }, { count4 }) => {
  for (let i = 0; i < 4 * count4; i++) {
    h[i] = at(g, i) * sigmoid(at(g, i)) * at(u, i);
  }
};

export const swigluBackwardRef: KernelTwin<typeof swigluBackward> = ({ gate, upward, dh }, { count4 }) => {
  for (let i = 0; i < 4 * count4; i++) {
    const g = at(gate, i);
    const s = sigmoid(g);
    gate[i] = at(dh, i) * at(upward, i) * s * (1 + g * (1 - s));
    upward[i] = at(dh, i) * g * s;
  }
};
