"""What the golden files of make_goldens.py and method_goldens.py share: models, gradients in short, 20-step curves."""

import json
from collections.abc import Callable
from pathlib import Path

import torch
from transformers import get_linear_schedule_with_warmup

from double_model import lora_parameters
from generated_adapter import name_seed, uniform
from smollm import smollm2_path

HERE = Path(__file__).parent
ATTENTION = ["q_proj", "k_proj", "v_proj", "o_proj"]
CONFIGS = {
    "bundled": {"rank": 4, "alpha": 8, "targets": ATTENTION + ["gate_proj", "up_proj", "down_proj"]},
    "smollm2": {"rank": 8, "alpha": 16, "targets": ATTENTION},
}
CURVE = {"dtype": "f32", "steps": 20, "learningRate": 1e-3, "warmupRatio": 0.1, "maxGradNorm": 1.0}
ADAM = {"betas": (0.9, 0.999), "eps": 1e-8}
PROJECTIONS = 4


def path_of(model: str) -> Path:
    return HERE.parent / "public/models/obp-mini.gguf" if model == "bundled" else smollm2_path()


def header(model: str) -> dict:
    """The first fields of a golden file."""
    return {"model": model, "file": path_of(model).name, "fileBytes": path_of(model).stat().st_size}


def take_gradients(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """The LoRA gradients by PEFT's names, zeros where no path leads to the loss; the model's own are cleared."""
    parameters = lora_parameters(model)
    gradients = {key: torch.zeros_like(p) if p.grad is None else p.grad.clone() for key, p in parameters.items()}
    model.zero_grad()
    return gradients


def summarize(gradients: dict[str, torch.Tensor]) -> dict:
    """Of each tensor, its norm and dot products with seeded random vectors that TypeScript generates too."""
    return {
        "gradNorms": {key: g.norm().item() for key, g in gradients.items()},
        "projections": {
            key: [
                float(torch.from_numpy(uniform(name_seed(f"{key}#{j}"), g.numel())) @ g.flatten())
                for j in range(PROJECTIONS)
            ]
            for key, g in gradients.items()
        },
    }


def run_curve(model: torch.nn.Module, step: Callable[[], dict], settings: dict = CURVE) -> list[dict]:
    """`step` runs forward and backward of all examples and returns the losses before the update, which follows.

    Each step's losses, with grad_norm (before clipping) and learning_rate; that of step 0 is 0 (warm-up).
    """
    parameters = list(lora_parameters(model).values())
    optimizer = torch.optim.Adam(parameters, settings["learningRate"], **ADAM)
    warmup = round(settings["warmupRatio"] * settings["steps"])
    schedule = get_linear_schedule_with_warmup(optimizer, warmup, settings["steps"])
    steps = []
    for _ in range(settings["steps"]):
        optimizer.zero_grad()
        losses = step()
        norm = torch.nn.utils.clip_grad_norm_(parameters, settings["maxGradNorm"]).item()
        steps.append({**losses, "grad_norm": norm, "learning_rate": optimizer.param_groups[0]["lr"]})
        optimizer.step()
        schedule.step()
    return steps


def write(name: str, golden: dict) -> None:
    text = json.dumps(golden, indent=1, ensure_ascii=False)
    (HERE / f"goldens/{name}.json").write_text(text + "\n", encoding="utf-8")
