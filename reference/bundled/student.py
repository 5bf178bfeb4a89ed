"""A small Llama in plain PyTorch, made for healing: one shared prompt header, logits on few rows.

Weights keep GGUF's names and row order (q and k rows permuted), so RoPE is the interleaved form and
nothing is converted on export. All prompts begin with the same header; its keys and values are
computed once per batch and attended to by every row.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

HIDDEN, HEADS, KV_HEADS, HEAD_DIM, FEED_FORWARD = 576, 9, 3, 64, 1536
ROPE_THETA, NORM_EPS = 100000.0, 1e-5
LINEARS = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")


class Student(nn.Module):
    """`weights`: GGUF name → tensor (out, in), layers numbered from 0 without gaps, tied embedding."""

    def __init__(self, weights: dict[str, Tensor]) -> None:
        super().__init__()
        self.names = list(weights)
        self.layers = 1 + max(int(name.split(".")[1]) for name in weights if name.startswith("blk."))
        self.weights = nn.ParameterDict({name.replace(".", "/"): nn.Parameter(w.clone()) for name, w in weights.items()})
        # Replaced by a fake quantizer in the last phase; name → weight as the file will hold it.
        self.quantizer = lambda name, weight: weight
        self.current: dict[str, Tensor] = {}

    def weight(self, name: str) -> Tensor:
        return self.current[name]

    def state(self) -> dict[str, Tensor]:
        return {name: self.weights[name.replace(".", "/")].detach() for name in self.names}

    def forward(self, header: Tensor, body: Tensor, rows: Tensor) -> Tensor:
        """header (H), body (B, T) right-padded, rows (B, T) bool → logits (rows.sum(), V)."""
        self.current = {n: self.quantizer(n, self.weights[n.replace(".", "/")]) for n in self.names}
        embedding = self.weight("token_embd.weight")
        H, (B, T) = header.shape[0], body.shape
        x, y = embedding[header][None], embedding[body]
        cos, sin = rope_table(H + T)
        header_mask = torch.ones(H, H, dtype=torch.bool).tril()
        body_mask = torch.ones(T, H + T, dtype=torch.bool).tril(H)
        for layer in range(self.layers):
            block = f"blk.{layer}."
            last = layer == self.layers - 1
            qx, kx, vx = self.project(block, x, cos[:H], sin[:H])
            qy, ky, vy = self.project(block, y, cos[H:], sin[H:])
            keys = torch.cat([kx.expand(B, -1, -1, -1), ky], 2)
            values = torch.cat([vx.expand(B, -1, -1, -1), vy], 2)
            y = self.finish(block, y, attention(qy, keys, values, body_mask))
            if not last:
                x = self.finish(block, x, attention(qx, kx, vx, header_mask))
        y = norm(y[rows], self.weight("output_norm.weight"))
        return y @ embedding.T

    def project(self, block: str, x: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        h = norm(x, self.weight(block + "attn_norm.weight"))
        q, k, v = (F.linear(h, self.weight(f"{block}attn_{name}.weight")) for name in "qkv")
        B, T, _ = x.shape
        q = rotate(q.view(B, T, HEADS, HEAD_DIM).transpose(1, 2), cos, sin)
        k = rotate(k.view(B, T, KV_HEADS, HEAD_DIM).transpose(1, 2), cos, sin)
        return q, k, v.view(B, T, KV_HEADS, HEAD_DIM).transpose(1, 2)

    def finish(self, block: str, x: Tensor, mixed: Tensor) -> Tensor:
        x = x + F.linear(mixed, self.weight(block + "attn_output.weight"))
        h = norm(x, self.weight(block + "ffn_norm.weight"))
        gate = F.silu(F.linear(h, self.weight(block + "ffn_gate.weight")))
        return x + F.linear(gate * F.linear(h, self.weight(block + "ffn_up.weight")), self.weight(block + "ffn_down.weight"))


def norm(x: Tensor, weight: Tensor) -> Tensor:
    return F.rms_norm(x, (x.shape[-1],), weight, NORM_EPS)


def rope_table(length: int) -> tuple[Tensor, Tensor]:
    """cos and sin (length, HEAD_DIM / 2), angles in f64."""
    frequency = ROPE_THETA ** (-torch.arange(0, HEAD_DIM, 2, dtype=torch.float64) / HEAD_DIM)
    angle = torch.arange(length, dtype=torch.float64)[:, None] * frequency
    return angle.cos().float(), angle.sin().float()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Interleaved RoPE of x (B, heads, T, HEAD_DIM)."""
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], -1).flatten(-2)


def attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
    """Grouped-query attention; (B, heads, T, HEAD_DIM) → (B, T, HIDDEN)."""
    groups = HEADS // KV_HEADS
    k, v = k.repeat_interleave(groups, 1), v.repeat_interleave(groups, 1)
    mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    return mixed.transpose(1, 2).flatten(2)


def cut_from_source(source: dict[str, Tensor], layers: list[int], old_ids: list[int]) -> dict[str, Tensor]:
    """The source's chosen layers, renumbered, with the embedding rows of the kept tokens."""
    cut = {"token_embd.weight": source["token_embd.weight"][old_ids], "output_norm.weight": source["output_norm.weight"]}
    for new, old in enumerate(layers):
        prefix = f"blk.{old}."
        cut |= {f"blk.{new}." + name[len(prefix) :]: w for name, w in source.items() if name.startswith(prefix)}
    return cut
