// Environment Dawn's Vulkan loader needs on a machine without a desktop session. Imported before `webgpu`.
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";

// Mesa refuses to start without a runtime directory (seen with lavapipe 25 in containers).
process.env.XDG_RUNTIME_DIR ??= tmpdir();

// With several software drivers installed the loader may pick Chromium's SwiftShader; lavapipe is faster.
const lavapipe = ["/usr/share/vulkan/icd.d/lvp_icd.json", "/usr/share/vulkan/icd.d/lvp_icd.x86_64.json"];
const hasGpu = existsSync("/dev/nvidia0") || existsSync("/dev/dri/renderD128");
const icd = lavapipe.find((path) => existsSync(path));
if (!hasGpu && icd !== undefined) {
  process.env.VK_ICD_FILENAMES ??= icd;
}
