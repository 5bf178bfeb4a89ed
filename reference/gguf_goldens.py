"""Golden files of the GGUF reader and the repacking (src/model/gguf), made with the Python package gguf.

    python gguf_goldens.py

writes reference/goldens/gguf/:
    blocks.json                 shape (N, K) of each type's blocks; sha256 of all finite f16 values as f32
    {TYPE}.bin, {TYPE}.f32      random blocks and what gguf.dequantize makes of them
    tiny.gguf, tiny.json        a Llama of two layers with most types and metadata of every kind; what it holds
    split-0000?-of-00002.gguf   the same kind of Llama in two files; split.json
"""

import hashlib
import json
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType as Type
from gguf import GGUFReader, GGUFValueType, GGUFWriter, dequantize, quantize
from gguf.constants import GGML_QUANT_SIZES

OUT = Path(__file__).parent / "goldens" / "gguf"
FLOATS = [Type.F32, Type.F16, Type.BF16]
BLOCKS_OF_32 = [Type.Q4_0, Type.Q4_1, Type.Q5_0, Type.Q5_1, Type.Q8_0]
BLOCKS_OF_256 = [Type.Q4_K, Type.Q5_K, Type.Q6_K]
# Byte offsets of a block's f16 scales: the rest may be any bytes.
HALVES = {
    Type.Q4_0: [0],
    Type.Q4_1: [0, 2],
    Type.Q5_0: [0],
    Type.Q5_1: [0, 2],
    Type.Q8_0: [0],
    Type.Q4_K: [0, 2],
    Type.Q5_K: [0, 2],
    Type.Q6_K: [208],
}


