"""Golden files of the contrastive and the preference loss: goldens/bundled-method.json, goldens/smollm2-method.json.

Written by make_goldens.py; README.md says what every field is.
"""

import time

import torch
from peft import PeftModel
from tokenizers import Tokenizer

from contrastive_rows import contrastive_rows, place
from double_model import load, lora_parameters, with_adapter
from golden_runs import CONFIGS, CURVE, header, path_of, run_curve, summarize, take_gradients, write
from golden_texts import METHOD_PROMPTS, PAIRS
from losses import (
    BETA,
    CONTRASTIVE_WEIGHT,
    SFT_ALPHA,
    QueryKeys,
    contrastive_layer,
    contrastive_loss,
    dpo_loss,
    response_logprobs,
    sft_loss,
)
from prompt import encode, prompt_ranges, prompt_text, response_text
from smollm import read_metadata, tokenizer_of

POOLINGS, ROPES, SIDES = ["mean", "ancestor"], ["pre", "post"], ["chosen", "rejected"]
DPOP_LAMBDA = 5.0
DPO_CURVE = CURVE | {"learningRate": 1e-4}
# Few and short, so that a software adapter takes their 20 steps in two minutes.
CURVE_PROMPTS, CURVE_PAIRS = [4, 6], [1, 2]
REFERENCE_SCALE = 0.5  # lora_B of the frozen reference policy, relative to the policy's


def utf16(text: str, index: int) -> int:
    """A character's index as JavaScript counts."""
    return len(text[:index].encode("utf-16-le")) // 2


def read_prompt(tokenizer: Tokenizer, eos: int, name: str, definition: str, sentence: str, entities: list[str]) -> dict:
    text, response = prompt_text(name, definition, sentence), response_text(entities)
    ids, start = encode(tokenizer, text, response, eos)
    mention, inside = prompt_ranges(name, definition, sentence)
    spans = place(sentence, entities)
    shifted = [(begin + inside[0], end + inside[0]) for begin, end in spans]
    offsets = tokenizer.encode(text + response).offsets
    return {
        "type": {"name": name, "definition": definition},
        "sentence": sentence,
        "entities": [{"start": utf16(sentence, a), "end": utf16(sentence, b)} for a, b in spans],
        "text": text,
        "response": response,
        "ids": ids,
        "responseStart": start,
        "rows": {pooling: contrastive_rows(offsets, inside, mention, shifted, pooling) for pooling in POOLINGS},
        "cosines": None,
    }


def read_pair(tokenizer: Tokenizer, eos: int, prompt: dict, rejected: list[str], kind: str) -> dict:
    answer = response_text(rejected)
    ids, start = encode(tokenizer, prompt["text"], answer, eos)
    assert start == prompt["responseStart"] and ids[:start] == prompt["ids"][:start]
    return {
        "kind": kind,
        "prompt": prompt["text"],
        "chosen": prompt["response"],
        "rejected": answer,
        "responseStart": start,
        "chosenIds": prompt["ids"],
        "rejectedIds": ids,
    }


def contrastive_step(model: PeftModel, prompts: list[dict], layer: int) -> dict:
    """Adds the gradients of the contrastive loss alone, with pooling "mean" and before RoPE; gives each prompt its
    cosines. `variants` is the loss for every pair of options."""
    rated = [prompt for prompt in prompts if prompt["rows"]["mean"] is not None]
    variants = {f"{rope}/{pooling}": 0.0 for rope in ROPES for pooling in POOLINGS}
    for prompt in rated:
        with QueryKeys(model, layer) as recorded:
            model(input_ids=torch.tensor([prompt["ids"]]), use_cache=False, logits_to_keep=1)
        results = {
            f"{rope}/{pooling}": contrastive_loss(*recorded.heads(rope), prompt["rows"][pooling])
            for rope in ROPES
            for pooling in POOLINGS
        }
        for options, result in results.items():
            variants[options] += result.loss.item() / len(rated)
        chosen = results["pre/mean"]
        prompt["cosines"] = {"entities": chosen.entities.tolist(), "neighbours": chosen.neighbours.tolist()}
        (chosen.loss / len(rated)).backward()
    return {"loss": variants["pre/mean"], "variants": variants}


def supervised_step(model: PeftModel, prompts: list[dict], layer: int) -> dict:
    """Adds the gradients of sft + CONTRASTIVE_WEIGHT · contrastive over all prompts."""
    tokens = sum(len(p["ids"]) - p["responseStart"] for p in prompts)
    rated = sum(p["rows"]["mean"] is not None for p in prompts)
    sft_total = contrastive_total = 0.0
    for prompt in prompts:
        with QueryKeys(model, layer) as recorded:
            _, logprobs = response_logprobs(model, prompt["ids"], prompt["responseStart"])
        loss = sft_loss(logprobs, tokens)
        sft_total += loss.item()
        if prompt["rows"]["mean"] is not None:
            contrastive = contrastive_loss(*recorded.heads(), prompt["rows"]["mean"]).loss / rated
            contrastive_total += contrastive.item()
            loss = loss + CONTRASTIVE_WEIGHT * contrastive
        loss.backward()
    total = sft_total + CONTRASTIVE_WEIGHT * contrastive_total
    return {"loss": total, "sft_loss": sft_total, "contrastive_loss": contrastive_total}


