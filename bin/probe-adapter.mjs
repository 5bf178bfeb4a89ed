// Exits 0 and prints the WebGPU adapter that Node + Dawn would use, else exits 1.
import "./dawn-env.mjs";
const { create } = await import("webgpu");
const gpu = create([]);
const adapter = await gpu.requestAdapter();
if (adapter === null) {
  console.error("no WebGPU adapter");
  process.exit(1);
}
const { vendor, architecture, device, description } = adapter.info;
console.log([vendor, architecture, device, description].filter((part) => part !== "").join(" "));
process.exit(0);
