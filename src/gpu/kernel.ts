/**
 * A kernel is data: source, entry point, bindings, parameters, workgroup count. One executor (CommandQueue) runs them all.
 *
 * Conventions every shader follows (a reflection test holds them): group 0; storage bindings numbered 0… in the order
 * of `bindings`; the parameters are one uniform struct `Params` at the next binding, its fields in the order of `params`.
 */
import { preprocess, type ProcessedShader } from "./preprocess.ts";

export type BindingAccess = "read" | "read_write";
export type ParamType = "u32" | "i32" | "f32";

export interface KernelDefinition<B extends string = string, P extends string = string> {
  /** "file.entry", e.g. "rmsnorm.forward"; the file is shaders/<file>.wgsl. */
  readonly name: string;
  readonly source: string;
  readonly entryPoint: string;
  readonly fragments?: Readonly<Record<string, string>>;
  readonly bindings: Readonly<Record<B, BindingAccess>>;
  readonly params: Readonly<Record<P, ParamType>>;
  /** Defaults of the WGSL `override` constants; a dispatch may give others (each combination is one pipeline). */
  readonly constants: Readonly<Record<string, number>>;
  readonly workgroups: (
    params: Readonly<Record<NoInfer<P>, number>>, // P is what `params` lists, also where this function needs fewer
    constants: Readonly<Record<string, number>>,
  ) => readonly [number, number?, number?];
}

/** Gives a kernel its types; a definition registers nowhere. */
export function defineKernel<B extends string, P extends string>(
  definition: KernelDefinition<B, P>,
): KernelDefinition<B, P> {
  return definition;
}

/** Size of a Params struct in bytes: 4 a field, rounded up to 16 as uniform buffers want. */
export function paramsSize(kernel: KernelDefinition): number {
  return Math.max(16, Math.ceil((Object.keys(kernel.params).length * 4) / 16) * 16);
}

/** The shader with imports resolved. */
export function kernelShader(kernel: KernelDefinition, features: ReadonlySet<string> = new Set()): ProcessedShader {
  const file = kernel.name.slice(0, kernel.name.indexOf("."));
  return preprocess(`shaders/${file}.wgsl`, kernel.source, kernel.fragments, features);
}

interface CompiledPipeline {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/** Pipelines of one device: compiled asynchronously by `prepare`, found synchronously by `get`. */
export class PipelineCache {
  readonly #device: GPUDevice;
  readonly #compiled = new Map<string, CompiledPipeline>();
  readonly #pending = new Map<string, Promise<void>>();
  /** By their code: a file's entry points share one, unless their fragments differ. */
  readonly #modules = new Map<string, Promise<GPUShaderModule>>();
  readonly #layouts = new Map<string, { layout: GPUBindGroupLayout; pipelineLayout: GPUPipelineLayout }>();

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** Compiles a kernel with the given constants unless that has been done; rejects with the shader's file and line. */
  prepare(kernel: KernelDefinition, constants: Readonly<Record<string, number>> = {}): Promise<void> {
    const key = pipelineKey(kernel, constants);
    let pending = this.#pending.get(key);
    if (pending === undefined) {
      pending = this.#compile(key, kernel, constants);
      this.#pending.set(key, pending);
    }
    return pending;
  }

  /** The compiled pipeline; throws when `prepare` has not finished (a programming error, not the user's). */
  get(kernel: KernelDefinition, constants: Readonly<Record<string, number>>): CompiledPipeline {
    const compiled = this.#compiled.get(pipelineKey(kernel, constants));
    if (compiled === undefined) {
      throw new Error(`kernel ${pipelineKey(kernel, constants)} was dispatched before it was prepared`);
    }
    return compiled;
  }

  /** Forgets a pipeline that nothing will dispatch any more, one that is still being compiled or failed to be, too. */
  drop(kernel: KernelDefinition, constants: Readonly<Record<string, number>> = {}): void {
    const key = pipelineKey(kernel, constants);
    const pending = this.#pending.get(key);
    if (pending === undefined) return;
    this.#pending.delete(key);
    const forget = (): void => {
      if (!this.#pending.has(key)) this.#compiled.delete(key); // else it is wanted again
    };
    forget();
    pending.then(forget, () => undefined);
  }

  async #compile(key: string, kernel: KernelDefinition, constants: Readonly<Record<string, number>>): Promise<void> {
    const shader = kernelShader(kernel);
    let pending = this.#modules.get(shader.code);
    if (pending === undefined) {
      pending = this.#module(kernel.name, shader);
      this.#modules.set(shader.code, pending);
    }
    const module = await pending;
    const { layout, pipelineLayout } = this.#layout(kernel);
    const pipeline = await this.#device.createComputePipelineAsync({
      label: key,
      layout: pipelineLayout,
      compute: { module, entryPoint: kernel.entryPoint, constants: { ...kernel.constants, ...constants } },
    });
    this.#compiled.set(key, { pipeline, layout });
  }

  async #module(name: string, shader: ProcessedShader): Promise<GPUShaderModule> {
    // The scope takes the device's own report of a compile error: it cites the preprocessed code, ours the file.
    this.#device.pushErrorScope("validation");
    const module = this.#device.createShaderModule({ label: name, code: shader.code });
    const scope = this.#device.popErrorScope();
    const info = await module.getCompilationInfo();
    await scope;
    const errors = info.messages.filter((message) => message.type === "error");
    if (errors.length > 0) {
      const cited = errors.map((message) => {
        const origin = shader.origins[message.lineNum - 1];
        return `${origin?.file ?? name}:${origin?.line ?? message.lineNum}:${message.linePos} ${message.message}`;
      });
      throw new Error(cited.join("\n"));
    }
    return module;
  }

  #layout(kernel: KernelDefinition): { layout: GPUBindGroupLayout; pipelineLayout: GPUPipelineLayout } {
    const accesses = Object.values(kernel.bindings);
    const key = `${accesses.join()}|${paramsSize(kernel)}`;
    let found = this.#layouts.get(key);
    if (found === undefined) {
      const layout = this.#device.createBindGroupLayout({
        entries: [
          ...accesses.map((access, binding) => ({
            binding,
            visibility: 4,
            buffer: { type: access === "read" ? ("read-only-storage" as const) : ("storage" as const) },
          })),
          {
            binding: accesses.length,
            visibility: 4,
            buffer: { type: "uniform" as const, hasDynamicOffset: true, minBindingSize: paramsSize(kernel) },
          },
        ],
      });
      found = { layout, pipelineLayout: this.#device.createPipelineLayout({ bindGroupLayouts: [layout] }) };
      this.#layouts.set(key, found);
    }
    return found;
  }
}

function pipelineKey(kernel: KernelDefinition, constants: Readonly<Record<string, number>>): string {
  let key = kernel.name;
  for (const [name, value] of Object.entries(constants)) {
    key += ` ${name}=${value}`;
  }
  return key;
}
