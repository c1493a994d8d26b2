"""kill -9, at any moment, of any process: what had finished is kept and never done again, and a resume ends well."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from tests.integration.faults import harmed
from tests.integration.faults.site import Site, parent_of
from tests.integration.local.laptop import Going, Played


def scheduler(going: Going, site: Site) -> list[int]:
    return [going.process.pid]


def server(going: Going, site: Site) -> list[int]:
    """The fork server; or the guard, or a task, where there's none."""
    return [pid for pid in site.processes() if parent_of(pid) == going.process.pid][:1]


def task(going: Going, site: Site) -> list[int]:
    found = {pid: parent_of(pid) for pid in site.processes()}
    below = [pid for pid, parent in found.items() if found.get(parent) == going.process.pid]
    return below[:1]


def everything(going: Going, site: Site) -> list[int]:
    return site.processes()


def all_but_the_server(going: Going, site: Site) -> list[int]:
    return [*(set(site.processes()) - set(server(going, site)))]


Victims = Callable[[Going, Site], list[int]]
KINDS = [scheduler, server, task, everything, all_but_the_server]


@pytest.mark.parametrize("victims", KINDS)
def test_after_a_kill_at_any_moment_a_resume_goes_on(
    site: Site, dice: random.Random, victims: Victims
) -> None:
    a_round(site, dice, victims)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("mode", [(), ("--fresh-process",)], ids=["forked", "fresh"])
@pytest.mark.parametrize("victims", KINDS)
def test_after_many_kills_at_any_moments_resumes_go_on(
    site: Site, dice: random.Random, victims: Victims, mode: tuple[str, ...]
) -> None:
    site.mode = mode
    for _ in range(20):
        a_round(site, dice, victims)


def a_round(site: Site, dice: random.Random, victims: Victims) -> None:
    """A run that is killed, one or two resumes that are killed, and one that isn't."""
    script = harmed.begin(site)
    for moment in [dice.uniform(0.1, 1.0) for _ in range(dice.choice([2, 3]))]:
        before = harmed.results(site)
        chosen = harmed.command(site, script)
        print(chosen[1], "killed after", moment)
        played = kill(site.start(*chosen), site, victims, moment)
        assert "Traceback" not in played.all, played.all
        site.nothing_stays()
        harmed.whole(site, before)
    harmed.goes_on(site, script)


def kill(going: Going, site: Site, victims: Victims, moment: float) -> Played:
    """Kill them at that moment, or later where they don't yet live."""
    until = time.monotonic() + moment
    time.sleep(moment)
    chosen = victims(going, site)
    while not chosen and going.process.poll() is None and time.monotonic() < until + 5:
        chosen = victims(going, site)
    for pid in chosen:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return going.end()
