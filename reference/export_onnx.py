"""A GGUF Llama as ONNX, for bench/browser.mjs: the same weights, dequantized to f32, in standard operators only.

    python export_onnx.py MODEL.gguf OUT.onnx           # f32, weights in OUT.onnx.data
    python export_onnx.py MODEL.gguf OUT.onnx --bits 4  # linears as MatMulNBits, blocks of 32, quantized anew

Input: input_ids (T) int64, T up to 512. Output: logits (1, V) f32 of the last token.
"""

import argparse
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from smollm import read_metadata, read_weights

CONTEXT = 512


class Graph:
    """Collects nodes and initializers; every method gives the name of its output."""

    def __init__(self):
        self.nodes, self.initializers, self.count = [], [], 0

    def constant(self, name: str, values: np.ndarray) -> str:
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def op(self, kind: str, *inputs: str, **attributes) -> str:
        self.count += 1
        output = f"{kind}_{self.count}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], name=output, **attributes))
        return output

    def ints(self, *values: int) -> str:
        name = "ints_" + "_".join(str(value) for value in values).replace("-", "m")
        if all(tensor.name != name for tensor in self.initializers):
            self.constant(name, np.array(values, dtype=np.int64))
        return name


def build(path: Path) -> onnx.ModelProto:
    metadata, weights = read_metadata(path), read_weights(path)
    layers = metadata["llama.block_count"]
    heads = metadata["llama.attention.head_count"]
    kv_heads = metadata.get("llama.attention.head_count_kv", heads)
    hidden = metadata["llama.embedding_length"]
    size = metadata.get("llama.attention.key_length", hidden // heads)
    theta = metadata.get("llama.rope.freq_base", 10000.0)
    eps = metadata["llama.attention.layer_norm_rms_epsilon"]
    if "rope_freqs.weight" in weights:
        raise SystemExit("expected a model without rope_freqs.weight, got one (Llama 3's scaling is not exported)")

    g = Graph()
    f32 = np.float32
    g.constant("eps", np.array(eps, f32))
    g.constant("embedding", weights["token_embd.weight"])
    angles = np.arange(CONTEXT)[:, None] * theta ** (-2.0 * np.arange(size // 2) / size)
    # (T, 1, D/2, 1): one angle for both numbers of a pair, all heads
    g.constant("cosines", np.cos(angles).astype(f32)[:, None, :, None])
    g.constant("sines", np.sin(angles).astype(f32)[:, None, :, None])
    g.constant("mask", np.triu(np.full((CONTEXT, CONTEXT), -1e9, f32), 1))
    g.constant("scale", np.array(size**-0.5, f32))

    def norm(x: str, name: str) -> str:
        mean = g.op("ReduceMean", g.op("Mul", x, x), g.ints(-1), keepdims=1)
        root = g.op("Sqrt", g.op("Add", mean, "eps"))
        return g.op("Mul", g.op("Div", x, root), g.constant(name, weights[f"{name}.weight"]))

    def linear(x: str, name: str) -> str:
        return g.op("MatMul", x, g.constant(name, weights[f"{name}.weight"].T))

    def rows_of(table: str, axes: str) -> str:
        return g.op("Slice", table, g.ints(*[0] * len(axes.split())), g.op("Concat", *axes.split(), axis=0))

    length = g.op("Shape", "input_ids")
    cosines = g.op("Slice", "cosines", g.ints(0), length, g.ints(0))
    sines = g.op("Slice", "sines", g.ints(0), length, g.ints(0))
    mask = rows_of("mask", f"{length} {length}")

    def rotate(x: str, count: int) -> str:
        """(T, count·D) to (count, T, D), pairs side by side as GGUF has them."""
        pairs = g.op("Reshape", x, g.ints(-1, count, size // 2, 2))
        even = g.op("Slice", pairs, g.ints(0), g.ints(1), g.ints(3))
        odd = g.op("Slice", pairs, g.ints(1), g.ints(2), g.ints(3))
        first = g.op("Sub", g.op("Mul", even, cosines), g.op("Mul", odd, sines))
        second = g.op("Add", g.op("Mul", even, sines), g.op("Mul", odd, cosines))
        turned = g.op("Reshape", g.op("Concat", first, second, axis=3), g.ints(-1, count, size))
        return g.op("Transpose", turned, perm=[1, 0, 2])

    def grouped(x: str) -> str:
        """(KVH, T, D) to (KVH, 1, T, D): broadcast over the query heads of a group."""
        return g.op("Unsqueeze", x, g.ints(1))

    x = g.op("Gather", "embedding", "input_ids")
    for layer in range(layers):
        block = f"blk.{layer}"
        h = norm(x, f"{block}.attn_norm")
        q = rotate(linear(h, f"{block}.attn_q"), heads)
        k = rotate(linear(h, f"{block}.attn_k"), kv_heads)
        v = g.op("Reshape", linear(h, f"{block}.attn_v"), g.ints(-1, kv_heads, size))
        v = g.op("Transpose", v, perm=[1, 0, 2])
        q = g.op("Reshape", q, g.ints(kv_heads, heads // kv_heads, -1, size))
        scores = g.op("MatMul", q, g.op("Transpose", grouped(k), perm=[0, 1, 3, 2]))
        scores = g.op("Add", g.op("Mul", scores, "scale"), mask)
        o = g.op("MatMul", g.op("Softmax", scores, axis=-1), grouped(v))
        o = g.op("Transpose", g.op("Reshape", o, g.ints(heads, -1, size)), perm=[1, 0, 2])
        o = g.op("Reshape", o, g.ints(-1, heads * size))
        x = g.op("Add", x, linear(o, f"{block}.attn_output"))
        h = norm(x, f"{block}.ffn_norm")
        gate, up = linear(h, f"{block}.ffn_gate"), linear(h, f"{block}.ffn_up")
        silu = g.op("Mul", gate, g.op("Sigmoid", gate))
        x = g.op("Add", x, linear(g.op("Mul", silu, up), f"{block}.ffn_down"))
    last = norm(g.op("Slice", x, g.ints(-1), g.ints(CONTEXT), g.ints(0)), "output_norm")
    if "output.weight" in weights:
        logits = linear(last, "output")
    else:
        logits = g.op("Gemm", last, "embedding", transB=1)

    vocabulary = weights["token_embd.weight"].shape[0]
    graph = helper.make_graph(
        g.nodes,
        path.stem,
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["T"])],
        [helper.make_tensor_value_info(logits, TensorProto.FLOAT, [1, vocabulary])],
        g.initializers,
    )
    graph.output[0].name = "logits"
    for node in graph.node:
        node.output[:] = ["logits" if name == logits else name for name in node.output]
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--bits", type=int, choices=[4, 32], default=32)
    arguments = parser.parse_args()
    model = build(arguments.model)
    if arguments.bits == 4:
        from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

        quantizer = MatMulNBitsQuantizer(model, block_size=32, is_symmetric=False)
        quantizer.process()
        model = quantizer.model.model
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    data = f"{arguments.out.name}.data"
    arguments.out.with_name(data).unlink(missing_ok=True)  # onnx would append to an earlier one
    onnx.save_model(model, arguments.out, save_as_external_data=True, location=data, size_threshold=1024)
    onnx.checker.check_model(str(arguments.out))


if __name__ == "__main__":
    main()
