"""Trains one stage of a bundle (`obp bundle`) in PyTorch, with the losses of losses.py, on one process or several.

    python train.py BUNDLE --model MODEL.gguf --out ADAPTER
    accelerate launch --num_processes 8 train.py BUNDLE --model meta-llama/Llama-3.1-8B --out ADAPTER

MODEL is a GGUF file (dequantized while loading) or anything transformers opens. Every process holds the frozen model and
takes its share of each step's examples; the LoRA gradients, which are small, are summed over the processes, so that a
step is the same whatever their number. With --split a process spreads the model's layers over all GPUs that it sees, for
models that one of them cannot hold. ADAPTER is PEFT's, for `obp … --adapter`. Data order and dropout are PyTorch's.
"""

import argparse
import json
import random
from pathlib import Path
from types import SimpleNamespace

import torch
from accelerate import Accelerator
from peft import LoraConfig, PeftModel, get_peft_model
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer, get_linear_schedule_with_warmup

from bundle_prompts import Prompts
from contrastive_rows import contrastive_rows
from losses import QueryKeys, contrastive_layer, contrastive_loss, dpo_loss, response_logprobs, sft_loss
from prompt import encode, prompt_ranges, prompt_text, response_text
from smollm import read_metadata, tokenizer_of


def read_lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def open_model(name: str, split: bool) -> tuple[torch.nn.Module, Tokenizer, int, list[int]]:
    """The model, its tokenizer for documents, the end token and what stands before every prompt."""
    path, placing = Path(name), {"device_map": "auto"} if split else {}
    if path.suffix == ".gguf":
        model = AutoModelForCausalLM.from_pretrained(str(path.parent), gguf_file=path.name, dtype=torch.float32, **placing)
        return model, tokenizer_of(path), read_metadata(path)["tokenizer.ggml.eos_token_id"], []
    tokenizer = AutoTokenizer.from_pretrained(name)
    bos = tokenizer("")["input_ids"]  # what the tokenizer itself puts in front, if anything
    document = tokenizer.backend_tokenizer
    document.encode_special_tokens = True  # text that looks like a special token stays text
    document.post_processor = None
    return AutoModelForCausalLM.from_pretrained(name, dtype="auto", **placing), document, tokenizer.eos_token_id, bos


