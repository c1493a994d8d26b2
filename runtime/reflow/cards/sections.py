"""Components under a title, for card types of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reflow.cards.parts import MetaflowCardComponent, escape, rendered, text_of


class PageComponent(MetaflowCardComponent):
    """Components, and texts of HTML, one after the other."""

    def __init__(
        self, title: str | None = None, subtitle: str | None = None, contents: Sequence[Any] = ()
    ) -> None:
        self._title, self._subtitle, self._contents = title, subtitle, list(contents)

    def render(self) -> str:
        title = f"<h2>{escape(self._title)}</h2>" if self._title else ""
        subtitle = f'<p class="note">{escape(self._subtitle)}</p>' if self._subtitle else ""
        shown = [one if isinstance(one, str) else _shown(one) for one in self._contents]
        return f"<section>{title}{subtitle}{''.join(shown)}</section>"


def _shown(one: object) -> str:
    return rendered(one) if isinstance(one, MetaflowCardComponent) else f"<pre>{escape(text_of(one))}</pre>"
