"""Heals the cut model: trains all weights on the method's own prompts, loss on responses only.

    python -m bundled.heal start  --layers 0,1,2,3,4,5,28,29 --vocabulary 12288 --out RUN
    python -m bundled.heal train  --out RUN --minutes 120 --learning-rate 1.5e-4
    python -m bundled.heal train  --out RUN --minutes 20 --learning-rate 1.5e-4 --decay --quantize

(from the folder `reference`). The learning rate is constant after a warm-up, so that a run can be
exported at any time, and falls to zero in a last phase (`--decay`) in which the forward pass sees the
weights as the file will hold them (`--quantize`, straight-through gradients). State is kept in RUN.
"""

import argparse
import json
import random
import time
from pathlib import Path

import torch
import torch.nn.functional as F

from prompt import HEADER, encode, prompt_text, response_text
from smollm import build_tokenizer, read_metadata, read_weights, smollm2_path, tokenizer_of
from .quantize import fake_quantize
from .student import Student, cut_from_source
from .tasks import Tasks
from .vocabulary import corpus_counts, prune

EOS, MAX_BODY, BATCH_TOKENS = 2, 120, 700


def start(run: Path, layers: list[int], size: int) -> None:
    source = smollm2_path()
    metadata = read_metadata(source)
    samples = Path(__file__).parents[2] / "public/samples"
    extra = [path.read_text(encoding="utf-8") for path in sorted(samples.glob("*.json*"))]
    vocabulary = prune(metadata, corpus_counts(tokenizer_of(source), extra), size)
    weights = {name: torch.from_numpy(w.copy()) for name, w in read_weights(source).items()}
    run.mkdir(parents=True, exist_ok=True)
    (run / "vocabulary.json").write_text(json.dumps(vocabulary))
    weights = cut_from_source(weights, layers, vocabulary["old_ids"])
    torch.save({"weights": weights, "optimizer": None, "step": 0, "prompts": 0}, run / "state.pt")


class Batches:
    """Packs drawn prompts of similar length into batches of about BATCH_TOKENS body tokens."""

    def __init__(self, tokenizer, tasks: Tasks) -> None:
        self.tokenizer, self.tasks = tokenizer, tasks
        self.header = tokenizer.encode(HEADER).ids
        self.ready: list[list[tuple[list[int], int]]] = []

    def example(self) -> tuple[list[int], int]:
        """Ids after the header and the index among them of the first supervised one."""
        while True:
            name, definition, sentence, entities = self.tasks.draw()
            ids, first = encode(self.tokenizer, prompt_text(name, definition, sentence), response_text(entities), EOS)
            assert ids[: len(self.header)] == self.header
            if len(ids) - len(self.header) <= MAX_BODY:
                return ids[len(self.header) :], first - len(self.header)

    def next(self) -> tuple[torch.Tensor, torch.Tensor]:
        if not self.ready:
            pool = sorted((self.example() for _ in range(320)), key=lambda item: len(item[0]))
            batch: list = []
            for item in pool:
                if batch and (len(batch) + 1) * len(item[0]) > BATCH_TOKENS:
                    self.ready.append(batch)
                    batch = []
                batch.append(item)
            self.ready.append(batch)
            random.Random(len(pool[0][0])).shuffle(self.ready)
        return collate(self.ready.pop())


def collate(batch: list[tuple[list[int], int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """body (B, T), and rows (B, T): True where the NEXT token is supervised."""
    length = max(len(ids) for ids, _ in batch)
    body = torch.zeros(len(batch), length, dtype=torch.long)
    rows = torch.zeros(len(batch), length, dtype=torch.bool)
    for i, (ids, first) in enumerate(batch):
        body[i, : len(ids)] = torch.tensor(ids)
        rows[i, first - 1 : len(ids) - 1] = True
    return body, rows


def token_losses(model: Student, header: torch.Tensor, body: torch.Tensor, rows: torch.Tensor):
    logits = model(header, body, rows)
    labels = torch.roll(body, -1, 1)[rows]
    return F.cross_entropy(logits, labels, reduction="none"), logits.argmax(1) == labels


@torch.no_grad()
def measure(model: Student, header: torch.Tensor, batches: list) -> str:
    """Held-out sentences, types seen in healing: nats per token, whole responses right (teacher-forced)."""
    total, count, right, prompts = 0.0, 0, 0, 0
    for body, rows in batches:
        losses, hits = token_losses(model, header, body, rows)
        total, count = total + losses.sum().item(), count + len(losses)
        for part in hits.split(rows.sum(1).tolist()):
            right, prompts = right + bool(part.all()), prompts + 1
    return f"dev {total / count:.3f} nats, {right / prompts:.3f} of responses right"


def train(run: Path, minutes: float, rate: float, decay: bool, quantize: bool) -> None:
    vocabulary = json.loads((run / "vocabulary.json").read_text())
    tokenizer = build_tokenizer(vocabulary["tokens"], vocabulary["merges"])
    state = torch.load(run / "state.pt")
    model = Student(state["weights"])
    if quantize:
        model.quantizer = fake_quantize
    optimizer = torch.optim.AdamW(model.parameters(), rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True)
    if state["optimizer"]:
        optimizer.load_state_dict(state["optimizer"])
    step, prompts = state["step"], state["prompts"]
    stream = Batches(tokenizer, Tasks("train", seed=1000 + step))
    header = torch.tensor(stream.header)
    dev_stream = Batches(tokenizer, Tasks("dev", seed=7, synthetic=0))
    dev = [dev_stream.next() for _ in range(10)]
    began, saved, average, done = time.time(), time.time(), None, False
    while not done:
        elapsed = (time.time() - began) / 60
        done = elapsed >= minutes
        factor = min(1.0, (step + 1) / 50) * (max(0.0, 1 - elapsed / minutes) if decay else 1.0)
        for group in optimizer.param_groups:
            group["lr"] = rate * factor
        body, rows = stream.next()
        loss = token_losses(model, header, body, rows)[0].mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        step, prompts = step + 1, prompts + len(body)
        average = loss.item() if average is None else 0.98 * average + 0.02 * loss.item()
        if step % 20 == 0:
            note = measure(model, header, dev) if step % 100 == 0 else ""
            print(f"{elapsed:.1f} min step {step} prompts {prompts} loss {average:.3f} {note}", flush=True)
        if done or time.time() - saved > 180:
            parts = {"weights": model.state(), "optimizer": optimizer.state_dict(), "step": step, "prompts": prompts}
            torch.save(parts, run / "state.tmp")
            (run / "state.tmp").replace(run / "state.pt")
            saved = time.time()
    print(measure(model, header, dev))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("phase", choices=["start", "train"])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--layers", default="0,1,2,3,4,5,28,29")
    parser.add_argument("--vocabulary", type=int, default=12288)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--learning-rate", type=float, default=1.5e-4)
    parser.add_argument("--decay", action="store_true")
    parser.add_argument("--quantize", action="store_true")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.phase == "start":
        start(options.out, [int(layer) for layer in options.layers.split(",")], options.vocabulary)
    else:
        train(options.out, options.minutes, options.learning_rate, options.decay, options.quantize)
