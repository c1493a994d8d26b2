"""Cards: reports that steps leave. What users import, from here or from `metaflow.cards`.

Names are looked up when they are first asked for: a step that appends a Markdown loads no charts.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reflow.cards.components import (
        Artifact,
        Error,
        JSONViewer,
        Markdown,
        ProgressBar,
        PythonCode,
        Table,
        UserComponent,
        ValueBox,
        VegaChart,
        YAMLViewer,
    )
    from reflow.cards.default import DefaultCard
    from reflow.cards.getting import Card, CardContainer, get_cards
    from reflow.cards.images import Image
    from reflow.cards.kinds import BlankCard, ErrorCard, HTMLCard, MetaflowCard
    from reflow.cards.parts import MetaflowCardComponent
    from reflow.cards.sections import PageComponent
    from reflow.cards.timeline import EventsTimeline

_FROM = {
    "Artifact": "components",
    "BlankCard": "kinds",
    "Card": "getting",
    "CardContainer": "getting",
    "DefaultCard": "default",
    "Error": "components",
    "ErrorCard": "kinds",
    "EventsTimeline": "timeline",
    "HTMLCard": "kinds",
    "Image": "images",
    "JSONViewer": "components",
    "Markdown": "components",
    "MetaflowCard": "kinds",
    "MetaflowCardComponent": "parts",
    "PageComponent": "sections",
    "ProgressBar": "components",
    "PythonCode": "components",
    "Table": "components",
    "UserComponent": "components",
    "ValueBox": "components",
    "VegaChart": "components",
    "YAMLViewer": "components",
    "get_cards": "getting",
}

__all__ = [
    "Artifact",
    "BlankCard",
    "Card",
    "CardContainer",
    "DefaultCard",
    "Error",
    "ErrorCard",
    "EventsTimeline",
    "HTMLCard",
    "Image",
    "JSONViewer",
    "Markdown",
    "MetaflowCard",
    "MetaflowCardComponent",
    "PageComponent",
    "ProgressBar",
    "PythonCode",
    "Table",
    "UserComponent",
    "ValueBox",
    "VegaChart",
    "YAMLViewer",
    "get_cards",
]


def __getattr__(name: str) -> Any:
    if name not in _FROM:
        raise AttributeError(f"module 'reflow.cards' has no attribute {name!r}")
    value = getattr(import_module(f"reflow.cards.{_FROM[name]}"), name)
    globals()[name] = value
    return value
