/** Against adapters that Python's PEFT saved: reference/adapter_goldens.py. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { AdapterError, readPeft, writePeft } from "./peft.ts";
import { readSafetensors, writeSafetensors, type SafeTensor } from "./safetensors.ts";

const goldens = new URL("../../../reference/goldens/adapters/", import.meta.url);
const text = (path: string) => readFileSync(new URL(path, goldens), "utf8");
const bytes = (path: string) => new Uint8Array(readFileSync(new URL(path, goldens)));

const config = text("f32/adapter_config.json");
const weights = bytes("f32/adapter_model.safetensors");
const withKeys = (keys: Record<string, unknown>) =>
  JSON.stringify({ ...(JSON.parse(config) as Record<string, unknown>), ...keys });

type Values = Record<string, Record<string, { shape: number[]; data: number[] }>>;

/** The golden's weights with the tensors changed. */
function changed(change: (tensors: Map<string, SafeTensor>) => void): Uint8Array {
  const tensors = new Map(readSafetensors(weights));
  change(tensors);
  return writeSafetensors(tensors, {});
}
const A = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight";
const zeros = (...shape: number[]) => ({ shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) });

describe("PEFT adapters", () => {
  test.each(["f32", "f16", "bf16"])("reads what PEFT saved in %s", (dtype) => {
    const adapter = readPeft(text(`${dtype}/adapter_config.json`), bytes(`${dtype}/adapter_model.safetensors`));
    expect(adapter.baseModel).toBeNull(); // a model made on the spot has no name
    expect(adapter.weights.config).toEqual({ rank: 2, alpha: 6, dropout: 0.1, targets: ["q_proj", "down_proj"] });
    const expected = (JSON.parse(text("values.json")) as Values)[dtype] ?? {};
    expect([...adapter.weights.tensors.keys()].sort()).toEqual(Object.keys(expected).sort());
    for (const [name, { shape, data }] of Object.entries(expected)) {
      const tensor = adapter.weights.tensors.get(name);
      expect(tensor?.shape).toEqual(shape);
      expect(Array.from(tensor?.data ?? [])).toEqual(data);
    }
  });

  test("writes what it reads, the same bytes every time", () => {
    const { weights: read } = readPeft(config, weights);
    const files = writePeft(read, "tiny-llama");
    const again = readPeft(
      String(files.get("adapter_config.json")),
      files.get("adapter_model.safetensors") as Uint8Array<ArrayBuffer>,
    );
    expect(again).toEqual({ weights: read, baseModel: "tiny-llama" });
    expect(writePeft(again.weights, "tiny-llama")).toEqual(files);
    // What PEFT itself says of plain LoRA, key by key, but for the key that says which PEFT it was.
    const ours = JSON.parse(String(files.get("adapter_config.json"))) as Record<string, unknown>;
    const theirs = JSON.parse(config) as Record<string, unknown>;
    for (const [key, value] of Object.entries(ours)) {
      const expected = key === "target_modules" ? ["q_proj", "down_proj"] : theirs[key];
      expect([key, value]).toEqual([key, key === "base_model_name_or_path" ? "tiny-llama" : expected]);
    }
  });

  test("names may hold the adapter's own, as in a state dict", () => {
    const renamed = changed((tensors) => {
      for (const [name, tensor] of [...tensors]) {
        tensors.delete(name);
        tensors.set(name.replace(".weight", ".default.weight"), tensor);
      }
    });
    expect(readPeft(config, renamed).weights).toEqual(readPeft(config, weights).weights);
  });

  test.each<[string, Record<string, unknown>, RegExp]>([
    ["another method", { peft_type: "LOHA" }, /expected peft_type "LORA".*"LOHA"/],
    ["ranks per layer", { rank_pattern: { q_proj: 4 } }, /expected plain LoRA, got rank_pattern/],
    ["alphas per layer", { alpha_pattern: { q_proj: 4 } }, /alpha_pattern/],
    ["rank-stabilised scaling", { use_rslora: true }, /use_rslora/],
    ["DoRA", { use_dora: true }, /use_dora/],
    ["whole modules saved", { modules_to_save: ["lm_head"] }, /modules_to_save = \["lm_head"\]/],
    ["biases", { bias: "lora_only" }, /without biases, got bias "lora_only"/],
    ["an option of a future PEFT", { use_magic: true }, /use_magic = true/],
    ["a base model changed by its initialisation", { init_lora_weights: "pissa" }, /init_lora_weights "pissa"/],
    ["no rank", { r: null }, /expected r .* got undefined/],
    ["a rank that is not the weights'", { r: 4 }, /expected rank 4 .* got 2/],
    ["a rank below one", { r: 0 }, /a whole number above 0, got 0/],
    ["an alpha of zero", { lora_alpha: 0 }, /lora_alpha .* a number above 0, got 0/],
    ["targets without weights", { target_modules: ["q_proj", "down_proj", "v_proj"] }, /got none for "v_proj"/],
  ])("refuses %s", (_, keys, message) => {
    expect(() => readPeft(withKeys(keys), weights)).toThrow(AdapterError);
    expect(() => readPeft(withKeys(keys), weights)).toThrow(message);
  });

  test.each<[string, (tensors: Map<string, SafeTensor>) => void, RegExp]>([
    ["a B without its A", (tensors) => tensors.delete(A), /expected .*q_proj.lora_A.weight beside/],
    ["another linear", (tensors) => tensors.set("base_model.model.lm_head.lora_A.weight", zeros(2, 8)), /lm_head/],
    ["a linear in the wrong module", (t) => t.set(A.replace("self_attn", "mlp"), zeros(2, 8)), /mlp.q_proj/],
    ["a vector", (tensors) => tensors.set(A, zeros(16)), /expected a matrix .* got the shape \[16\]/],
    [
      "a name twice",
      (t) => t.set(A.replace(".weight", ".default.weight"), zeros(2, 8)),
      /once, got it with and without/,
    ],
    ["NaN", (t) => t.set(A, { shape: [2, 8], data: new Float32Array(16).fill(NaN) }), /finite weights, got NaN/],
    ["no tensors", (tensors) => tensors.clear(), /expected (LoRA weights|weights for each)/],
  ])("refuses weights with %s", (_, change, message) => {
    expect(() => readPeft(config, changed(change))).toThrow(AdapterError);
    expect(() => readPeft(config, changed(change))).toThrow(message);
  });

  test.each(["", "[]", "null", "{", '"LORA"'])("refuses the config %j", (broken) => {
    expect(() => readPeft(broken, weights)).toThrow(AdapterError);
  });
});