def answer_logprobs(model: PeftModel, pair: dict) -> tuple[torch.Tensor, torch.Tensor]:
    """Log-probabilities of the tokens of the chosen and of the rejected answer."""
    chosen, rejected = (
        response_logprobs(model, pair[ids], pair["responseStart"])[1] for ids in ("chosenIds", "rejectedIds")
    )
    return chosen, rejected


def add_reference(model: PeftModel, pairs: list[dict]) -> None:
    """Stores with each pair what the reference policy thinks of it: the adapter with a smaller lora_B."""
    lora_b = [p for name, p in lora_parameters(model).items() if ".lora_B." in name]
    kept = [p.data for p in lora_b]
    for p in lora_b:
        p.data = p.data * REFERENCE_SCALE
    with torch.no_grad():
        for pair in pairs:
            chosen, rejected = answer_logprobs(model, pair)
            pair["reference"] = {"chosen": chosen.sum().item(), "rejected": rejected.sum().item()}
    for p, data in zip(lora_b, kept):
        p.data = data


def dpop_loss(pairs: list[dict], rows: list[dict]) -> float:
    """DPO-Positive on the pairs' log-probabilities, the mean over pairs."""
    policy = (torch.tensor([row[f"logps/{side}"] for row in rows], dtype=torch.float64) for side in SIDES)
    reference = (torch.tensor([pair["reference"][side] for pair in pairs], dtype=torch.float64) for side in SIDES)
    return dpo_loss(*policy, *reference, dpop_lambda=DPOP_LAMBDA).loss.mean().item()


def preference_step(model: PeftModel, pairs: list[dict]) -> tuple[dict, list[dict]]:
    """Adds the gradients of L' over all pairs; returns the step's numbers (means over pairs) and each pair's."""
    tokens = sum(len(pair["chosenIds"]) - pair["responseStart"] for pair in pairs)
    rows, nll_total = [], 0.0
    for pair in pairs:
        chosen, rejected = answer_logprobs(model, pair)
        reference = (chosen.new_tensor([pair["reference"][side]]) for side in SIDES)
        result = dpo_loss(chosen.sum()[None], rejected.sum()[None], *reference)
        nll = sft_loss(chosen, tokens)
        (result.loss.sum() / len(pairs) + SFT_ALPHA * nll).backward()
        nll_total += nll.item()
        rows.append(
            {
                "dpo_loss": result.loss.item(),
                "rewards/chosen": result.chosen.item(),
                "rewards/rejected": result.rejected.item(),
                "rewards/margins": (result.chosen - result.rejected).item(),
                "rewards/accuracies": float(result.chosen > result.rejected),
                "logps/chosen": chosen.sum().item(),
                "logps/rejected": rejected.sum().item(),
            }
        )
    means = {key: sum(row[key] for row in rows) / len(rows) for key in rows[0]}
    return {"loss": means["dpo_loss"] + SFT_ALPHA * nll_total, "nll_loss": nll_total, **means}, rows


def make_method(name: str) -> None:
    began = time.time()
    config, path = CONFIGS[name], path_of(name)
    tokenizer, eos = tokenizer_of(path), read_metadata(path)["tokenizer.ggml.eos_token_id"]
    prompts = [read_prompt(tokenizer, eos, *prompt) for prompt in METHOD_PROMPTS]
    pairs = [read_pair(tokenizer, eos, prompts[index], rejected, kind) for index, rejected, kind in PAIRS]
    model = with_adapter(load(path), config["rank"], config["alpha"], config["targets"])
    layer = contrastive_layer(model.config.num_hidden_layers)
    add_reference(model, pairs)
    contrastive = {**contrastive_step(model, prompts, layer), **summarize(take_gradients(model))}
    total = {**supervised_step(model, prompts, layer), **summarize(take_gradients(model))}
    step, rows = preference_step(model, pairs)
    dpo = {**step, **summarize(take_gradients(model)), "dpop": {"lambda": DPOP_LAMBDA, "loss": dpop_loss(pairs, rows)}}
    for pair, row in zip(pairs, rows):
        pair |= row

    # Base and adapter are f32 numbers, so nothing is lost here.
    start = {key: p.data.float() for key, p in lora_parameters(model).items()}
    model = model.float()
    sft_curve = run_curve(model, lambda: supervised_step(model, [prompts[i] for i in CURVE_PROMPTS], layer))
    for key, p in lora_parameters(model).items():
        p.data = start[key]
    dpo_curve = run_curve(model, lambda: preference_step(model, [pairs[i] for i in CURVE_PAIRS])[0], DPO_CURVE)
    golden = {
        **header(name),
        **config,
        "layer": layer,
        "prompts": prompts,
        "contrastiveWeight": CONTRASTIVE_WEIGHT,
        "contrastive": contrastive,
        "total": total,
        "beta": BETA,
        "sftAlpha": SFT_ALPHA,
        "referenceScale": REFERENCE_SCALE,
        "pairs": pairs,
        "dpo": dpo,
        "curves": {
            "sft": {"settings": CURVE, "prompts": CURVE_PROMPTS, "steps": sft_curve},
            "dpo": {"settings": DPO_CURVE, "pairs": CURVE_PAIRS, "steps": dpo_curve},
        },
    }
    write(f"{name}-method", golden)
    ends = ", ".join(f"{c} {s[0]['loss']:.4f} → {s[-1]['loss']:.4f}" for c, s in (("sft", sft_curve), ("dpo", dpo_curve)))
    print(f"{name}-method: contrastive {contrastive['loss']:.4f}, curves {ends}, {time.time() - began:.0f} s")
