"""What components are, and the HTML that all of them are made of. Text from values is escaped here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

LONGEST = 4096  # characters of one value's text
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}
_TABLE = str.maketrans({**_ENTITIES, "\0": "\N{REPLACEMENT CHARACTER}"})


class MetaflowCardComponent:
    """A part of a card. Derive from it for one of your own: `render` gives its HTML."""

    REALTIME_UPDATABLE = False
    component_id: str | None = None

    def render(self) -> Any:
        """The component as HTML. Another value than text is shown as text."""
        raise NotImplementedError

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Change what the component shows, at the card's next refresh or at the task's end."""
        raise NotImplementedError


def escape(text: object) -> str:
    """Text as HTML, within elements and within quoted attributes."""
    return str(text).translate(_TABLE)


def text_of(value: object, longest: int = LONGEST) -> str:
    """A value's text for people. Never raises, whatever its own code does."""
    try:
        if isinstance(value, str | bytes | bytearray) and len(value) > longest:
            value = value[:longest]
        text = repr(value)
    except Exception as error:
        return f"<no text: {type(error).__name__}>"
    return shortened(text, longest)


def shortened(text: str, longest: int = LONGEST) -> str:
    """The text, cut where it's longer than so many characters."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def rendered(component: object) -> str:
    """The component's HTML. One that fails shows why, and the others stay."""
    try:
        made = component.render() if hasattr(component, "render") else component
        return made if isinstance(made, str) else f"<pre>{escape(text_of(made))}</pre>"
    except (Exception, SystemExit) as error:
        return failure(f"{type(component).__name__} can't be shown", f"{type(error).__name__}: {error}")


def failure(title: str, text: str) -> str:
    """Something that went wrong."""
    return f'<div class="error"><strong>{escape(title)}</strong><pre>{escape(text)}</pre></div>'


def section(title: str, body: str) -> str:
    """A part of the page under a heading."""
    return f"<section><h2>{escape(title)}</h2>{body}</section>"


def pairs(rows: Iterable[tuple[str, str]]) -> str:
    """A table of names and values, both as HTML."""
    lines = "".join(f"<tr><th>{name}</th><td>{value}</td></tr>" for name, value in rows)
    return f'<div class="wide"><table class="pairs">{lines}</table></div>'


def fold(title: str, body: str) -> str:
    """HTML that is shown when it's asked for."""
    return f"<details><summary>{escape(title)}</summary>{body}</details>"
