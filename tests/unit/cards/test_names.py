"""What `reflow.cards` offers."""

from __future__ import annotations

from typing import Any

import pytest

import reflow.cards
from reflow.cards import ErrorCard, Markdown, PageComponent

METAFLOWS = [
    "Artifact",
    "BlankCard",
    "DefaultCard",
    "Error",
    "ErrorCard",
    "EventsTimeline",
    "Image",
    "JSONViewer",
    "Markdown",
    "MetaflowCard",
    "MetaflowCardComponent",
    "PageComponent",
    "ProgressBar",
    "PythonCode",
    "Table",
    "ValueBox",
    "VegaChart",
    "YAMLViewer",
    "get_cards",
]


@pytest.mark.parametrize("name", METAFLOWS)
def test_every_name_of_metaflows_is_there(name: str) -> None:
    assert getattr(reflow.cards, name).__name__ == name


def test_what_is_told_is_what_there_is() -> None:
    assert all(hasattr(reflow.cards, name) for name in reflow.cards.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'Video'"):
        _ = reflow.cards.Video


def test_a_page_component_holds_components_html_and_values() -> None:
    html = PageComponent("<t>", "<s>", [Markdown("**b**"), "<hr>", {"<k>": 1}]).render()
    assert "<h2>&lt;t&gt;</h2>" in html
    assert "<strong>b</strong>" in html
    assert "<hr>" in html
    assert "&lt;k&gt;" in html


def test_an_error_card_shows_why() -> None:
    class Task:
        pathspec = "F/1/start/0"

    task: Any = Task()
    assert "KeyError: &#39;x&#39;" in ErrorCard().render(task, "KeyError: 'x'")
