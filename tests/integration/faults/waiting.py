"""Runs that are under way."""

from __future__ import annotations

import time

from tests.integration.faults import harmed
from tests.integration.faults.site import Site
from tests.integration.local.laptop import Going


def begun(site: Site) -> Going:
    """A run whose first task has started."""
    return begun_by(site, *harmed.command(site, harmed.begin(site)))


def begun_by(site: Site, *command: str, witnesses: int = 1) -> Going:
    """A command whose run has started a task, or so many in all."""
    going = site.start(*command)
    until = time.monotonic() + 30
    while len(list((site.folder / "witness").iterdir())) < witnesses and going.process.poll() is None:
        assert time.monotonic() < until, "no task has started"
        time.sleep(0.005)
    return going
