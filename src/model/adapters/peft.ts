/**
 * LoRA adapters as the Python package PEFT keeps them: a folder with adapter_config.json and
 * adapter_model.safetensors. Bytes in, bytes out; whether an adapter fits a model is decided when it is put on one.
 */
import {
  LORA_TARGETS,
  type LoraConfig,
  loraModule,
  type LoraTarget,
  loraTensorName,
  type LoraTensor,
  type LoraWeights,
} from "./loraWeights.ts";
import { readSafetensors, writeSafetensors } from "./safetensors.ts";

export const ADAPTER_CONFIG = "adapter_config.json";
export const ADAPTER_WEIGHTS = "adapter_model.safetensors";

/** An adapter that is not plain LoRA or not sound; one sentence. */
export class AdapterError extends Error {
  override readonly name = "AdapterError";
}

export interface PeftAdapter {
  readonly weights: LoraWeights;
  /** base_model_name_or_path: shown, never a reason to refuse. */
  readonly baseModel: string | null;
}

type PeftConfig = Readonly<Record<string, unknown>>;

/** Keys that change nothing about what the saved tensors mean. Any other key must be empty (null, false, [], {}). */
const HARMLESS_KEYS = new Set([
  "auto_mapping",
  "base_model_name_or_path",
  "bias",
  "corda_config",
  "ensure_weight_tying",
  "eva_config",
  "inference_mode",
  "init_lora_weights",
  "layers_pattern",
  "loftq_config",
  "lora_alpha",
  "lora_dropout",
  "lora_ga_config",
  "megatron_config",
  "megatron_core",
  "peft_type",
  "peft_version",
  "qalora_group_size",
  "r",
  "revision",
  "target_modules",
  "task_type",
]);

/** Initialisations that leave the base model as it is; the others (PiSSA, OLoRA, LoftQ …) change its weights too. */
const PLAIN_INITIALISATIONS: readonly unknown[] = [undefined, null, true, false, "gaussian", "eva", "orthogonal"];

/**
 * Reads an adapter.
 * @throws AdapterError for anything but plain LoRA of one rank; SafetensorsError for broken weights
 */
export function readPeft(configText: string, weightBytes: Uint8Array): PeftAdapter {
  const config = parseConfig(configText);
  checkPlainLora(config);
  const rank = numberOf(config, "r", undefined, (r) => Number.isInteger(r) && r > 0, "a whole number above 0");
  const alpha = numberOf(config, "lora_alpha", undefined, (a) => a > 0, "a number above 0");
  const dropout = numberOf(config, "lora_dropout", 0, (p) => p >= 0 && p < 1, "at least 0 and below 1");
  const { tensors, targets } = readTensors(weightBytes, rank);
  checkTargets(config["target_modules"], targets);
  const baseModel = config["base_model_name_or_path"];
  return {
    weights: { config: { rank, alpha, dropout, targets }, tensors },
    baseModel: typeof baseModel === "string" ? baseModel : null,
  };
}

/** The two files of an adapter, by name, as PEFT loads them. */
export function writePeft(
  { config, tensors }: LoraWeights,
  baseModel: string | null,
): ReadonlyMap<typeof ADAPTER_CONFIG | typeof ADAPTER_WEIGHTS, string | Uint8Array<ArrayBuffer>> {
  return new Map<typeof ADAPTER_CONFIG | typeof ADAPTER_WEIGHTS, string | Uint8Array<ArrayBuffer>>([
    [ADAPTER_WEIGHTS, writeSafetensors(tensors, { format: "pt" })],
    [ADAPTER_CONFIG, `${JSON.stringify(peftConfig(config, baseModel), null, 2)}\n`],
  ]);
}

/** Every key that PEFT has written since LoRA's options settled (0.9), with its defaults; older and newer ones load it. */
function peftConfig({ rank, alpha, dropout, targets }: LoraConfig, baseModel: string | null): PeftConfig {
  return {
    alpha_pattern: {},
    auto_mapping: null,
    base_model_name_or_path: baseModel,
    bias: "none",
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    layer_replication: null,
    layers_pattern: null,
    layers_to_transform: null,
    loftq_config: {},
    lora_alpha: alpha,
    lora_dropout: dropout,
    megatron_config: null,
    megatron_core: "megatron.core",
    modules_to_save: null,
    peft_type: "LORA",
    r: rank,
    rank_pattern: {},
    revision: null,
    target_modules: targets,
    task_type: "CAUSAL_LM",
    use_dora: false,
    use_rslora: false,
  };
}

function parseConfig(text: string): PeftConfig {
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AdapterError(`expected JSON in ${ADAPTER_CONFIG}, got ${reason} (save the adapter again)`, {
      cause: error,
    });
  }
  if (typeof config !== "object" || config === null || Array.isArray(config)) {
    throw new AdapterError(`expected an object in ${ADAPTER_CONFIG}, got ${JSON.stringify(config).slice(0, 60)}`);
  }
  return config as PeftConfig;
}

