"""Greedy `span` decoding: text between <<< and >>> is a run of the input's words.

A plain version of the method's automaton for measuring models in PyTorch: at every point only the
tokens that continue some allowed answer compete. Entities never overlap an earlier one; a text that
occurs several times stands for its leftmost free occurrence.
"""

import re

import torch
from transformers import DynamicCache

from prompt import ANSWER

MAX_SPAN_WORDS = 12


def words_of(text: str) -> list[tuple[int, int]]:
    """Character ranges of words: runs of non-space characters, edge punctuation split off."""
    ranges = []
    for run in re.finditer(r"\S+", text):
        head, core, tail = re.fullmatch(r"([^\w]*)(.*?)([^\w]*)", run.group(), re.DOTALL).groups()
        at = run.start()
        for piece in [*head, core, *tail]:
            if piece:
                ranges.append((at, at + len(piece)))
                at += len(piece)
    return ranges


class SpanDecoder:
    def __init__(self, model, tokenizer, eos: int) -> None:
        self.model, self.tokenizer, self.eos = model, tokenizer, eos
        # Fixed pieces as they are tokenized inside a whole response.
        self.open, self.close, self.stop = (tokenizer.encode(piece).ids for piece in (" <<<", " >>>", " ."))

    @torch.no_grad()
    def feed(self, ids: list[int]) -> torch.Tensor:
        """Appends ids to the cache; logits (V) after the last one."""
        return self.model(input_ids=torch.tensor([ids]), past_key_values=self.cache, use_cache=True).logits[0, -1]

    def entities(self, prompt: str, sentence: str) -> list[tuple[int, int]]:
        """Character ranges of the extracted entities, in the order given."""
        self.cache = DynamicCache()
        logits = self.feed(self.tokenizer.encode(prompt + ANSWER).ids + self.open)
        words, found = words_of(sentence), []
        while True:
            span, logits = self._one(words, sentence, found, logits)
            if span is None:
                return found
            found.append(span)
            if logits[self.open[0]] <= logits[self.stop[0]] or not self._candidates(words, sentence, found):
                return found
            logits = self.feed(self.open)

    def _candidates(self, words, sentence: str, found) -> dict[str, tuple[int, int]]:
        result: dict[str, tuple[int, int]] = {}
        for i, (begin, _) in enumerate(words):
            for _, end in words[i : i + MAX_SPAN_WORDS]:
                if any(begin < b and a < end for a, b in found):
                    break
                result.setdefault(sentence[begin:end], (begin, end))
        return result

    def _one(self, words, sentence: str, found, logits):
        """The next span (None for the empty answer) and the logits after its closing >>>."""
        paths = []
        for text, span in self._candidates(words, sentence, found).items():
            paths.append((self.tokenizer.encode(" " + text).ids + self.close, span))
        if not found:
            paths.append((self.close, None))
        depth = 0
        while True:
            allowed = sorted({ids[depth] for ids, _ in paths})
            best = allowed[int(logits[allowed].argmax())]
            paths = [(ids, span) for ids, span in paths if ids[depth] == best]
            logits = self.feed([best])
            depth += 1
            if len(paths) == 1 and len(paths[0][0]) == depth:
                return paths[0][1], logits
