"""The bundled file's tensor types, and the same rounding in PyTorch with straight-through gradients.

Linears Q4_0, embedding (also the tied head) Q5_0, norms F32; the formulas are ggml's reference
quantizers (ggml-quants.c: quantize_row_q4_0_ref, quantize_row_q5_0_ref).
"""

import torch
from gguf import GGMLQuantizationType
from torch import Tensor


def tensor_type(name: str) -> GGMLQuantizationType:
    if "norm" in name:
        return GGMLQuantizationType.F32
    return GGMLQuantizationType.Q5_0 if name == "token_embd.weight" else GGMLQuantizationType.Q4_0


def fake_quantize(name: str, weight: Tensor) -> Tensor:
    """The weight as the file will hold it; its gradient passes through unchanged."""
    kind = tensor_type(name)
    if kind == GGMLQuantizationType.F32:
        return weight
    with torch.no_grad():
        blocks = weight.reshape(-1, 32)
        half = 16 if kind == GGMLQuantizationType.Q5_0 else 8
        largest = blocks.gather(1, blocks.abs().argmax(1, keepdim=True))
        scale = largest / -half
        inverse = torch.where(scale == 0, 0.0, 1 / scale)
        levels = (blocks * inverse + (half + 0.5)).floor_().clamp_(0, 2 * half - 1) - half
        rounded = (levels * scale.half().float()).reshape(weight.shape)
        difference = rounded - weight
    return weight + difference
