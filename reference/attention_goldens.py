"""Golden files of attention probabilities: goldens/bundled-attention.json, goldens/smollm2-attention.json.

Written by make_goldens.py; README.md says what every field is. Probabilities are those that transformers' eager
attention returns, in the f64 model, without the generated adapter and with it.
"""

import time

import torch

from double_model import load, with_adapter
from golden_runs import CONFIGS, header, path_of, write
from golden_texts import METHOD_PROMPTS
from losses import contrastive_layer
from method_goldens import read_prompt
from smollm import read_metadata, tokenizer_of

# Index in METHOD_PROMPTS, heads, and the rows of the response (counted from its first token); few, so that files stay small.
PICKS = {
    "bundled": {"prompt": 0, "heads": [1, 8], "rows": [0, 9, -1]},
    "smollm2": {"prompt": 0, "heads": [2, 7], "rows": [9, -1]},
}
DIGITS = 7


def rounded(values: torch.Tensor) -> list:
    return [rounded(row) for row in values] if values.dim() > 1 else [float(f"{v:.{DIGITS}g}") for v in values.tolist()]


def attention(model: torch.nn.Module, ids: list[int]) -> torch.Tensor:
    """Probabilities (layers, heads, T, T)."""
    with torch.no_grad():
        out = model(input_ids=torch.tensor([ids]), use_cache=False, output_attentions=True, logits_to_keep=1)
    return torch.cat(out.attentions)


def make_attention(name: str) -> None:
    began = time.time()
    config, picks, path = CONFIGS[name], PICKS[name], path_of(name)
    eos = read_metadata(path)["tokenizer.ggml.eos_token_id"]
    prompt = read_prompt(tokenizer_of(path), eos, *METHOD_PROMPTS[picks["prompt"]])
    ids, start = prompt["ids"], prompt["responseStart"]
    entities = [row for span in prompt["rows"]["mean"]["entities"] for row in span]
    model = load(path)
    model.set_attn_implementation("eager")  # the only one that gives its probabilities
    layers = model.config.num_hidden_layers
    rows = [range(start, len(ids))[row] for row in picks["rows"]]
    golden = {**header(name), **config, "ids": ids, "responseStart": start, "entityRows": entities, "rows": rows}
    golden |= {"layers": [0, layers // 2, contrastive_layer(layers)], "heads": picks["heads"]}

    def measure(net: torch.nn.Module) -> dict:
        every = attention(net, ids)
        some = every[golden["layers"]][:, :, rows, :start]
        return {
            "weights": rounded(some[:, golden["heads"]]),
            "mean": rounded(some.mean(1)),
            "entityMass": rounded(every[:, :, start:, entities].sum(-1).mean(-1)),
        }

    golden["withoutAdapter"] = measure(model)
    golden["withAdapter"] = measure(with_adapter(model, config["rank"], config["alpha"], config["targets"]))
    write(f"{name}-attention", golden)
    print(f"{name}-attention: {time.time() - began:.0f} s")
