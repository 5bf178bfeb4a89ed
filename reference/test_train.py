"""Checks that train.py takes the same steps on one process and on two (CPU), in every kind of loss.

    python test_train.py

Bundles are those of `obp bundle` on the sample project (run `npm install` first); exits 1 on disagreement.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

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


def train(source: Path, out: Path, processes: int) -> list[dict]:
    words = ["train.py", source, "--model", ROOT / "public/models/obp-mini.gguf", "--out", out, "--log", out / "log.jsonl"]
    launch = ["accelerate.commands.launch", "--cpu", "--num_machines", "1", "--num_processes", str(processes)]
    command = [sys.executable, "-m", *launch, "--mixed_precision", "no", "--dynamo_backend", "no", *words]
    subprocess.run([str(word) for word in command], check=True, capture_output=True, cwd=Path(__file__).parent)
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pairs.jsonl").write_text("".join(f"{json.dumps(pair)}\n" for pair in PAIRS))
        steps = {"maxSteps": 3, "dropout": 0, "learningRate": 1e-3}
        sft = bundle(folder, "sft", steps | {"contrastiveWeight": 0.01})
        one = train(sft, folder / "sft", 1)
        # DPO goes on from the adapter of the first run.
        dpo = bundle(folder, "dpo", steps, "--pairs", folder / "pairs.jsonl", "--adapter", folder / "sft")
        for stage, source, single in (("sft", sft, one), ("dpo", dpo, train(dpo, folder / "dpo", 1))):
            double = train(source, folder / f"{stage}-2", 2)
            worst = max(abs(a[key] - b[key]) for a, b in zip(single, double) for key in ("loss", "grad_norm"))
            print(f"{stage}: losses {[round(line['loss'], 5) for line in single]}, two processes within {worst:.1e}")
            if len(single) != 3 or worst > TOLERANCE:
                raise SystemExit(f"expected the same steps on one process and on two within {TOLERANCE}, got {worst}")


if __name__ == "__main__":
    main()
