"""Checks losses.py and contrastive_rows.py on a tiny random Llama in f64; seconds. Fails with an AssertionError.

    python test_losses.py

Gradients against finite differences along a random direction; the contrastive loss and its options against plain
loops over matrix products; the preference loss against its formula.
"""

import math

import torch
from transformers import LlamaConfig, LlamaForCausalLM

import double_model
from contrastive_rows import contrastive_rows, place
from double_model import lora_parameters, with_adapter
from losses import QueryKeys, contrastive_layer, contrastive_loss, dpo_loss, response_logprobs, sft_loss

HEADS, KV_HEADS, SIZE, LAYER = 4, 2, 8, 1
IDS, START = [3, 9, 1, 4, 7, 7, 2, 11, 5, 6, 8, 0], 8
ROWS = {"type": [1, 2], "entities": [[4, 5, 6], [7]], "neighbours": [3, 8]}
ATTENTION = ["q_proj", "k_proj", "v_proj", "o_proj"]


def tiny_model() -> torch.nn.Module:
    torch.manual_seed(5)
    double_model.patch()
    config = LlamaConfig(
        vocab_size=16,
        hidden_size=HEADS * SIZE,
        intermediate_size=40,
        num_hidden_layers=3,
        num_attention_heads=HEADS,
        num_key_value_heads=KV_HEADS,
    )
    model = LlamaForCausalLM(config).double().eval()
    for parameter in model.parameters():
        parameter.data = torch.randn_like(parameter) / parameter.shape[-1] ** 0.5
    return with_adapter(model, 2, 4, ATTENTION)


def contrastive(model, rope: str = "pre", rows: dict = ROWS) -> torch.Tensor:
    with QueryKeys(model, LAYER) as recorded:
        model(input_ids=torch.tensor([IDS]), use_cache=False)
    return contrastive_loss(*recorded.heads(rope), rows).loss


def answers(model) -> tuple[torch.Tensor, torch.Tensor]:
    """Log-probabilities of the tokens of a chosen and a rejected answer."""
    chosen, rejected = (response_logprobs(model, ids, START)[1] for ids in (IDS, IDS[:-2] + [12, 3, 0]))
    return chosen, rejected


def preference(model, reference: tuple[torch.Tensor, torch.Tensor], penalty: float = 0.0) -> torch.Tensor:
    chosen, rejected = answers(model)
    result = dpo_loss(chosen.sum()[None], rejected.sum()[None], *reference, dpop_lambda=penalty)
    return result.loss.mean() + 0.2 * sft_loss(chosen, len(chosen))


def check_gradients(model) -> None:
    with torch.no_grad():
        chosen, rejected = (logprobs.sum()[None] for logprobs in answers(model))
    reference = chosen + 0.7, rejected + 2.0  # above the policy, so that the penalty is at work
    losses = {
        "sft": lambda: sft_loss(response_logprobs(model, IDS, START)[1], len(IDS) - START),
        "contrastive, pre": lambda: contrastive(model, "pre"),
        "contrastive, post": lambda: contrastive(model, "post"),
        "preference": lambda: preference(model, reference),
        "preference, penalty": lambda: preference(model, reference, 5.0),
    }
    parameters = list(lora_parameters(model).values())
    for name, loss in losses.items():
        model.zero_grad()
        loss().backward()
        direction = [torch.randn_like(p) for p in parameters]
        slope = sum((d * p.grad).sum().item() for d, p in zip(direction, parameters) if p.grad is not None)

        def shifted(step: float) -> float:
            for d, p in zip(direction, parameters):
                p.data += step * d
            value = loss().item()
            for d, p in zip(direction, parameters):
                p.data -= step * d
            return value

        found = (shifted(1e-5) - shifted(-1e-5)) / 2e-5
        print(f"{name}: slope {slope:.9f}, finite difference {found:.9f}")
        assert abs(slope) > 1e-4 and abs(found - slope) < 1e-6 * max(1, abs(slope)), name


