"""Prunes SmolLM2's vocabulary to what the corpora and the shipped text need.

Kept: all special tokens and all 256 bytes, the earliest merges (the commonest pieces of English;
a prefix of the merge list is closed), then the corpora's most frequent tokens with every piece they
are merged from. A merge stays when both parts and its result stay, so any text can still be encoded.
"""

from collections import Counter
from pathlib import Path

from tokenizers import Tokenizer

from .corpora import natural_text, sentences
from .definitions import TYPES
from prompt import prompt_text, response_text

EARLY_IDS = 7000
# Everyday words that users' own texts are likely to hold and the (encyclopedic) corpora seldom do.
EVERYDAY = Path(__file__).with_name("words.txt")


def corpus_counts(tokenizer: Tokenizer, extra: list[str]) -> Counter:
    """How often the source tokenizer uses each id on corpora, definitions and shipped text (weighted 50)."""
    counts: Counter = Counter()
    corpus = [natural_text(sentence["words"])[0] for sentence in sentences("train")]
    for encoding in tokenizer.encode_batch(corpus):
        counts.update(encoding.ids)
    shipped = [prompt_text(n, d, "") for names, ds in TYPES.values() for n in names for d in ds]
    everyday = [f"{word} {word.capitalize()}" for word in EVERYDAY.read_text(encoding="utf-8").split()]
    shipped += [" " + text for text in everyday]
    for text in shipped + extra + [prompt_text("", "", ""), response_text(["one", "two"]), response_text([])]:
        for token in tokenizer.encode(text).ids:
            counts[token] += 50
    return counts


def prune(metadata: dict, counts: Counter, size: int) -> dict:
    """Ids kept (old id by new id), tokens, merges and token types of a vocabulary of exactly `size`."""
    tokens, merges = metadata["tokenizer.ggml.tokens"], metadata["tokenizer.ggml.merges"]
    index = {token: i for i, token in enumerate(tokens)}
    parts: dict[int, tuple[int, int]] = {}
    for merge in merges:
        left, right = merge.split(" ")
        parts.setdefault(index[left + right], (index[left], index[right]))

    def closure(token: int) -> set[int]:
        pieces, todo = set(), [token]
        while todo:
            piece = todo.pop()
            if piece not in pieces:
                pieces.add(piece)
                todo.extend(parts.get(piece, ()))
        return pieces

    # Ids without parts are the special tokens and the 256 single bytes.
    kept = {i for i in range(len(tokens)) if i not in parts}
    for token in range(EARLY_IDS):
        kept |= closure(token)
    for token, _ in counts.most_common():
        pieces = closure(token)
        if len(kept | pieces) <= size:
            kept |= pieces
    old_ids = sorted(kept)
    names = {tokens[i] for i in old_ids}
    return {
        "old_ids": old_ids,
        "tokens": [tokens[i] for i in old_ids],
        "token_types": [metadata["tokenizer.ggml.token_type"][i] for i in old_ids],
        "merges": [m for m in merges if all(part in names for part in (*m.split(" "), m.replace(" ", "", 1)))],
    }
