"""Events one after the other, the latest first."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from reflow.cards.components import UserComponent
from reflow.cards.parts import MetaflowCardComponent, escape, rendered, shortened, text_of
from reflow.values.dataclass import dataclass

_TONES = {"success": "success", "warning": "warning", "error": "danger"}


@dataclass(frozen=True, slots=True)
class _Event:
    at: float
    data: Mapping[str, Any]
    payloads: Mapping[str, Any]
    theme: str
    priority: str


class EventsTimeline(UserComponent):
    """`update` adds an event; of very many the latest `max_events` are shown, and all are counted."""

    REALTIME_UPDATABLE = True

    def __init__(self, title: str | None = None, max_events: int = 100) -> None:
        self._title, self._most = title, max(int(max_events), 1)
        self._events: list[_Event] = []
        self._count = 0
        self._is_finished = False

    def update(
        self,
        event_data: Mapping[str, Any],
        style_theme: str | None = None,
        priority: str | None = None,
        payloads: Mapping[str, Any] | None = None,
        finished: bool | None = None,
    ) -> None:
        """Add an event: its values by name, and in `payloads` components by name. `finished`: no more will come."""
        event = _Event(time.time(), dict(event_data), dict(payloads or {}), style_theme or "", priority or "")
        self._count += 1
        self._events = [*self._events, event][-self._most :]
        if finished is not None:
            self._is_finished = finished

    def get_stats(self) -> dict[str, Any]:
        """How many events there were, and how many are shown."""
        return {
            "total_events": self._count,
            "displayed_events": len(self._events),
            "finished": self._is_finished,
        }

    def render(self) -> str:
        title = f"<h3>{escape(self._title)}</h3>" if self._title else ""
        counted = f"{self._count:,} event{'' if self._count == 1 else 's'}"
        hidden = self._count - len(self._events)
        note = counted + (f", the latest {len(self._events):,} of them here" if hidden else "")
        ended = ", finished" if self._is_finished else ""
        shown = "".join(_shown(one) for one in reversed(self._events))
        return f'<div class="timeline">{title}<p class="note">{note}{ended}.</p>{shown}</div>'


def _shown(event: _Event) -> str:
    clock = time.strftime("%H:%M:%S", time.localtime(event.at))
    parts = "".join(_pairs(event.data))
    more = "".join(f"<div><b>{escape(name)}</b>{_payload(one)}</div>" for name, one in event.payloads.items())
    urgent = f" <b>{escape(event.priority)}</b>" if event.priority in ("high", "critical") else ""
    tone = _TONES.get(event.theme, "plain")
    return f'<div class="event {tone}"><span class="note">{clock}</span>{urgent}{parts}{more}</div>'


def _pairs(data: Mapping[str, Any]) -> Iterator[str]:
    for name, value in data.items():
        text = shortened(value) if isinstance(value, str) else text_of(value)
        yield f' <span><span class="kind">{escape(name)}</span> {escape(text)}</span>'


def _payload(value: Any) -> str:
    if isinstance(value, MetaflowCardComponent):
        return rendered(value)
    return f"<pre>{escape(shortened(value) if isinstance(value, str) else text_of(value))}</pre>"
