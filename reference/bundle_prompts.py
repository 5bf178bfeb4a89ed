"""The prompts of a bundle's train.jsonl: which type each of its sentences is asked for, and the sentence when its turn comes.

The file may be larger than memory: what is kept of it is where its lines begin, and two numbers a prompt.
"""

import json
import random
from array import array
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

from prompt import prompt_text, response_text

MARGIN = 8  # tokens by which texts may be longer together than apart, as in src/train/sourcePass.ts


def rows_of(path: Path) -> Iterator[tuple[int, dict]]:
    """Each document with the byte at which its line begins."""
    with path.open("rb") as file:
        at = 0
        for line in file:
            if line.strip():
                yield at, json.loads(line)
            at += len(line)


class Prompts:
    """(document, type, definition) by number.

    Stages sft and dpo ask every sentence for every type. The stage source asks it for those that it has and for
    `absentShare` of the others that the corpus has, at least one where the share is above 0 (method.md; the draws are
    not those of obp).
    """

    def __init__(self, path: Path, types: dict[str, str], config: SimpleNamespace, longest: int) -> None:
        """longest: of the model's context, in tokens; in the stage source also the setting maxLength."""
        self.file, self.types, self.left_out = path.open("rb"), list(types.items()), []
        self.limit = min(longest, config.maxLength) if config.stage == "source" else longest
        self.starts, self.asked = array("q"), array("l")
        corpus = {e["type"] for _, row in rows_of(path) for e in row["entities"]}
        draw = random.Random(config.seed)
        for at, row in rows_of(path):
            here = {e["type"] for e in row["entities"]}
            if config.stage == "source":
                absent = [i for i, (name, _) in enumerate(self.types) if name in corpus - here]
                count = round(config.absentShare * len(absent)) or min(1, len(absent))
                chosen = set(draw.sample(absent, count if config.absentShare > 0 else 0))
                chosen |= {i for i, (name, _) in enumerate(self.types) if name in here}
            else:
                chosen = set(range(len(self.types)))
            for index in sorted(chosen):
                self.starts.append(at)
                self.asked.append(index)
        if not self.starts:
            raise SystemExit(f"expected at least one prompt in {path}, got none (label sentences, define their types)")

    def leave_out_long(self, tokens_of) -> None:
        """Drops and names the prompts over the limit. tokens_of(document, type, definition) counts one exactly."""
        kept = [i for i in range(len(self)) if self.fits(self[i], tokens_of)]
        self.starts = array("q", (self.starts[i] for i in kept))
        self.asked = array("l", (self.asked[i] for i in kept))
        if not kept:
            raise SystemExit(f"expected a prompt of at most {self.limit} tokens, got longer ones only")

    def fits(self, prompt: tuple[dict, str, str], tokens_of) -> bool:
        row, name, definition = prompt
        entities = [row["text"][e["start"] : e["end"]] for e in row["entities"] if e["type"] == name]
        # A token holds a byte at least: most prompts fit by this bound, and need not be encoded now.
        text = prompt_text(name, definition, row["text"]) + response_text(entities)
        if len(text.encode()) + MARGIN <= self.limit or tokens_of(*prompt) <= self.limit:
            return True
        self.left_out.append(f"{row['id']} / {name}")
        return False

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, index: int) -> tuple[dict, str, str]:
        self.file.seek(self.starts[index])
        return json.loads(self.file.readline()), *self.types[self.asked[index]]
