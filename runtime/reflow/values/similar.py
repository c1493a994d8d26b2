"""What a user may have meant by a name that isn't there."""

from __future__ import annotations

from collections.abc import Iterable


def similar(name: str, names: Iterable[str]) -> str | None:
    """The one that is most like it, None where none is."""
    from difflib import get_close_matches  # slow to import, and needed only here

    folded: dict[str, str] = {}
    for one in names:
        folded.setdefault(_letters(one), one)
    close = get_close_matches(_letters(name), folded, n=1, cutoff=0.6)
    slips = close or [one for one in folded if _one_letter_apart(_letters(name), one)]
    return folded[slips[0]] if slips else None


def _one_letter_apart(one: str, other: str) -> bool:
    """`pipi` and `pypi`, of which difflib finds only a half alike: the first "pi" and the second."""
    return len(one) == len(other) > 3 and sum(a != b for a, b in zip(one, other, strict=True)) == 1


def _letters(name: str) -> str:
    """Without an option's dashes, which all options share."""
    return name.casefold().lstrip("-")


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """` (did you mean NAME?)`, or nothing."""
    found = similar(name, names)
    return f" (did you mean {found}?)" if found else ""
