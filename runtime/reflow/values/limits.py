"""How much a run does at once, where nothing is said of it."""

from __future__ import annotations

DEFAULT_MAX_WORKERS = 16  # on a laptop; as in Metaflow
DEFAULT_MAX_NUM_SPLITS = 10_000
