"""Writes goldens/seqeval.json: what seqeval (conlleval's rules) says of real files against a spoilt copy of their tags.

The spoiling is a rule, so that no corpus text is committed and the test can repeat it: for word j of sentence i (from 0),
the tag becomes O where (31 i + 17 j) mod 7 = 0; else a B- tag becomes I- where (i + 3 j) mod 5 = 0, which makes entities
without a beginning and merges neighbours; else a tag B-T or I-T takes the file's next type (in alphabetical order, the
first after the last) where (i + j) mod 11 = 0.
"""

import json
import os
from pathlib import Path

from seqeval.metrics import classification_report

FILES = [
    "wnut17/test.annotated",
    "gum-3.1.0/test.conll",
    "bc5cdr/test.tsv",
    "crossner-liu2020/music/train.txt",
]


def read_tags(path: Path) -> list[list[str]]:
    sentences, tags = [], []
    for line in path.read_text(encoding="utf-8").split("\n") + [""]:
        if line.strip(" \t"):
            tags.append(line.split("\t")[-1])
        elif tags:
            sentences.append(tags)
            tags = []
    return sentences


def spoil(sentences: list[list[str]]) -> list[list[str]]:
    types = sorted({tag[2:] for tags in sentences for tag in tags if tag != "O"})
    following = dict(zip(types, types[1:] + types[:1]))

    def spoilt(tag: str, i: int, j: int) -> str:
        if (31 * i + 17 * j) % 7 == 0:
            return "O"
        if tag.startswith("B-") and (i + 3 * j) % 5 == 0:
            return "I-" + tag[2:]
        if tag != "O" and (i + j) % 11 == 0:
            return tag[:2] + following[tag[2:]]
        return tag

    return [[spoilt(tag, i, j) for j, tag in enumerate(tags)] for i, tags in enumerate(sentences)]


def main() -> None:
    golden = {}
    for name in FILES:
        gold = read_tags(Path(os.environ["OBP_DATA_DIR"]) / name)
        report = classification_report(gold, spoil(gold), output_dict=True, zero_division=0)
        rows = {key: row for key, row in report.items() if not key.endswith(" avg")} | {"micro avg": report["micro avg"]}
        golden[name] = {
            key: {"precision": float(row["precision"]), "recall": float(row["recall"]), "f1": float(row["f1-score"]),
                  "support": int(row["support"])}
            for key, row in rows.items()
        }  # fmt: skip
    target = Path(__file__).parent / "goldens" / "seqeval.json"
    target.write_text(json.dumps(golden, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