def sha256(array: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def random_halves(rng: np.random.Generator, count: int) -> np.ndarray:
    """f16 scales: mostly as in real models, a third subnormal, some zeros of either sign and some large ones."""
    halves = rng.normal(0, 0.02, count).astype(np.float16)
    bits = halves.view(np.uint16)
    kind = rng.integers(0, 12, count)
    bits[kind < 4] = rng.integers(0, 0x400, (kind < 4).sum()) | (rng.integers(0, 2, (kind < 4).sum()) << 15)
    bits[kind == 4] = 0x0000
    bits[kind == 5] = 0x8000
    halves[kind == 6] = rng.uniform(-8000, 8000, (kind == 6).sum()).astype(np.float16)
    return halves


def random_blocks(rng: np.random.Generator, kind: Type, rows: int, columns: int) -> np.ndarray:
    """(rows, bytes per row): the first half of the rows quantized from normal values where gguf can, the rest raw."""
    block_size, block_bytes = GGML_QUANT_SIZES[kind]
    blocks = rng.integers(0, 256, (rows * columns // block_size, block_bytes), dtype=np.uint8)
    for offset in HALVES[kind]:
        blocks[:, offset : offset + 2] = random_halves(rng, len(blocks)).view(np.uint8).reshape(-1, 2)
    blocks = blocks.reshape(rows, -1)
    if kind in BLOCKS_OF_32:
        half = rows // 2
        blocks[:half] = quantize(rng.normal(0, 0.05, (half, columns)).astype(np.float32), kind)
    return blocks


def random_floats(rng: np.random.Generator, kind: Type, rows: int, columns: int) -> np.ndarray:
    """(rows, columns) with the special values in the first row."""
    values = rng.normal(0, 0.05, (rows, columns)).astype(np.float32)
    values[0, :8] = [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-40, -6e-8, 65504.0]
    return quantize(values, kind).view(np.uint8).reshape(rows, -1)


def write_blocks(rng: np.random.Generator) -> None:
    shapes = {}
    for kind in FLOATS + BLOCKS_OF_32 + BLOCKS_OF_256:
        # 19 and 11 rows: neither a multiple of the padding to 8 nor within one group of rows packed together
        rows, columns = (19, 36) if kind in FLOATS else (19, 96) if kind in BLOCKS_OF_32 else (11, 512)
        make = random_floats if kind in FLOATS else random_blocks
        data = make(rng, kind, rows, columns)
        values = dequantize(data, kind)
        assert values.shape == (rows, columns) and values.dtype == np.float32
        (OUT / f"{kind.name}.bin").write_bytes(data.tobytes())
        (OUT / f"{kind.name}.f32").write_bytes(values.tobytes())
        shapes[kind.name] = [rows, columns]
    halves = np.arange(0x10000, dtype=np.uint16)
    finite = halves[(halves & 0x7C00) != 0x7C00].view(np.float16).astype(np.float32)
    golden = {"shapes": shapes, "finiteF16Sha256": sha256(finite)}
    (OUT / "blocks.json").write_text(json.dumps(golden, indent=1) + "\n")


def add_llama(writer: GGUFWriter, rng: np.random.Generator, layers: int, hidden: int, kinds: list[Type]) -> None:
    """Metadata and tensors of a random Llama with two query heads per key-value head."""
    heads, kv_heads, feed_forward = 4, 2, hidden + 32
    tokens = ["<unk>", "<s>", "</s>", "\ufeff", "é", "👩‍👧", ""] + [f"t{i}" for i in range(33)]
    writer.add_name("tiny")
    writer.add_block_count(layers)
    writer.add_context_length(128)
    writer.add_embedding_length(hidden)
    writer.add_feed_forward_length(feed_forward)
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(50000.0)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([-float(i) for i in range(len(tokens))])
    writer.add_token_types([1] * len(tokens))
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    width, kv_width = hidden, hidden // heads * kv_heads
    used = 0

    def add(name: str, *shape: int) -> None:
        nonlocal used
        kind = Type.F32 if len(shape) == 1 else kinds[used % len(kinds)]
        used += len(shape) == 2
        data = quantize(rng.normal(0, 0.05, shape).astype(np.float32), kind)
        writer.add_tensor(name, data, raw_dtype=kind)

    add("token_embd.weight", len(tokens), hidden)
    for i in range(layers):
        add(f"blk.{i}.attn_norm.weight", hidden)
        add(f"blk.{i}.attn_q.weight", width, hidden)
        add(f"blk.{i}.attn_k.weight", kv_width, hidden)
        add(f"blk.{i}.attn_v.weight", kv_width, hidden)
        add(f"blk.{i}.attn_output.weight", hidden, width)
        add(f"blk.{i}.ffn_norm.weight", hidden)
        add(f"blk.{i}.ffn_gate.weight", feed_forward, hidden)
        add(f"blk.{i}.ffn_up.weight", feed_forward, hidden)
        add(f"blk.{i}.ffn_down.weight", hidden, feed_forward)
    add("output_norm.weight", hidden)
    add("output.weight", len(tokens), hidden)
    writer.add_tensor("rope_freqs.weight", np.linspace(1, 8, hidden // heads // 2).astype(np.float32))


def describe(paths: list[Path]) -> dict[str, dict]:
    """What gguf's own reader finds: type, shape [N, K], place, and sha256 of the values."""
    return {
        tensor.name: {
            "file": path.name,
            "type": tensor.tensor_type.name,
            "shape": [int(size) for size in reversed(tensor.shape)],
            "offset": int(tensor.data_offset),
            "byteLength": int(tensor.n_bytes),
            "sha256": sha256(dequantize(tensor.data, tensor.tensor_type)),
        }
        for path in paths
        for tensor in GGUFReader(path).tensors
    }


def write_tiny(rng: np.random.Generator) -> None:
    path = OUT / "tiny.gguf"
    writer = GGUFWriter(path, "llama")
    writer.add_custom_alignment(64)
    # kind of value, its GGUF type, the value: the same again in tiny.json (64-bit ones there as text)
    kinds = [
        ("uint8", GGUFValueType.UINT8, 200),
        ("int8", GGUFValueType.INT8, -100),
        ("uint16", GGUFValueType.UINT16, 60000),
        ("int16", GGUFValueType.INT16, -30000),
        ("uint32", GGUFValueType.UINT32, 4000000000),
        ("int32", GGUFValueType.INT32, -2000000000),
        ("float32", GGUFValueType.FLOAT32, 0.15625),
        ("bool", GGUFValueType.BOOL, True),
        ("string", GGUFValueType.STRING, "naïve 👩‍👧 \ufeff"),
        ("uint64", GGUFValueType.UINT64, 1 << 40),
        ("uint64.large", GGUFValueType.UINT64, (1 << 64) - 1),
        ("int64.large", GGUFValueType.INT64, -(1 << 63)),
        ("int64", GGUFValueType.INT64, -(1 << 50)),
        ("float64", GGUFValueType.FLOAT64, 0.1),
    ]
    for name, kind, value in kinds:
        writer.add_key_value(f"test.{name}", value, kind)
    nested = [[1, 2, 3], [4], [-5, 6]]
    words = [["a", "bc"], ["dé"]]
    writer.add_array("test.bools", [True, False, True])
    writer.add_array("test.floats", [0.5, -0.25])
    writer.add_key_value("test.uint64s", [1, (1 << 64) - 1], GGUFValueType.ARRAY, GGUFValueType.UINT64)
    writer.add_array("test.nested", nested)
    writer.add_array("test.nestedStrings", words)
    types = [Type.Q8_0, Type.Q4_0, Type.Q4_1, Type.Q5_0, Type.Q5_1, Type.F16, Type.BF16, Type.F32]
    add_llama(writer, rng, layers=2, hidden=64, kinds=types)
    finish(writer)
    expected = {name: str(value) if "int64" in name else value for name, _, value in kinds}
    arrays = {"bools": [True, False, True], "floats": [0.5, -0.25], "nested": nested, "nestedStrings": words}
    golden = {"scalars": expected, "arrays": arrays, "tensors": describe([path])}
    (OUT / "tiny.json").write_text(json.dumps(golden, indent=1, ensure_ascii=False) + "\n")


def write_split(rng: np.random.Generator) -> None:
    writer = GGUFWriter(OUT / "split.gguf", "llama", split_max_tensors=7)
    add_llama(writer, rng, layers=1, hidden=32, kinds=[Type.Q4_1, Type.Q8_0])
    finish(writer)
    paths = sorted(OUT.glob("split-*.gguf"))
    assert len(paths) == 2, paths
    (OUT / "split.json").write_text(json.dumps({"tensors": describe(paths)}, indent=1) + "\n")


def finish(writer: GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(20240607)
    write_blocks(rng)
    write_tiny(rng)
    write_split(rng)


if __name__ == "__main__":
    main()
