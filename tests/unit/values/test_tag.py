"""What a tag may be."""

from __future__ import annotations

import pytest

from reflow.values.tag import LONGEST, why_no_tag


@pytest.mark.parametrize("tag", ["a", "刺身 means sashimi", "x" * LONGEST, "a:b/c"])
def test_texts_are_tags(tag: str) -> None:
    assert why_no_tag(tag) == ""


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("", "aren't empty"),
        (" ", "aren't empty"),
        (4, "tags are texts"),
        (b"x", "tags are texts"),
        ("x" * 501, "at most 500 characters"),
        ("bytes \udcff", "valid Unicode"),
    ],
)
def test_what_cant_be_a_tag_is_told_in_words(given: object, words: str) -> None:
    assert words in why_no_tag(given)
