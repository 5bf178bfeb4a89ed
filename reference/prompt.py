"""The method's prompt: one instruction per (sentence, entity type), the answer between <<< >>>.

Source: OBP-LLM, section 3.1 and Fig. 3 (Alpaca headers, the paper's own wording).
"""

HEADER = (
    "Below is an instruction that describes a task, paired with an input that provides further context. "
    "Write a response that appropriately completes the request.\n\n### Instruction:\nI want you to extract"
)
BEFORE_RESPONSE = "\n\n### Response:\n"
ANSWER = "The entities I extracted for you are"


def prompt_text(type_name: str, definition: str, sentence: str) -> str:
    """Everything the model reads, up to and including the newline after "### Response:"."""
    return (
        f"{HEADER} {type_name} entities from the following input sentence, the entity of {type_name} "
        f"refers to {definition}.\n\n### Input:\n{sentence}{BEFORE_RESPONSE}"
    )


def prompt_ranges(type_name: str, definition: str, sentence: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """Character ranges in the prompt of the type's name (first mention) and of the sentence."""
    mention = len(HEADER) + 1
    end = len(prompt_text(type_name, definition, sentence)) - len(BEFORE_RESPONSE)
    return (mention, mention + len(type_name)), (end - len(sentence), end)


def response_text(entities: list[str]) -> str:
    """Entities in text order; none gives "<<< >>>". The end token is added by `encode`."""
    spans = " ".join(f"<<< {entity} >>>" for entity in entities) or "<<< >>>"
    return f"{ANSWER} {spans} ."


def encode(tokenizer, prompt: str, response: str, eos: int) -> tuple[list[int], int]:
    """Ids of prompt + response + end token, and the index of the first supervised id.

    The text is tokenized once, so that tokens never disagree across the boundary; the boundary
    is the first token that begins at or after the end of the prompt.
    """
    encoding = tokenizer.encode(prompt + response)
    start = next(i for i, (begin, _) in enumerate(encoding.offsets) if begin >= len(prompt))
    return encoding.ids + [eos], start
