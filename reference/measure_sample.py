"""Strict span F1 of a model on a few-shot project, before and after LoRA fine-tuning.

    python measure_sample.py --epochs 5 --learning-rate 1e-3
    python measure_sample.py --model MODEL.gguf --data FOLDER   # train.jsonl, heldout.jsonl, types.json

By default the bundled model on the sample project. Prints one line for the untouched model and one after
each epoch that --every selects.
"""

import argparse
import json
import random
import time
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, get_linear_schedule_with_warmup

from prompt import encode, prompt_text, response_text
from smollm import read_metadata, tokenizer_of
from span_decoding import SpanDecoder

PUBLIC = Path(__file__).parent.parent / "public"
TARGETS = {"qv": ["q_proj", "v_proj"], "qkvo": ["q_proj", "k_proj", "v_proj", "o_proj"], "all-linear": "all-linear"}


def documents(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def gold(document: dict, type_name: str) -> list[tuple[int, int]]:
    return sorted((e["start"], e["end"]) for e in document["entities"] if e["type"] == type_name)


def score(decoder: SpanDecoder, types: dict[str, str], rows: list[dict]) -> str:
    """Micro strict F1 over all documents and types, and each type's own."""
    counts = {name: [0, 0, 0] for name in types}
    for row in rows:
        for name, definition in types.items():
            found = set(decoder.entities(prompt_text(name, definition, row["text"]), row["text"]))
            wanted = set(gold(row, name))
            for i, value in enumerate((len(found & wanted), len(found), len(wanted))):
                counts[name][i] += value

    def f1(right: int, predicted: int, wanted: int) -> float:
        return 2 * right / max(1, predicted + wanted)

    total = [sum(values) for values in zip(*counts.values())]
    parts = ", ".join(f"{name} {100 * f1(*value):.1f}" for name, value in counts.items())
    return f"F1 {100 * f1(*total):.1f} (right {total[0]}, predicted {total[1]}, gold {total[2]}; {parts})"


def token_losses(model, ids: list[int], start: int) -> torch.Tensor:
    logits = model(input_ids=torch.tensor([ids]), use_cache=False).logits[0, start - 1 : -1]
    return torch.nn.functional.cross_entropy(logits, torch.tensor(ids[start:]), reduction="sum")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=PUBLIC / "models/obp-mini.gguf")
    parser.add_argument("--data", type=Path, default=PUBLIC / "samples")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--max-steps", type=int, help="stop, and end the schedule, after so many optimizer steps")
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--rank", type=int, default=8)
    parser.add_argument("--alpha", type=int, default=16)
    parser.add_argument("--targets", choices=TARGETS, default="qkvo")
    parser.add_argument("--accumulation", type=int, default=4)
    parser.add_argument("--dropout", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--every", type=int, default=5)
    parser.add_argument("--skip-before", action="store_true")
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    eos = read_metadata(options.model)["tokenizer.ggml.eos_token_id"]
    tokenizer = tokenizer_of(options.model)
    types = json.loads((options.data / "types.json").read_text(encoding="utf-8"))
    heldout = documents(options.data / "heldout.jsonl")
    model = AutoModelForCausalLM.from_pretrained(
        str(options.model.parent), gguf_file=options.model.name, dtype=torch.float32
    ).eval()
    if not options.skip_before:
        print("before:", score(SpanDecoder(model, tokenizer, eos), types, heldout), flush=True)

    config = LoraConfig(
        r=options.rank, lora_alpha=options.alpha, lora_dropout=options.dropout,
        target_modules=TARGETS[options.targets], task_type="CAUSAL_LM",
    )
    model = get_peft_model(model, config)
    examples = []
    for row in documents(options.data / "train.jsonl"):
        for name, definition in types.items():
            entities = [row["text"][a:b] for a, b in gold(row, name)]
            examples.append(encode(tokenizer, prompt_text(name, definition, row["text"]), response_text(entities), eos))
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(parameters, options.learning_rate)
    per_epoch = -(-len(examples) // options.accumulation)
    steps = options.max_steps or per_epoch * options.epochs
    schedule = get_linear_schedule_with_warmup(optimizer, round(0.1 * steps), steps)
    order, began = random.Random(options.seed), time.time()
    for epoch in range(1, options.epochs + 1):
        order.shuffle(examples)
        model.train()
        total = 0.0
        todo = min(per_epoch, steps - (epoch - 1) * per_epoch)
        if todo <= 0:
            break
        for at in range(0, todo * options.accumulation, options.accumulation):
            group = examples[at : at + options.accumulation]
            count = sum(len(ids) - start for ids, start in group)
            for ids, start in group:
                loss = token_losses(model, ids, start) / count
                loss.backward()
                total += loss.item()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
        line = f"epoch {epoch}: loss {total / todo:.3f}, {time.time() - began:.0f} s"
        if epoch % options.every == 0 or epoch == options.epochs or epoch * per_epoch >= steps:
            model.eval()
            line += ", " + score(SpanDecoder(model, tokenizer, eos), types, heldout)
        print(line, flush=True)


if __name__ == "__main__":
    main()
