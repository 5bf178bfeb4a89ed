"""Writes the golden files that the engine's tests read.

    python make_goldens.py [bundled] [smollm2] [tokenizer]

(default: all three). Log-probabilities and gradients are f64 on the dequantized weights; the curve is f32.
"""

import json
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from transformers import get_linear_schedule_with_warmup

from double_model import load, lora_parameters, with_adapter
from generated_adapter import name_seed, uniform
from golden_texts import PROMPTS, TOKENIZER_TEXTS
from prompt import encode, prompt_text, response_text
from smollm import read_metadata, smollm2_path, tokenizer_of

HERE = Path(__file__).parent
ATTENTION = ["q_proj", "k_proj", "v_proj", "o_proj"]
CONFIGS = {
    "bundled": {"rank": 4, "alpha": 8, "targets": ATTENTION + ["gate_proj", "up_proj", "down_proj"]},
    "smollm2": {"rank": 8, "alpha": 16, "targets": ATTENTION},
}
CURVE = {"dtype": "f32", "steps": 20, "learningRate": 1e-3, "warmupRatio": 0.1, "maxGradNorm": 1.0}
ADAM = {"betas": (0.9, 0.999), "eps": 1e-8}
PROJECTIONS, SOME_LOGITS = 4, 16


def path_of(model: str) -> Path:
    return HERE.parent / "public/models/obp-mini.gguf" if model == "bundled" else smollm2_path()


def read_prompts(path: Path) -> list[dict]:
    tokenizer, eos = tokenizer_of(path), read_metadata(path)["tokenizer.ggml.eos_token_id"]
    prompts = []
    for type_name, definition, sentence, entities in PROMPTS:
        text, response = prompt_text(type_name, definition, sentence), response_text(entities)
        ids, start = encode(tokenizer, text, response, eos)
        prompts.append({"text": text, "response": response, "ids": ids, "responseStart": start})
    return prompts


def supervised(model: torch.nn.Module, prompt: dict) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits (T, V) of one prompt, and the log-probabilities of its supervised tokens."""
    ids, start = torch.tensor(prompt["ids"]), prompt["responseStart"]
    logits = model(input_ids=ids[None], use_cache=False).logits[0]
    return logits, F.log_softmax(logits[start - 1 : -1], -1).gather(1, ids[start:, None])[:, 0]


def evaluate(model: torch.nn.Module, prompts: list[dict]) -> dict:
    with torch.no_grad():
        outputs = [supervised(model, prompt) for prompt in prompts]
    logprobs = [values.tolist() for _, values in outputs]
    flat = [value for values in logprobs for value in values]
    some = [logits[p["responseStart"] - 1, :SOME_LOGITS].tolist() for (logits, _), p in zip(outputs, prompts)]
    return {"tokenLogprobs": logprobs, "loss": -sum(flat) / len(flat), "someLogits": some}


def backward(model: torch.nn.Module, prompts: list[dict]) -> float:
    """Adds the gradients of the token mean over all prompts; returns that loss."""
    count = sum(len(p["ids"]) - p["responseStart"] for p in prompts)
    total = 0.0
    for prompt in prompts:
        loss = -supervised(model, prompt)[1].sum() / count
        loss.backward()
        total += loss.item()
    return total


def loss_curve(model: torch.nn.Module, prompts: list[dict]) -> dict:
    """Each step sees all prompts; the loss is that before the update. Step 0 has learning rate 0 (warm-up)."""
    parameters = list(lora_parameters(model).values())
    optimizer = torch.optim.Adam(parameters, CURVE["learningRate"], **ADAM)
    warmup = round(CURVE["warmupRatio"] * CURVE["steps"])
    schedule = get_linear_schedule_with_warmup(optimizer, warmup, CURVE["steps"])
    losses, rates, norms = [], [], []
    for _ in range(CURVE["steps"]):
        optimizer.zero_grad()
        losses.append(backward(model, prompts))
        norms.append(torch.nn.utils.clip_grad_norm_(parameters, CURVE["maxGradNorm"]).item())
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return {"curve": losses, "curveLearningRates": rates, "curveGradNorms": norms, "curveSettings": CURVE}


def make(name: str) -> None:
    began = time.time()
    config, path = CONFIGS[name], path_of(name)
    prompts = read_prompts(path)
    model = load(path)
    golden = {"model": name, "file": path.name, "fileBytes": path.stat().st_size, "prompts": prompts, **config}
    golden["withoutAdapter"] = evaluate(model, prompts)
    model = with_adapter(model, config["rank"], config["alpha"], config["targets"])
    golden["withAdapter"] = evaluate(model, prompts)
    backward(model, prompts)
    gradients = {key: p.grad.clone() for key, p in lora_parameters(model).items()}
    golden["withAdapter"]["gradNorms"] = {key: g.norm().item() for key, g in gradients.items()}
    golden["withAdapter"]["projections"] = {
        key: [
            float(torch.from_numpy(uniform(name_seed(f"{key}#{j}"), g.numel())) @ g.flatten())
            for j in range(PROJECTIONS)
        ]
        for key, g in gradients.items()
    }
    # Base and adapter are f32 numbers, so nothing is lost here; f64 would take ten times as long.
    golden |= loss_curve(model.float(), prompts)
    (HERE / f"goldens/{name}.json").write_text(json.dumps(golden, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
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


if __name__ == "__main__":
    for wanted in sys.argv[1:] or [*CONFIGS, "tokenizer"]:
        make_tokenizer() if wanted == "tokenizer" else make(wanted)
