"""Checks losses.py's preference loss against TRL's DPOTrainer on the golden pairs, bundled model in f64.

    python test_trl.py

TRL tokenizes the texts itself and runs its own reference policy (its "ref" copy of the adapter, lora_B scaled as in the
golden files). Loss and its two terms, rewards and log-probabilities must agree within 1e-4 (relative where above 1),
every LoRA gradient within 1e-4 relative; exits 1 otherwise. TRL's name for the chosen answers' cross-entropy is loss type "sft" with its weight; it too
is a token mean over the chosen tokens of a batch, so that one batch of all pairs is one of our optimizer steps.
"""

import sys
import tempfile

import torch
from datasets import Dataset
from transformers import PreTrainedTokenizerFast
from trl import DPOConfig, DPOTrainer

from double_model import load, lora_parameters, with_adapter
from golden_runs import CONFIGS, path_of, take_gradients
from golden_texts import METHOD_PROMPTS, PAIRS
from losses import BETA, SFT_ALPHA
from method_goldens import REFERENCE_SCALE, add_reference, preference_step, read_pair, read_prompt
from smollm import build_tokenizer, read_metadata, tokenizer_of

TOLERANCE = 1e-4
NAMES = ["rewards/chosen", "rewards/rejected", "rewards/margins", "rewards/accuracies", "logps/chosen", "logps/rejected"]


def make_trainer(model, pairs: list[dict], metadata: dict, folder: str) -> DPOTrainer:
    tokens, eos = metadata["tokenizer.ggml.tokens"], metadata["tokenizer.ggml.eos_token_id"]
    # TRL appends the end token as text, so here it is parsed.
    tokenizer = build_tokenizer(tokens, metadata["tokenizer.ggml.merges"], [tokens[eos]])
    arguments = DPOConfig(
        folder,
        loss_type=["sigmoid", "sft"],
        loss_weights=[1.0, SFT_ALPHA],
        beta=BETA,
        max_length=None,
        per_device_train_batch_size=len(pairs),
        gradient_checkpointing=False,
        bf16=False,
        use_cpu=True,
        report_to="none",
    )
    trainer = DPOTrainer(
        model,
        args=arguments,
        train_dataset=Dataset.from_list([{key: pair[key] for key in ("prompt", "chosen", "rejected")} for pair in pairs]),
        processing_class=PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=tokens[eos]),
    )
    model.double()
    for name, parameter in model.named_parameters():
        if ".lora_B.ref." in name:
            parameter.data *= REFERENCE_SCALE
    return trainer


def run_trl(trainer: DPOTrainer, pairs: list[dict]) -> tuple[dict, dict[str, torch.Tensor]]:
    """TRL's numbers of one step over all pairs, under the names of the golden files, and its gradients."""
    batch = trainer.data_collator([trainer.train_dataset[i] for i in range(len(pairs))])
    expected = [pair["chosenIds"] for pair in pairs] + [pair["rejectedIds"] for pair in pairs]
    for row, mask, ids, pair in zip(batch["input_ids"], batch["completion_mask"], expected, pairs * 2):
        assert row[: len(ids)].tolist() == ids, "TRL tokenizes a pair differently"
        assert mask.nonzero()[[0, -1], 0].tolist() == [pair["responseStart"], len(ids) - 1], "other supervised tokens"
    trainer.model.train()
    loss = trainer.compute_loss(trainer.model, batch)
    loss.backward()
    metrics = {name: values[-1] for name, values in trainer._metrics["train"].items()}
    trainer.loss_weights = [1.0, 0.0]
    with torch.no_grad():
        preference = trainer.compute_loss(trainer.model, batch).item()
    nll = (loss.item() - preference) / SFT_ALPHA
    numbers = {"loss": loss.item(), "dpo_loss": preference, "nll_loss": nll, **{name: metrics[name] for name in NAMES}}
    gradients = {
        name.replace(".default.", "."): parameter.grad
        for name, parameter in trainer.model.named_parameters()
        if "lora_" in name and ".default." in name
    }
    return numbers, gradients


def main() -> None:
    config, path = CONFIGS["bundled"], path_of("bundled")
    metadata = read_metadata(path)
    tokenizer, eos = tokenizer_of(path), metadata["tokenizer.ggml.eos_token_id"]
    prompts = [read_prompt(tokenizer, eos, *prompt) for prompt in METHOD_PROMPTS]
    pairs = [read_pair(tokenizer, eos, prompts[index], rejected, kind) for index, rejected, kind in PAIRS]
    model = with_adapter(load(path), config["rank"], config["alpha"], config["targets"])
    add_reference(model, pairs)
    ours, _ = preference_step(model, pairs)
    gradients = take_gradients(model)
    assert len(gradients) == len(lora_parameters(model)) and all(g.norm() > 0 for g in gradients.values())
    with tempfile.TemporaryDirectory() as folder:
        theirs, their_gradients = run_trl(make_trainer(model, pairs, metadata, folder), pairs)
    worst = 0.0
    for name, value in theirs.items():
        error = abs(ours[name] - value) / max(1, abs(value))
        print(f"{name:20} ours {ours[name]: .9f}  TRL {value: .9f}  difference {error:.1e}")
        worst = max(worst, error)
    errors = {key: ((g - their_gradients[key]).norm() / g.norm()).item() for key, g in gradients.items()}
    name = max(errors, key=errors.get)
    print(f"{len(errors)} gradients, the furthest apart {name}: relative difference {errors[name]:.1e}")
    if max(worst, errors[name]) > TOLERANCE:
        sys.exit(f"expected TRL within {TOLERANCE}, got {max(worst, errors[name]):.1e}")


if __name__ == "__main__":
    main()
