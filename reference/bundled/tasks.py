"""Draws healing prompts: (type name, definition, sentence, entities).

Two kinds, mixed: corpus types (present and absent ones, names and definitions varied), and synthetic
ones on the same sentences, whose definition is a rule about words. The second kind can only be
answered by reading the definition and copying words of the input, which is the skill the method needs.
"""

import random

from .corpora import natural_text, sentences
from .definitions import INVENTORIES, TYPES, spans_of

_SYLLABLES = "ba ko ri tel mun dra fen shi lor zan quo vip gal nes tur hob wix yel cam pod".split()


def _nonce(rng: random.Random) -> str:
    return "".join(rng.choice(_SYLLABLES) for _ in range(rng.randint(2, 3)))


def _runs(words: list[str], wanted) -> list[tuple[int, int]]:
    """Maximal runs of neighbouring words for which `wanted` holds."""
    spans, first = [], None
    for i, word in enumerate(words + [None]):
        hit = word is not None and wanted(word)
        if hit and first is None:
            first = i
        if not hit and first is not None:
            spans.append((first, i))
            first = None
    return spans


class Tasks:
    """An endless, seeded stream of prompts over one split of the corpora."""

    def __init__(self, split: str, seed: int, synthetic: float = 0.25) -> None:
        self.rng = random.Random(seed)
        self.synthetic = synthetic
        self.sentences = sentences(split)
        self.by_inventory: dict[str, list[dict]] = {}
        for sentence in self.sentences:
            self.by_inventory.setdefault(sentence["inventory"], []).append(sentence)
        # Few-NERD's whole annotation has the most types, so it gives half of the corpus prompts.
        self.weights = {"few-nerd": 10, "few-nerd-inter": 4, "wnut": 2, "bc5cdr": 1.5}
        self.by_label: dict[str, dict[str, list[dict]]] = {}
        for inventory, members in self.by_inventory.items():
            table = self.by_label.setdefault(inventory, {})
            for sentence in members:
                for label in INVENTORIES[inventory]:
                    if spans_of(sentence, label):
                        table.setdefault(label, []).append(sentence)

    def draw(self) -> tuple[str, str, str, list[str]]:
        return self._rule() if self.rng.random() < self.synthetic else self._corpus()

    def _render(self, words: list[str], spans: list[tuple[int, int]]) -> tuple[str, list[str]]:
        """The sentence as prose or as space-separated words, and the entities as they stand in it."""
        if self.rng.random() < 0.65:
            text, ranges = natural_text(words)
        else:
            text, at, ranges = " ".join(words), 0, []
            for word in words:
                ranges.append((at, at + len(word)))
                at += len(word) + 1
        return text, [text[ranges[a][0] : ranges[b - 1][1]] for a, b in sorted(spans)]

    def _corpus(self) -> tuple[str, str, str, list[str]]:
        rng = self.rng
        names = list(self.by_inventory)
        inventory = rng.choices(names, [self.weights.get(name, 0.6) for name in names])[0]
        labels = INVENTORIES[inventory]
        draw = rng.random()
        if draw < 0.3:  # a label first, so that rare ones are seen often enough
            label = rng.choice(list(self.by_label[inventory]))
            sentence = rng.choice(self.by_label[inventory][label])
        else:
            sentence = rng.choice(self.by_inventory[inventory])
            present = [label for label in labels if spans_of(sentence, label)]
            absent = [label for label in labels if not spans_of(sentence, label)]
            label = rng.choice(present if present and (draw < 0.65 or not absent) else absent or labels)
        type_names, definitions = TYPES[label]
        text, entities = self._render(sentence["words"], spans_of(sentence, label))
        return rng.choice(type_names), rng.choice(definitions), text, entities

    def _rule(self) -> tuple[str, str, str, list[str]]:
        rng = self.rng
        words = rng.choice(self.sentences)["words"]
        plain = [word for word in words if word.isalpha() and len(word) > 2]
        kind = rng.randrange(9)
        pick = rng.choice(plain) if plain else words[0]
        if kind <= 2:  # a list of words: some of the sentence, some not
            inside = rng.sample(plain, min(len(plain), rng.randint(0, 3)))
            other = [w for w in rng.choice(self.sentences)["words"] if w.isalpha() and len(w) > 2 and w not in words]
            listed = list(dict.fromkeys(inside + other[: rng.randint(1, 3)]))
            rng.shuffle(listed)
            chosen = set(inside)
            definition = "the words " + ", ".join(listed)
            spans = [(i, i + 1) for i, word in enumerate(words) if word in chosen]
        elif kind == 3:
            letter = rng.choice(pick)
            letter = letter.lower()
            definition = f"words that begin with the letter {letter}"
            spans = [(i, i + 1) for i, word in enumerate(words) if word.isalpha() and word[0].lower() == letter]
        elif kind == 4:
            definition = rng.choice(["runs of words that begin with a capital letter", "capitalized words"])
            spans = _runs(words, lambda word: word[0].isupper())
        elif kind == 5:
            definition = rng.choice(["numbers and years", "words that contain a digit"])
            spans = _runs(words, lambda word: any(c.isdigit() for c in word))
        elif kind == 6:
            definition = f"the word that follows {pick}"
            spans = [(i, i + 1) for i in range(1, len(words)) if words[i - 1] == pick]
        elif kind == 7:
            size = rng.randint(2, 4)
            definition = f"{['two', 'three', 'four'][size - 2]} words that begin with {pick}"
            at = words.index(pick)
            spans = [(at, at + size)] if at + size <= len(words) else []
        else:
            length = rng.randint(8, 10)
            definition = f"words of {length} letters or more"
            spans = [(i, i + 1) for i, word in enumerate(words) if word.isalpha() and len(word) >= length]
        text, entities = self._render(words, spans)
        return _nonce(rng), definition, text, entities
