"""The method's three losses on a transformers Llama, with or without a PEFT adapter (OBP-LLM, Eq. 1-13).

Everything is a plain function of one forward pass, so that any loop (goldens, several processes) can divide by the
counts of its whole optimizer step:

    supervised fine-tuning   token mean of the response's cross-entropy (Eq. 1, 2)
    contrastive              mean over the prompts that have an entity (Eq. 3, 4); total = sft + 0.01 · contrastive (Eq. 5)
    preferences              mean over pairs of −log σ(margin) + 0.2 · token mean of the chosen answers' cross-entropy
                             (Eq. 12, 13; Rafailov et al. 2023, Eq. 7)
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from transformers.models.llama.modeling_llama import apply_rotary_pos_emb

CONTRASTIVE_WEIGHT, BETA, SFT_ALPHA = 0.01, 0.1, 0.2


def response_logprobs(model: torch.nn.Module, ids: list[int], start: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Of the tokens from `start` on, end token included: the logits (R, V) that predict them, their log-probabilities."""
    tokens = torch.tensor(ids, device=next(model.parameters()).device)
    count = len(ids) - start
    # Only these logits are made: with a large vocabulary the prompt's would cost as much as several layers.
    logits = model(input_ids=tokens[None], use_cache=False, logits_to_keep=count + 1).logits[0, :-1]
    return logits, F.log_softmax(logits, -1).gather(1, tokens[start:, None])[:, 0]


def sft_loss(logprobs: torch.Tensor, step_tokens: int) -> torch.Tensor:
    """One sequence's share of the token mean over the `step_tokens` supervised tokens of an optimizer step."""
    return -logprobs.sum() / step_tokens


def contrastive_layer(layers: int) -> int:
    """Layer 26 of 32, counted from 0, and the same share of another depth."""
    return min(layers - 1, int(26 * layers / 32 + 0.5))


class QueryKeys:
    """Records what q_proj and k_proj of a layer give, LoRA included, in the forward pass run inside the `with`."""

    def __init__(self, model: torch.nn.Module, layer: int) -> None:
        modules = dict(model.named_modules())
        # The path in front of these names differs between a plain model, a PEFT one and one that accelerate wraps.
        self.attention = next((m for n, m in modules.items() if n.endswith(f"layers.{layer}.self_attn")), None)
        self.rotary = next(m for n, m in modules.items() if n.endswith("rotary_emb"))
        if self.attention is None:
            raise ValueError(f"expected a layer of the model, got {layer} (layers count from 0)")

    def __enter__(self) -> "QueryKeys":
        def record(name: str):
            return lambda _module, _inputs, output: setattr(self, name, output)

        self.hooks = [
            self.attention.q_proj.register_forward_hook(record("q")),
            self.attention.k_proj.register_forward_hook(record("k")),
        ]
        return self

    def __exit__(self, *_) -> None:
        for hook in self.hooks:
            hook.remove()

    def heads(self, rope: str = "pre") -> tuple[torch.Tensor, torch.Tensor]:
        """Queries (T, H, D) and keys (T, KVH, D), before RoPE ("pre") or after ("post")."""
        size = self.attention.head_dim
        q, k = (x[0].unflatten(-1, (-1, size)) for x in (self.q, self.k))
        if rope == "pre":
            return q, k
        if rope != "post":
            raise ValueError(f'expected rope to be "pre" or "post", got "{rope}"')
        cos, sin = self.rotary(self.q, torch.arange(len(q), device=q.device)[None])
        q, k = apply_rotary_pos_emb(q.transpose(0, 1)[None], k.transpose(0, 1)[None], cos, sin)
        return q[0].transpose(0, 1), k[0].transpose(0, 1)


class Contrastive(NamedTuple):
    """Of one prompt: its loss, the cosine of the type with each entity, and with each neighbour."""

    loss: torch.Tensor
    entities: torch.Tensor
    neighbours: torch.Tensor


def contrastive_loss(query: torch.Tensor, key: torch.Tensor, rows: dict) -> Contrastive:
    """−log σ(Σ cos(type, entity) − Σ cos(type, neighbour)) of a prompt with at least one entity.

    query (T, H, D), key (T, KVH, D); rows as contrastive_rows gives them. Means are over tokens and heads.
    """

    def cosines(spans: list[list[int]]) -> torch.Tensor:
        if not spans:
            return key.new_zeros(0)
        vectors = torch.stack([key[span].mean((0, 1)) for span in spans])
        return F.normalize(vectors, dim=-1) @ F.normalize(query[rows["type"]].mean((0, 1)), dim=-1)

    entities, neighbours = cosines(rows["entities"]), cosines([[row] for row in rows["neighbours"]])
    return Contrastive(-F.logsigmoid(entities.sum() - neighbours.sum()), entities, neighbours)


class Preference(NamedTuple):
    """Of each pair (pairs): −log σ(margin), and both rewards."""

    loss: torch.Tensor
    chosen: torch.Tensor
    rejected: torch.Tensor


def dpo_loss(
    chosen: torch.Tensor,
    rejected: torch.Tensor,
    reference_chosen: torch.Tensor,
    reference_rejected: torch.Tensor,
    beta: float = BETA,
    dpop_lambda: float = 0.0,
) -> Preference:
    """The preference term. All four (pairs): log π(y|x), the SUM over a response's tokens, end token included.

    `reference_…` is the frozen policy's. `dpop_lambda` above 0 adds DPO-Positive's penalty for a chosen answer that
    became less likely than under the reference (Pal et al. 2024, Eq. 3); rewards are without it.
    """
    rewards = beta * (chosen - reference_chosen), beta * (rejected - reference_rejected)
    penalty = beta * dpop_lambda * (reference_chosen - chosen).clamp(min=0)
    return Preference(-F.logsigmoid(rewards[0] - rewards[1] - penalty), *rewards)
