"""Which tokens the contrastive loss reads: from character ranges, as src/train/contrastiveRows.ts finds them."""


def place(sentence: str, entities: list[str]) -> list[tuple[int, int]]:
    """Character range of each entity: its leftmost occurrence that no earlier one overlaps."""
    found: list[tuple[int, int]] = []
    for entity in entities:
        begin = sentence.find(entity)
        while any(begin < b and a < begin + len(entity) for a, b in found):
            begin = sentence.find(entity, begin + 1)
        if begin < 0:
            raise ValueError(f'expected "{entity}" in the sentence "{sentence}", got no free occurrence')
        found.append((begin, begin + len(entity)))
    return found


def contrastive_rows(
    offsets: list[tuple[int, int]],
    sentence: tuple[int, int],
    mention: tuple[int, int],
    entities: list[tuple[int, int]],
    pooling: str = "mean",
) -> dict | None:
    """Token indices of the type's name, of each gold entity of the type, and of the entities' neighbours.

    offsets: character range of each token; a token covers a range that it intersects, so that a token made of a space
    and a word covers the word. sentence, mention (the type's name in the instruction) and entities are ranges of the
    same text. The neighbours are the tokens just left and right of an entity; one outside the sentence or inside an
    entity is left out. pooling "mean": all tokens; "ancestor": the type's first, an entity's first and last.
    None where there is no entity.
    """

    def covering(begin: int, end: int) -> list[int]:
        rows = [i for i, (a, b) in enumerate(offsets) if a < end and b > begin]
        if not rows:
            raise ValueError(f"expected tokens under the characters {begin}-{end}, got none")
        return rows

    if not entities:
        return None
    if pooling not in ("mean", "ancestor"):
        raise ValueError(f'expected pooling to be "mean" or "ancestor", got "{pooling}"')
    spans, within = [covering(*entity) for entity in entities], set(covering(*sentence))
    inside = {row for span in spans for row in span}
    neighbours = [row for span in spans for row in (span[0] - 1, span[-1] + 1) if row in within and row not in inside]
    type_rows = covering(*mention)
    if pooling == "ancestor":
        spans, type_rows = [sorted({span[0], span[-1]}) for span in spans], type_rows[:1]
    return {"type": type_rows, "entities": spans, "neighbours": neighbours}
