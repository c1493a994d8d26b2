"""Runs that are under way."""

from __future__ import annotations

import time

from tests.integration.faults import harmed
from tests.integration.faults.site import Site
from tests.integration.local.laptop import Going


def begun(site: Site) -> Going:
    """A run whose first task has started."""
    script = harmed.begin(site)
    going = site.start(*harmed.command(site, script))
    until = time.monotonic() + 30
    while not list((site.folder / "witness").iterdir()):
        assert time.monotonic() < until
        time.sleep(0.005)
    return going
