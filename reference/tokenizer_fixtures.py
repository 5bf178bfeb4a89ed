"""Writes small tokenizers of each family, with the ids that Rust `tokenizers` gives for a list of texts.

    python tokenizer_fixtures.py

Trained on the project's own texts. `goldens/tokenizers/<family>.json` holds the GGUF metadata of the tokenizer, the
cases, and the method's prompts as ids; the tests in src/model and src/ner read them.
"""

import json
from pathlib import Path

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers.convert_slow_tokenizer import generate_merges

from golden_texts import PROMPTS, TOKENIZER_TEXTS
from prompt import encode, prompt_text, response_text
from smollm import build_tokenizer

HERE = Path(__file__).parent
OUT = HERE / "goldens/tokenizers"
NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
# Where the JavaScript library's own pre-tokenizers, left to themselves, give other ids.
HARD_TEXTS = [
    "next\u0085line, \ufeff marks and \u200b zero widths",
    "\u0663\u0664 \u2167 \u00bd \u00b3\u00b2 12345",
    "don'\u017f it'\u017ftop HE'LL I'M",
    "!\u0004! a\u0004b \u001d\u0016",
    "\U00040000 and \U0010ffff",
    "a\u2581b \u2581 \u2581\u2581",
    "__proto__ constructor <0x0A> <s> </s> <unk>",
    "<|begin_of_text|>text<|end_of_text|>",
    "one. \n\n two \t\n three.\r\n\r\n",
]


def training_texts() -> list[str]:
    samples = [json.loads(line)["text"] for name in ["train", "heldout"] for line in open(HERE.parent / f"public/samples/{name}.jsonl")]
    prompts = [prompt_text(t, d, s) + response_text(e) for t, d, s, e in PROMPTS]
    return samples * 4 + prompts * 4 + TOKENIZER_TEXTS


def byte_level_pieces(pattern: str, vocab_size: int, alphabet: list[str]) -> tuple[list[str], list[str]]:
    """Tokens (alphabet first) and merges of a byte-level BPE."""
    tokenizer = Tokenizer(models.BPE())
    split = pre_tokenizers.Split(Regex(pattern), "isolated")
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, byte_level])
    trainer = trainers.BpeTrainer(vocab_size=vocab_size, show_progress=False, initial_alphabet=alphabet)
    tokenizer.train_from_iterator(training_texts(), trainer)
    model = json.loads(tokenizer.to_str())["model"]
    return sorted(model["vocab"], key=model["vocab"].get), [" ".join(pair) for pair in model["merges"]]


def gpt2_metadata(pre: str, special: list[str], tokens: list[str], merges: list[str], bos: int, eos: int) -> dict:
    """As GGUF writers lay it out. `special` stands before the tokens with SmolLM, behind them with Llama 3."""
    first = pre == "smollm"
    return {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": pre,
        "tokenizer.ggml.tokens": special + tokens if first else tokens + special,
        "tokenizer.ggml.token_type": ([CONTROL] * len(special) + [NORMAL] * len(tokens))
        if first
        else ([NORMAL] * len(tokens) + [CONTROL] * len(special)),
        "tokenizer.ggml.merges": merges,
        "tokenizer.ggml.bos_token_id": bos,
        "tokenizer.ggml.eos_token_id": eos,
    }


def smollm() -> tuple[dict, Tokenizer]:
    # Like SmolLM2's, the vocabulary has no token for some bytes.
    absent = {chr(0x100 + byte) for byte in (0x04, 0x16, 0x1D)} | {"ñ"}  # bytes 04, 16, 1D and F1
    alphabet = [sign for sign in pre_tokenizers.ByteLevel.alphabet() if sign not in absent]
    pattern = r"\p{N}|'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
    tokens, merges = byte_level_pieces(pattern, 700, alphabet)
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    metadata = gpt2_metadata("smollm", special, tokens, merges, 1, 2)
    metadata["tokenizer.ggml.add_bos_token"] = False
    return metadata, build_tokenizer(metadata["tokenizer.ggml.tokens"], merges)


def llama3() -> tuple[dict, Tokenizer]:
    tokens, merges = byte_level_pieces(LLAMA3, 800, pre_tokenizers.ByteLevel.alphabet())
    # Some tokens cannot be reached by merges alone: Llama 3 takes a piece that is a token as it is.
    tokens = tokens + ["Ġunmergeable", "ĠZo"]
    special = ["<|begin_of_text|>", "<|end_of_text|>"]
    metadata = gpt2_metadata("llama-bpe", special, tokens, merges, len(tokens), len(tokens) + 1)
    vocab = {token: index for index, token in enumerate(tokens)}
    pairs = [tuple(merge.split(" ")) for merge in merges]
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=pairs, ignore_merges=True))
    split = pre_tokenizers.Split(Regex(LLAMA3), "isolated")
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, byte_level])
    return metadata, tokenizer


def sentencepiece() -> tuple[dict, Tokenizer]:
    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.BpeTrainer(vocab_size=700, show_progress=False, limit_alphabet=90)
    trained.train_from_iterator(training_texts(), trainer)
    model = json.loads(trained.to_str())["model"]
    # SentencePiece's order: merged pieces by falling score, then the characters, then runs of spaces as in Llama 2.
    merged = list(dict.fromkeys(left + right for left, right in model["merges"]))
    characters = [token for token in model["vocab"] if len(token) == 1]
    pieces = [piece for piece in merged + ["▁▁", "▁▁▁▁"] + characters if not set(piece) & set("\n\r\t")]
    fixed = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    tokens = fixed + pieces
    types = [UNKNOWN, CONTROL, CONTROL] + [BYTE] * 256 + [NORMAL] * len(pieces)
    scores = [0.0] * len(fixed) + [float(-index) for index in range(len(pieces))]
    vocab = {token: index for index, token in enumerate(tokens)}
    merges = generate_merges(vocab, dict(zip(tokens, scores)), skip_tokens=fixed)
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    metadata = {
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.scores": scores,
        "tokenizer.ggml.token_type": types,
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
    }
    return metadata, tokenizer


def encode_prompts(tokenizer: Tokenizer, eos: int) -> list[dict]:
    prompts = []
    for name, definition, sentence, entities in PROMPTS:
        prompt, response = prompt_text(name, definition, sentence), response_text(entities)
        ids, start = encode(tokenizer, prompt, response, eos)
        known = {"name": name, "definition": definition, "sentence": sentence, "entities": entities}
        prompts.append(known | {"text": prompt + response, "ids": ids, "responseStart": start})
    return prompts


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    for make in [smollm, llama3, sentencepiece]:
        metadata, tokenizer = make()
        texts = TOKENIZER_TEXTS + HARD_TEXTS + [" unmergeable Zoë unmergeable"]
        cases = [{"text": text, "ids": tokenizer.encode(text, add_special_tokens=False).ids} for text in texts]
        prompts = encode_prompts(tokenizer, metadata["tokenizer.ggml.eos_token_id"])
        path = OUT / f"{make.__name__}.json"
        fixture = {"metadata": metadata, "cases": cases, "prompts": prompts}
        path.write_text(json.dumps(fixture, ensure_ascii=False, separators=(",", ":")))
        print(path, len(metadata["tokenizer.ggml.tokens"]), "tokens", len(cases), "cases", path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
