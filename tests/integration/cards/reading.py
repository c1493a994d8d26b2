"""A card's HTML taken apart: what would be fetched, what would run, what a reader sees."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

_FETCHING = frozenset({"src", "href", "action", "data", "poster", "srcset", "xlink:href", "background"})


@dataclass
class Read:
    """`fetched`: addresses of elements that a browser asks for by itself; `links`: those for readers to follow."""

    tags: list[str] = field(default_factory=list)
    handlers: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    text: str = ""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.read = Read()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.read.tags.append(tag)
        for name, value in attrs:
            if name.startswith("on"):
                self.read.handlers.append(f"{tag} {name}")
            if name in _FETCHING:
                (self.read.links if tag == "a" else self.read.fetched).append(value or "")

    def handle_data(self, data: str) -> None:
        self.read.text += data


def read(html: str) -> Read:
    """The page."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.read


def assert_harmless(html: str) -> Read:
    """Nothing is fetched, nothing runs, and a browser is told so too."""
    found = read(html)
    assert "script" not in found.tags
    assert "iframe" not in found.tags
    assert not found.handlers
    assert all(address.startswith("data:image/") for address in found.fetched), found.fetched
    assert all(address.startswith(("http://", "https://")) for address in found.links), found.links
    assert "default-src 'none'" in html
    return found
