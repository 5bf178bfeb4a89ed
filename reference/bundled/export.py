"""Writes a healed state as GGUF, quantized, and checks it by loading it back.

    python -m bundled.export --run RUN --out ../public/models/obp-mini.gguf

(from the folder `reference`).
"""

import argparse
import json
from pathlib import Path

import gguf
import numpy as np
import torch
from transformers import AutoModelForCausalLM

from smollm import read_metadata, read_weights, smollm2_path
from .quantize import fake_quantize, tensor_type
from .student import FEED_FORWARD, HEAD_DIM, HEADS, HIDDEN, KV_HEADS, NORM_EPS, ROPE_THETA, Student

CONTEXT = 2048


def write(run: Path, out: Path) -> None:
    vocabulary = json.loads((run / "vocabulary.json").read_text())
    weights = torch.load(run / "state.pt")["weights"]
    layers = 1 + max(int(name.split(".")[1]) for name in weights if name.startswith("blk."))
    ids = {token: i for i, token in enumerate(vocabulary["tokens"])}
    source = read_metadata(smollm2_path())
    special = {key: source["tokenizer.ggml.tokens"][source[f"tokenizer.ggml.{key}_token_id"]] for key in ("bos", "eos")}

    writer = gguf.GGUFWriter(out, "llama")
    writer.add_name("OBP Mini")
    writer.add_description("Small Llama for few-shot entity extraction, cut from SmolLM2-135M-Instruct and healed")
    writer.add_license("apache-2.0")
    writer.add_base_model_count(1)
    writer.add_base_model_name(0, "SmolLM2-135M-Instruct")
    writer.add_base_model_organization(0, "HuggingFaceTB")
    writer.add_block_count(layers)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(HIDDEN)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_rope_dimension_count(HEAD_DIM)
    writer.add_rope_freq_base(ROPE_THETA)
    writer.add_layer_norm_rms_eps(NORM_EPS)
    writer.add_vocab_size(len(ids))
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q4_0)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(vocabulary["tokens"])
    writer.add_token_types(vocabulary["token_types"])
    writer.add_token_merges(vocabulary["merges"])
    writer.add_bos_token_id(ids[special["bos"]])
    writer.add_eos_token_id(ids[special["eos"]])
    writer.add_add_bos_token(False)
    for name, weight in weights.items():
        kind = tensor_type(name)
        data = weight.numpy().astype(np.float32)
        if kind != gguf.GGMLQuantizationType.F32:
            data = gguf.quantize(data, kind)
        writer.add_tensor(name, data, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()

    # The fake quantizer of healing must be the file's: else the last phase trained another model.
    written = read_weights(out)
    for name, weight in weights.items():
        worst = float(np.abs(written[name] - fake_quantize(name, weight).numpy()).max())
        if worst > 1e-6:
            raise SystemExit(f"expected {name} as healing saw it, got values {worst} apart")
    print(f"largest logit difference to transformers: {compare_with_transformers(weights, out):.2e}")
    print(f"{out}: {out.stat().st_size:,} bytes, {layers} layers, {len(ids)} tokens")


@torch.no_grad()
def compare_with_transformers(weights: dict[str, torch.Tensor], out: Path) -> float:
    """Largest difference of logits between healing's own model and the file read by transformers."""
    student = Student(weights)
    student.quantizer = fake_quantize
    ids = torch.arange(300, 360)
    ours = student(ids[:20], ids[None, 20:], torch.ones(1, 40, dtype=torch.bool))
    model = AutoModelForCausalLM.from_pretrained(str(out.parent), gguf_file=out.name, dtype=torch.float32)
    return float((model(input_ids=ids[None]).logits[0, 20:] - ours).abs().max())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    write(options.run, options.out)
