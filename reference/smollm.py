"""SmolLM2 read from its GGUF file: dequantized weights, and the tokenizer as its authors ship it.

transformers' own GGUF conversion ignores `tokenizer.ggml.pre = smollm`, which splits digits one by
one, so the tokenizer is built here from the file's tokens and merges.
"""

import os
from pathlib import Path

import gguf
import numpy as np
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers


def smollm2_path() -> Path:
    """The source model's file, in the folder that OBP_MODEL_DIR names."""
    folder = os.environ.get("OBP_MODEL_DIR")
    if not folder:
        raise SystemExit("expected the folder of SmolLM2-135M-Instruct.Q4_1.gguf, got nothing (set OBP_MODEL_DIR)")
    return Path(folder) / "SmolLM2-135M-Instruct.Q4_1.gguf"


def read_metadata(path: Path) -> dict:
    """All metadata of a GGUF file as plain Python values."""
    return {key: field.contents() for key, field in gguf.GGUFReader(path).fields.items()}


def read_weights(path: Path) -> dict[str, np.ndarray]:
    """All tensors of a GGUF file, dequantized to f32, in the file's names and row order."""
    reader = gguf.GGUFReader(path)
    return {t.name: gguf.dequantize(t.data, t.tensor_type).reshape(t.shape[::-1]) for t in reader.tensors}


def build_tokenizer(tokens: list[str], merges: list[str], special: list[str] = []) -> Tokenizer:
    """Byte-level BPE with SmolLM's pre-tokenizer. `special` tokens are parsed in text; pass none for documents."""
    vocabulary = {token: index for index, token in enumerate(tokens)}
    pairs = [tuple(merge.split(" ")) for merge in merges]
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=pairs))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    if special:
        tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    return tokenizer


def tokenizer_of(path: Path) -> Tokenizer:
    """The document tokenizer of a GGUF file: text that looks like a special token stays text."""
    metadata = read_metadata(path)
    return build_tokenizer(metadata["tokenizer.ggml.tokens"], metadata["tokenizer.ggml.merges"])