def check_contrastive(model) -> None:
    """Against q and k as matrix products of the layer's input, a rotation by hand, and plain sums."""
    attention = model.get_base_model().model.layers[LAYER].self_attn
    inputs = []
    hook = attention.register_forward_pre_hook(lambda _m, _a, named: inputs.append(named["hidden_states"]), with_kwargs=True)
    result = {rope: contrastive(model, rope).item() for rope in ("pre", "post")}
    hook.remove()
    x, adapter = inputs[0][0], {name: p for name, p in lora_parameters(model).items() if f"layers.{LAYER}." in name}

    def project(name: str) -> torch.Tensor:
        a, b = (next(p for key, p in adapter.items() if f"{name}.lora_{side}." in key) for side in "AB")
        weight = getattr(attention, name).base_layer.weight + 4 / 2 * b @ a
        return (x @ weight.T).reshape(len(IDS), -1, SIZE)

    def rotate(heads: torch.Tensor) -> torch.Tensor:
        turned, half = heads.clone(), SIZE // 2
        for t in range(len(IDS)):
            for j in range(half):
                angle = t * 10000.0 ** (-2 * j / SIZE)
                a, b = heads[t, :, j], heads[t, :, j + half]
                turned[t, :, j] = a * math.cos(angle) - b * math.sin(angle)
                turned[t, :, j + half] = b * math.cos(angle) + a * math.sin(angle)
        return turned

    def mean(heads: torch.Tensor, rows: list[int]) -> torch.Tensor:
        return sum(heads[row, head] for row in rows for head in range(heads.shape[1])) / (len(rows) * heads.shape[1])

    with torch.no_grad():
        for rope, turn in (("pre", lambda heads: heads), ("post", rotate)):
            q, k = turn(project("q_proj")), turn(project("k_proj"))
            e, total = mean(q, ROWS["type"]), 0.0
            spans = [(rows, 1) for rows in ROWS["entities"]] + [([row], -1) for row in ROWS["neighbours"]]
            for rows, sign in spans:
                v = mean(k, rows)
                total += sign * float(e @ v) / math.sqrt(float(e @ e) * float(v @ v))
            expected = math.log(1 + math.exp(-total))
            assert abs(result[rope] - expected) < 1e-12, (rope, result[rope], expected)


def check_preference() -> None:
    values = [torch.tensor([value], dtype=torch.float64) for value in (-5.0, -9.0, -4.0, -10.0)]
    plain, penalized = dpo_loss(*values), dpo_loss(*values, dpop_lambda=5.0)
    margin = 0.1 * ((-5 + 4) - (-9 + 10))
    assert abs(plain.loss.item() - math.log(1 + math.exp(-margin))) < 1e-12
    assert abs(penalized.loss.item() - math.log(1 + math.exp(-(margin - 0.1 * 5 * 1)))) < 1e-12
    assert abs(plain.chosen.item() + 0.1) < 1e-12 and abs(plain.rejected.item() - 0.1) < 1e-12
    better = dpo_loss(values[2], *values[1:], dpop_lambda=5.0)  # no less likely than the reference: no penalty
    assert abs(better.loss.item() - math.log(1 + math.exp(0.1))) < 1e-12


def check_rows() -> None:
    """Tokens are words with their space in front; the type has two."""
    sentence = "the Red River and the Nile meet"
    text = f"river name\n{sentence}\nDone"
    begin, offsets = len("river name\n"), [(0, 5), (5, 10), (10, 11)]
    for word in sentence.split(" "):
        at = begin if len(offsets) == 3 else offsets[-1][1]
        offsets.append((at, at + len(word) + (len(offsets) > 3)))
    offsets += [(begin + len(sentence), begin + len(sentence) + 1), (begin + len(sentence) + 1, len(text))]

    def rows(*entities: str, pooling: str = "mean") -> dict | None:
        spans = [(begin + a, begin + b) for a, b in place(sentence, list(entities))]
        return contrastive_rows(offsets, (begin, begin + len(sentence)), (0, 10), spans, pooling)

    assert rows() is None
    assert rows("Red River", "Nile") == {"type": [0, 1], "entities": [[4, 5], [8]], "neighbours": [3, 6, 7, 9]}
    assert rows("the", "Red", "River and", "meet") == {
        "type": [0, 1],
        "entities": [[3], [4], [5, 6], [9]],
        "neighbours": [7, 8],
    }
    assert rows("the Red River", "Nile", pooling="ancestor") == {
        "type": [0],
        "entities": [[3, 5], [8]],
        "neighbours": [6, 7, 9],
    }
    assert rows("the", "the") == {"type": [0, 1], "entities": [[3], [7]], "neighbours": [4, 6, 8]}


if __name__ == "__main__":
    assert [contrastive_layer(layers) for layers in (32, 30, 16, 8, 1)] == [26, 24, 13, 7, 0]
    check_rows()
    check_preference()
    tiny = tiny_model()
    check_contrastive(tiny)
    check_gradients(tiny)
    print("losses.py agrees")