function checkPlainLora(config: PeftConfig): void {
  const { peft_type: type, bias = "none", init_lora_weights: initialisation } = config as Record<string, unknown>;
  if (type !== "LORA") {
    throw new AdapterError(`expected peft_type "LORA" in ${ADAPTER_CONFIG}, got ${JSON.stringify(type)}`);
  }
  if (bias !== "none") {
    throw new AdapterError(
      `expected an adapter without biases, got bias ${JSON.stringify(bias)} (merge it in PEFT first)`,
    );
  }
  if (!PLAIN_INITIALISATIONS.includes(initialisation)) {
    throw new AdapterError(
      `expected an adapter that leaves the base model as it is, got init_lora_weights ${JSON.stringify(initialisation)} (convert it to plain LoRA in PEFT first)`,
    );
  }
  for (const [key, value] of Object.entries(config)) {
    if (!HARMLESS_KEYS.has(key) && !isEmpty(value)) {
      throw new AdapterError(
        `expected plain LoRA, got ${key} = ${JSON.stringify(value).slice(0, 80)} in ${ADAPTER_CONFIG} (merge or convert the adapter in PEFT first)`,
      );
    }
  }
}

function isEmpty(value: unknown): boolean {
  return value === null || value === false || (typeof value === "object" && Object.keys(value).length === 0);
}

function numberOf(
  config: PeftConfig,
  key: string,
  fallback: number | undefined,
  sound: (value: number) => boolean,
  expected: string,
): number {
  const value = config[key] ?? fallback;
  if (typeof value !== "number" || !Number.isFinite(value) || !sound(value)) {
    throw new AdapterError(`expected ${key} in ${ADAPTER_CONFIG} to be ${expected}, got ${JSON.stringify(value)}`);
  }
  return value;
}

// "base_model.model.model.layers.3.self_attn.q_proj.lora_A.weight"; ".default" stands there in weights not saved by PEFT.
const TENSOR_NAME =
  /^base_model\.model\.model\.layers\.(\d{1,6})\.(self_attn|mlp)\.(\w+)\.lora_([AB])(?:\.default)?\.weight$/;

function readTensors(
  bytes: Uint8Array,
  rank: number,
): { tensors: ReadonlyMap<string, LoraTensor>; targets: readonly LoraTarget[] } {
  const tensors = new Map<string, LoraTensor>();
  const found = new Set<LoraTarget>();
  for (const [fileName, { shape, data }] of readSafetensors(bytes)) {
    const { name, target, matrix } = parseName(fileName);
    const [rows, columns] = shape;
    if (rows === undefined || columns === undefined || shape.length !== 2) {
      throw new AdapterError(`expected a matrix in ${name}, got the shape [${shape.join(", ")}]`);
    }
    const got = matrix === "A" ? rows : columns;
    if (got !== rank) {
      throw new AdapterError(`expected rank ${rank} (r of ${ADAPTER_CONFIG}) in ${name}, got ${got}`);
    }
    if (tensors.has(name)) {
      throw new AdapterError(`expected ${name} once, got it with and without ".default" (remove one)`);
    }
    const bad = data.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) {
      throw new AdapterError(`expected finite weights, got ${data[bad]} in ${name} (the training had failed)`);
    }
    tensors.set(name, { shape: [rows, columns], data });
    found.add(target);
  }
  for (const name of tensors.keys()) {
    const other = name.includes("lora_A") ? name.replace("lora_A", "lora_B") : name.replace("lora_B", "lora_A");
    if (!tensors.has(other)) {
      throw new AdapterError(`expected ${other} beside ${name}, got none (save the adapter again)`);
    }
  }
  if (tensors.size === 0) {
    throw new AdapterError(`expected LoRA weights in ${ADAPTER_WEIGHTS}, got no tensor`);
  }
  return { tensors, targets: LORA_TARGETS.filter((target) => found.has(target)) };
}

/** A list of targets promises weights for each of them; a pattern ("all-linear", a regular expression) promises nothing. */
function checkTargets(listed: unknown, found: readonly LoraTarget[]): void {
  for (const entry of Array.isArray(listed) ? (listed as readonly unknown[]) : []) {
    const target = LORA_TARGETS.find((candidate) => candidate === String(entry).split(".").at(-1));
    if (target === undefined || !found.includes(target)) {
      throw new AdapterError(
        `expected weights for each of the target_modules in ${ADAPTER_CONFIG}, got none for ${JSON.stringify(entry)}`,
      );
    }
  }
}

function parseName(name: string): { name: string; target: LoraTarget; matrix: "A" | "B" } {
  const [, layer, module, targetName, matrix] = TENSOR_NAME.exec(name) ?? [];
  const target = LORA_TARGETS.find((candidate) => candidate === targetName);
  if (layer === undefined || target === undefined || module !== loraModule(target)) {
    throw new AdapterError(
      `expected LoRA weights of ${LORA_TARGETS.join(", ")}, got ${JSON.stringify(name.slice(0, 120))} (train or convert without it)`,
    );
  }
  const side = matrix === "A" ? "A" : "B";
  return { name: loraTensorName(Number(layer), target, side), target, matrix: side };
}
