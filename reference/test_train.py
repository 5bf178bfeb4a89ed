"""Checks that train.py takes the same steps on one process, on two, and with a split model (CPU), in every stage.

    python test_train.py

Bundles are those of `obp bundle` on the sample project (run `npm install` first); exits 1 on disagreement.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

from bundle_prompts import Prompts

ROOT = Path(__file__).parent.parent
TOLERANCE = 1e-5
ANSWER = "The entities I extracted for you are <<< {} >>> ."
PAIRS = [
    {"prompt": "Mix oat milk and pepper.\n", "chosen": ANSWER.format("oat milk"), "rejected": ANSWER.format("milk")},
    {"prompt": "Rinse the rye.\n", "chosen": ANSWER.format("rye"), "rejected": ANSWER.format("the rye")},
    {"prompt": "Salt the pan.\n", "chosen": ANSWER.format("Salt"), "rejected": ANSWER.format("")},
]


def bundle(folder: Path, stage: str, settings: dict, *more: str) -> Path:
    (folder / "config.json").write_text(json.dumps(settings))
    words = ["--project", ROOT / "public/samples/project.json", "--stage", stage, "--config", folder / "config.json"]
    out = folder / f"bundle-{stage}"
    subprocess.run(["node", ROOT / "bin/obp.mjs", "bundle", *words, *more, "--out", out], check=True, capture_output=True)
    return out


def train(source: Path, out: Path, processes: int, *more: str) -> list[dict]:
    words = ["train.py", source, "--model", ROOT / "public/models/obp-mini.gguf", "--out", out, "--log", out / "log.jsonl"]
    launch = ["accelerate.commands.launch", "--cpu", "--num_machines", "1", "--num_processes", str(processes)]
    command = [sys.executable, "-m", *launch, "--mixed_precision", "no", "--dynamo_backend", "no", *words, *more]
    subprocess.run([str(word) for word in command], check=True, capture_output=True, cwd=Path(__file__).parent)
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


def check_source_prompts(source: Path) -> None:
    """Present types are always asked for, of the absent ones the share; prompts over maxLength are named, not cut."""
    types = json.loads((source / "types.json").read_text())
    settings = {"stage": "source", "seed": 1, "absentShare": 0.25, "maxLength": 512}
    prompts = Prompts(source / "train.jsonl", types, SimpleNamespace(**settings), 2048)
    asked: dict[str, set[str]] = {}
    for row, name, definition in (prompts[i] for i in range(len(prompts))):
        assert definition == types[name]
        asked.setdefault(row["id"], set()).add(name)
    rows = [json.loads(line) for line in (source / "train.jsonl").read_text().splitlines()]
    for row in rows:
        here = {e["type"] for e in row["entities"]}
        absent = len(types) - len(here)
        extra = asked[row["id"]] - here
        assert here <= asked[row["id"]] and len(extra) == (round(0.25 * absent) or min(1, absent)), row["id"]
    none = Prompts(source / "train.jsonl", types, SimpleNamespace(**settings | {"absentShare": 0}), 2048)
    assert len(none) == sum(len({e["type"] for e in row["entities"]}) for row in rows)
    none.limit = 100
    tokens = {(row["id"], name): len(row["text"]) for row, name, _ in (none[i] for i in range(len(none)))}
    before, longest = len(none), max(tokens.values())
    none.leave_out_long(lambda row, name, _: 100 + (len(row["text"]) == longest))
    over = sorted(f"{document} / {name}" for (document, name), length in tokens.items() if length == longest)
    assert sorted(none.left_out) == over and len(none) == before - len(over)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pairs.jsonl").write_text("".join(f"{json.dumps(pair)}\n" for pair in PAIRS))
        steps = {"maxSteps": 3, "dropout": 0, "learningRate": 1e-3}
        pretraining = bundle(folder, "source", steps)
        check_source_prompts(pretraining)
        sft = bundle(folder, "sft", steps | {"contrastiveWeight": 0.01})
        one = train(sft, folder / "sft", 1)
        # DPO goes on from the adapter of the first run.
        dpo = bundle(folder, "dpo", steps, "--pairs", folder / "pairs.jsonl", "--adapter", folder / "sft")
        other_ways = {"two processes": (2,), "a split model": (1, "--split")}
        for stage, source, single in (
            ("source", pretraining, train(pretraining, folder / "source", 1)),
            ("sft", sft, one),
            ("dpo", dpo, train(dpo, folder / "dpo", 1)),
        ):
            for way, words in other_ways.items():
                other = train(source, folder / f"{stage}-{words[-1]}", *words)
                worst = max(abs(a[key] - b[key]) for a, b in zip(single, other) for key in ("loss", "grad_norm"))
                print(f"{stage}: losses {[round(line['loss'], 5) for line in single]}, {way} within {worst:.1e}")
                if len(single) != 3 or worst > TOLERANCE:
                    raise SystemExit(f"expected the same steps with {way} within {TOLERANCE}, got {worst}")


if __name__ == "__main__":
    main()
