"""The chart of a specification."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def figure(spec: Mapping[str, Any]) -> str:
    """The chart's HTML; where it can't be drawn, why."""
    return '<p class="note">This chart isn\'t drawn here.</p>'
