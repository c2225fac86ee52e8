"""Raw statuses: a provider's own words for where an order stands, compared as people would."""


def normal_form(word: str) -> str:
    """What two spellings of one word share: case and white space don't count."""
    return " ".join(word.split()).casefold()


def is_same_word(one: str | None, other: str | None) -> bool:
    """Whether two raw statuses are the same word; None is like no word but itself."""
    if one is None or other is None:
        return one is other
    return one == other or normal_form(one) == normal_form(other)
