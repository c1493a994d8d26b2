"""What a tag may be."""

from __future__ import annotations

LONGEST = 500  # characters


def why_no_tag(given: object) -> str:
    """Why this can't be a tag, as a sentence's end; empty where it can."""
    if not isinstance(given, str) or not given.strip():
        return f"{given!r} can't be a tag: tags are texts that aren't empty"
    if len(given) > LONGEST:
        return f"a tag has at most {LONGEST} characters; {given[:40]!r}… has {len(given)}"
    try:
        given.encode()
    except UnicodeEncodeError:
        return f"{given[:40]!r} can't be a tag: it isn't valid Unicode"
    return ""
