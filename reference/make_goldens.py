"""Writes the golden files that the engine's tests read.

    python make_goldens.py [bundled] [smollm2] [tokenizer] [bundled-method] [smollm2-method]
                           [bundled-attention] [smollm2-attention]

(default: all). Log-probabilities and gradients are f64 on the dequantized weights; curves are f32.
"""

import json
import sys
import time
from pathlib import Path

import torch
from safetensors.torch import save_file

from attention_goldens import make_attention
from double_model import load, with_adapter
from golden_runs import CONFIGS, CURVE, HERE, header, path_of, run_curve, summarize, take_gradients, write
from golden_texts import PROMPTS, TOKENIZER_TEXTS
from losses import response_logprobs, sft_loss
from method_goldens import make_method
from prompt import encode, prompt_text, response_text
from smollm import read_metadata, tokenizer_of

SOME_LOGITS = 16


def read_prompts(path: Path) -> list[dict]:
    tokenizer, eos = tokenizer_of(path), read_metadata(path)["tokenizer.ggml.eos_token_id"]
    prompts = []
    for type_name, definition, sentence, entities in PROMPTS:
        text, response = prompt_text(type_name, definition, sentence), response_text(entities)
        ids, start = encode(tokenizer, text, response, eos)
        prompts.append({"text": text, "response": response, "ids": ids, "responseStart": start})
    return prompts


def supervised(model: torch.nn.Module, prompt: dict) -> tuple[torch.Tensor, torch.Tensor]:
    return response_logprobs(model, prompt["ids"], prompt["responseStart"])


def evaluate(model: torch.nn.Module, prompts: list[dict]) -> dict:
    with torch.no_grad():
        outputs = [supervised(model, prompt) for prompt in prompts]
    logprobs = [values.tolist() for _, values in outputs]
    flat = [value for values in logprobs for value in values]
    some = [logits[0, :SOME_LOGITS].tolist() for logits, _ in outputs]
    return {"tokenLogprobs": logprobs, "loss": -sum(flat) / len(flat), "someLogits": some}


def backward(model: torch.nn.Module, prompts: list[dict]) -> dict:
    """Adds the gradients of the token mean over all prompts; returns that loss."""
    count = sum(len(p["ids"]) - p["responseStart"] for p in prompts)
    total = 0.0
    for prompt in prompts:
        loss = sft_loss(supervised(model, prompt)[1], count)
        loss.backward()
        total += loss.item()
    return {"loss": total}


def make(name: str) -> None:
    began = time.time()
    config, path = CONFIGS[name], path_of(name)
    prompts = read_prompts(path)
    model = load(path)
    golden = {**header(name), "prompts": prompts, **config}
    golden["withoutAdapter"] = evaluate(model, prompts)
    model = with_adapter(model, config["rank"], config["alpha"], config["targets"])
    golden["withAdapter"] = evaluate(model, prompts)
    backward(model, prompts)
    gradients = take_gradients(model)
    golden["withAdapter"] |= summarize(gradients)
    # Base and adapter are f32 numbers, so nothing is lost here; f64 would take ten times as long.
    model = model.float()
    steps = run_curve(model, lambda: backward(model, prompts))
    golden["curve"] = [step["loss"] for step in steps]
    golden["curveLearningRates"] = [step["learning_rate"] for step in steps]
    golden["curveGradNorms"] = [step["grad_norm"] for step in steps]
    golden["curveSettings"] = CURVE
    write(name, golden)
    if name == "bundled":
        save_file({key: g.float().contiguous() for key, g in gradients.items()}, HERE / "goldens/bundled-grads.safetensors")
    print(f"{name}: loss {golden['withoutAdapter']['loss']:.4f}, adapted {golden['curve'][0]:.4f} → {golden['curve'][-1]:.4f}, {time.time() - began:.0f} s")


def make_tokenizer() -> None:
    rows = [{"text": text} for text in TOKENIZER_TEXTS]
    for name in CONFIGS:
        tokenizer = tokenizer_of(path_of(name))
        for row in rows:
            row[name] = tokenizer.encode(row["text"]).ids
            assert tokenizer.decode(row[name], skip_special_tokens=False) == row["text"], row
    lines = ",\n".join(json.dumps(row, ensure_ascii=True) for row in rows)
    (HERE / "goldens/tokenizer.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


MAKERS = {
    "bundled": make,
    "smollm2": make,
    "tokenizer": lambda _: make_tokenizer(),
    "bundled-method": lambda _: make_method("bundled"),
    "smollm2-method": lambda _: make_method("smollm2"),
    "bundled-attention": lambda _: make_attention("bundled"),
    "smollm2-attention": lambda _: make_attention("smollm2"),
}

if __name__ == "__main__":
    for wanted in sys.argv[1:] or MAKERS:
        if wanted not in MAKERS:
            raise SystemExit(f"expected some of {', '.join(MAKERS)}, got {wanted}")
        MAKERS[wanted](wanted)
