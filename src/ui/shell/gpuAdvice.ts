// What to do where there is no WebGPU, by the problem and the browser. Pure.

import type { GpuProblem } from "../../worker/protocol.ts";

export function gpuAdvice(problem: GpuProblem, userAgent: string): string[] {
  switch (problem) {
    case "insecure":
      return ["Open the studio over https, or from http://localhost: browsers hide WebGPU from other addresses."];
    case "unsupported":
      return unsupported(userAgent);
    case "no-adapter":
      return noAdapter(userAgent);
    case "failed":
      return ["Reload the page. If it fails again, close other pages that use the GPU, or update its driver."];
  }
}

function unsupported(userAgent: string): string[] {
  if (/Firefox\//.test(userAgent)) {
    return [
      "Update Firefox: WebGPU is on from version 141 on Windows and 145 on macOS with Apple silicon.",
      "Elsewhere, set dom.webgpu.enabled to true in about:config (Nightly), or use Chrome or Edge.",
    ];
  }
  if (/Safari\//.test(userAgent) && !/Chrom/.test(userAgent)) {
    return ["Update to Safari 26 (macOS 26, iOS 26) or newer, or use Chrome or Edge."];
  }
  return ["Update the browser: Chrome and Edge have WebGPU from version 113 (Android: 121).", ...linuxFlags(userAgent)];
}

function noAdapter(userAgent: string): string[] {
  if (/Firefox\//.test(userAgent)) {
    return ["Open about:support, section Graphics, to see why WebGPU is blocked; update the GPU's driver."];
  }
  if (/Chrom/.test(userAgent)) {
    return [
      "Turn on “Use graphics acceleration when available” under chrome://settings/system and start the browser again.",
      "Open chrome://gpu to see whether WebGPU is blocked for this driver; update the driver.",
      ...linuxFlags(userAgent),
    ];
  }
  return ["Update the GPU's driver and the browser, then reload."];
}

function linuxFlags(userAgent: string): string[] {
  return /Linux/.test(userAgent) && !/Android/.test(userAgent)
    ? [
        "On Linux, Chrome needs a Vulkan driver; with an older one, turn on chrome://flags/#enable-unsafe-webgpu and #enable-vulkan.",
      ]
    : [];
}
