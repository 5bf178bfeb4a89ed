"""Reads the healing corpora: sentences as words with labelled word spans, and as natural text.

A sentence is {"words": [...], "spans": [(first, end, label)], "inventory": name}: spans are half-open
word ranges, `inventory` names the set of labels that were annotated (a label of it that is missing
is truly absent). Never read here: CrossNER's music domain, test files.
Few-NERD's food, music and show organizations have no entry in definitions.py, so that no prompt asks for them.
"""

import os
from pathlib import Path

def data_path() -> Path:
    folder = os.environ.get("OBP_DATA_DIR")
    if not folder:
        raise SystemExit("expected the folder of the corpora, got nothing (set OBP_DATA_DIR)")
    return Path(folder)


def _blocks(path: Path):
    """(words, tags) of each blank-line separated sentence of a two-column file."""
    words, tags = [], []
    for line in path.read_text(encoding="utf-8").splitlines() + [""]:
        cells = line.split("\t")
        if len(cells) < 2 or not cells[0].strip():
            if words:
                yield words, tags
            words, tags = [], []
        else:
            words.append(cells[0].strip())
            tags.append(cells[-1].strip())


def _spans(tags: list[str]) -> list[tuple[int, int, str]]:
    """Half-open word spans of BIO or IO tags; a bare label continues the same label before it."""
    spans, first, label = [], 0, None
    for i, tag in enumerate(tags + ["O"]):
        begins = tag.startswith("B-")
        name = None if tag in ("O", "") else tag[2:] if tag[:2] in ("B-", "I-") else tag
        if name != label or begins:
            if label is not None:
                spans.append((first, i, label))
            first, label = i, name
    return spans


def sentences(split: str = "train") -> list[dict]:
    """All sentences of 4 to 22 words. `split` "dev" gives those that measure healing, never trained on."""
    root = data_path()
    few = sorted((root / "few-nerd/raw-part").glob("*.txt"))
    files = [(path, "few-nerd") for path in few] + [(root / "few-nerd/inter/dev.txt", "few-nerd-inter")]
    files += [(root / "wnut17/train.conll", "wnut"), (root / "bc5cdr/train.tsv", "bc5cdr")]
    for domain in ("ai", "literature", "politics", "science"):
        files += [(root / f"crossner-liu2020/{domain}/{part}.txt", f"liu-{domain}") for part in ("train", "dev")]
    result = []
    for path, inventory in files:
        for index, (words, tags) in enumerate(_blocks(path)):
            if not 4 <= len(words) <= 22 or (index % 25 == 0) != (split == "dev"):
                continue
            result.append({"words": words, "spans": _spans(tags), "inventory": inventory})
    return result


NO_SPACE_BEFORE = set(". , ; : ! ? ) ] % 's 't 'm 're 've 'd 'll n't ’s".split())
NO_SPACE_AFTER = set("( [ $ £ #".split())


def natural_text(words: list[str]) -> tuple[str, list[tuple[int, int]]]:
    """The words set as ordinary prose (no space before a comma …), with each word's character range."""
    text, ranges, quote_open = "", [], False
    glue = True
    for word in words:
        closing = word == '"' and quote_open
        if not (glue or word in NO_SPACE_BEFORE or closing):
            text += " "
        ranges.append((len(text), len(text) + len(word)))
        text += word
        glue = word in NO_SPACE_AFTER or (word == '"' and not quote_open)
        if word == '"':
            quote_open = not quote_open
    return text, ranges