class Stage:
    """The examples of a bundle, and the loss of one of them as its share of a step."""

    def __init__(
        self, bundle: Path, config: SimpleNamespace, tokenizer: Tokenizer, eos: int, bos: list[int], longest: int
    ) -> None:
        self.config, self.tokenizer, self.eos, self.bos = config, tokenizer, eos, bos
        self.pairs = self.read_pairs(bundle) if config.stage == "dpo" else None
        if self.pairs is None:
            types = json.loads((bundle / "types.json").read_text(encoding="utf-8"))
            self.prompts = Prompts(bundle / "train.jsonl", types, config, longest)
            self.prompts.leave_out_long(lambda *prompt: len(self.prompt(*prompt)["ids"]))

    def __len__(self) -> int:
        return len(self.prompts if self.pairs is None else self.pairs)

    def __getitem__(self, index: int) -> dict:
        return self.prompt(*self.prompts[index]) if self.pairs is None else self.pairs[index]

    def encode(self, prompt: str, response: str) -> tuple[list[int], int]:
        ids, start = encode(self.tokenizer, prompt, response, self.eos)
        return self.bos + ids, len(self.bos) + start

    def prompt(self, row: dict, name: str, definition: str) -> dict:
        spans = sorted((e["start"], e["end"]) for e in row["entities"] if e["type"] == name)
        text, response = prompt_text(name, definition, row["text"]), response_text([row["text"][a:b] for a, b in spans])
        ids, start = self.encode(text, response)
        mention, sentence = prompt_ranges(name, definition, row["text"])
        offsets = [(0, 0)] * len(self.bos) + self.tokenizer.encode(text + response).offsets
        inside = [(a + sentence[0], b + sentence[0]) for a, b in spans]
        rows = contrastive_rows(offsets, sentence, mention, inside, self.config.contrastivePooling)
        return {"ids": ids, "start": start, "rows": rows}

    def read_pairs(self, bundle: Path) -> list[dict]:
        return [
            {side: self.encode(row["prompt"], row[side]) for side in ("chosen", "rejected")}
            for row in read_lines(bundle / "pairs.jsonl")
        ]

    @torch.no_grad()
    def add_reference(self, model: torch.nn.Module) -> None:
        """What the policy thinks of both answers before its first step: the frozen reference."""
        for pair in self.pairs:
            pair["reference"] = [response_logprobs(model, *pair[side])[1].sum() for side in ("chosen", "rejected")]

    def counts(self, batch: list[dict]) -> SimpleNamespace:
        """What a step's means divide by."""
        answers = [pair["chosen"] for pair in batch] if self.config.stage == "dpo" else [(e["ids"], e["start"]) for e in batch]
        tokens = sum(len(ids) - start for ids, start in answers)
        return SimpleNamespace(tokens=tokens, pairs=len(batch), entities=sum(e.get("rows") is not None for e in batch))

    def loss(self, model: torch.nn.Module, example: dict, counts: SimpleNamespace) -> torch.Tensor:
        config = self.config
        if config.stage == "dpo":
            chosen, rejected = (response_logprobs(model, *example[side])[1] for side in ("chosen", "rejected"))
            reference = (value[None] for value in example["reference"])
            preference = dpo_loss(chosen.sum()[None], rejected.sum()[None], *reference, config.beta, config.dpopLambda)
            return preference.loss.sum() / counts.pairs + config.sftAlpha * sft_loss(chosen, counts.tokens)
        if config.contrastiveWeight == 0 or example["rows"] is None:
            return sft_loss(response_logprobs(model, example["ids"], example["start"])[1], counts.tokens)
        layer = contrastive_layer(model.config.num_hidden_layers) if config.contrastiveLayer is None else config.contrastiveLayer
        with QueryKeys(model, layer) as recorded:
            _, logprobs = response_logprobs(model, example["ids"], example["start"])
        contrastive = contrastive_loss(*recorded.heads(config.contrastiveRope), example["rows"]).loss
        share = config.contrastiveWeight * contrastive / counts.entities
        return sft_loss(logprobs, counts.tokens) + share.to(logprobs.device)  # split models: its layer's device


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--split", action="store_true", help="spread the model over the GPUs that a process sees")
    parser.add_argument("--log", type=Path, help="one JSON object per step")
    options = parser.parse_args()
    accelerator = Accelerator()
    config = SimpleNamespace(**json.loads((options.bundle / "config.json").read_text(encoding="utf-8")))
    torch.manual_seed(config.seed)
    base, tokenizer, eos, bos = open_model(options.model, options.split)
    stage = Stage(options.bundle, config, tokenizer, eos, bos, base.config.max_position_embeddings)
    if stage.pairs is None and stage.prompts.left_out:
        accelerator.print(f"left out, over {stage.prompts.limit} tokens: {', '.join(stage.prompts.left_out)}")
    start = options.bundle / "adapter"
    if start.exists():
        model = PeftModel.from_pretrained(base, start, is_trainable=True)
    else:
        lora = LoraConfig(
            r=config.rank, lora_alpha=config.alpha, lora_dropout=config.dropout,
            target_modules=list(config.targets), task_type="CAUSAL_LM",
        )
        model = get_peft_model(base, lora)
    if not options.split:
        model = model.to(accelerator.device)
    if config.stage == "dpo":
        model.eval()  # method.md: no dropout
        stage.add_reference(model)
    else:
        model.train()
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(parameters, config.learningRate, weight_decay=config.weightDecay)
    per_epoch = -(-len(stage) // config.gradAccumSteps)
    steps = config.maxSteps or -int(-config.epochs * per_epoch // 1)
    schedule = get_linear_schedule_with_warmup(optimizer, -int(-config.warmupRatio * steps // 1), steps)
    order, log = random.Random(config.seed), []
    for step in range(steps):
        if step % per_epoch == 0:
            indices = order.sample(range(len(stage)), len(stage))
        first = step % per_epoch * config.gradAccumSteps
        batch = [stage[i] for i in indices[first : first + config.gradAccumSteps]]
        counts, total = stage.counts(batch), torch.zeros((), device=accelerator.device)
        optimizer.zero_grad()
        for example in batch[accelerator.process_index :: accelerator.num_processes]:
            loss = stage.loss(model, example, counts)
            loss.backward()
            total += loss.detach().to(total.device)
        for p in parameters:
            grad = torch.zeros_like(p) if p.grad is None else p.grad
            p.grad = accelerator.reduce(grad.to(accelerator.device), "sum").to(p.device)
        norm = torch.nn.utils.clip_grad_norm_(parameters, config.maxGradNorm or float("inf"))
        log.append({"step": step + 1, "loss": accelerator.reduce(total, "sum").item(), "grad_norm": norm.item()})
        optimizer.step()
        schedule.step()
        accelerator.print(json.dumps(log[-1]))
    if accelerator.is_main_process:
        model.save_pretrained(options.out)
        if options.log is not None:
            options.log.write_text("".join(f"{json.dumps(line)}\n" for line in log), encoding="utf-8")
    accelerator.end_training()


if __name__ == "__main__":
    main()
