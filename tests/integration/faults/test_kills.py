"""kill -9, at any moment, of any process: what had finished is kept and never done again, and a resume ends well."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from reflow.store.values import Record
from tests.integration.faults.site import Site, parent_of
from tests.integration.faults.soundness import check_all
from tests.integration.local.laptop import Going, Played

FLOW = "Harmed"
WIDTH = 6
BODY = f"""
    def witness(self):
        name = f"{{current.run_id}} {{current.step_name}}/{{current.task_id}} {{os.getpid()}}"
        open(os.path.join("witness", name.replace("/", "|")), "x").close()

    @step
    def start(self):
        self.witness()
        self.xs = list(range({WIDTH}))
        self.big = os.urandom(300_000)
        self.next(self.work, foreach="xs")

    @step
    def work(self):
        self.witness()
        print("working on", self.input, "x" * 20_000)
        self.own = os.urandom(100_000) + bytes([self.input])
        self.y = self.input
        self.next(self.join)

    @step
    def join(self, inputs):
        self.witness()
        assert all(i.own[-1] == i.y for i in inputs)
        self.total = sum(i.y for i in inputs)
        self.next(self.end)

    @step
    def end(self):
        self.witness()
        print("total", self.total)
"""


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


def half(going: Going, site: Site) -> list[int]:
    """The scheduler with all that is below it but the fork server."""
    return [*(set(site.processes()) - set(server(going, site)))]


Victims = Callable[[Going, Site], list[int]]
KINDS = [scheduler, server, task, everything, half]


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
    script = site.flow(FLOW, BODY)
    (site.folder / "witness").mkdir(exist_ok=True)
    (site.folder / ".reflow" / ".last" / FLOW).unlink(missing_ok=True)
    for moment in [dice.uniform(0.1, 1.0) for _ in range(dice.choice([2, 3]))]:
        before = results(site)
        print(arguments(site, script)[1], "killed after", moment)
        played = kill(site.start(*arguments(site, script)), site, victims, moment)
        assert "Traceback" not in played.all, played.all
        site.nothing_stays()
        whole(site, before)
    before = results(site)
    played = site.play(*arguments(site, script))
    assert played.code == 0, played.all
    whole(site, before)
    last = max(site.runs(FLOW), key=int)
    assert site.value(FLOW, last, "end/0", "total") == sum(range(WIDTH))
    assert (
        len({task for run, task in results(site) if run == last} | set(site.cloned(FLOW, last))) == WIDTH + 3
    )
    nothing_twice(site)


def arguments(site: Site, script: Path) -> tuple[str, ...]:
    """`run` until one of this round is remembered, then `resume`."""
    is_known = (site.folder / ".reflow" / ".last" / FLOW).exists()
    return str(script), "resume" if is_known else "run", *site.mode


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


def results(site: Site) -> dict[tuple[str, str], Record]:
    return check_all(site.keeps.open(), FLOW)


def whole(site: Site, before: dict[tuple[str, str], Record]) -> None:
    """No object is half-written, and each result that was there is there still, as it was."""
    after = results(site)
    for name, record in before.items():
        assert after.get(name) == record, f"{name} has another result than before"


def nothing_twice(site: Site) -> None:
    """A task that a run has cloned was not run by it; and one that it ran has one execution that counts."""
    ran = {tuple(path.name.replace("|", "/").split()) for path in (site.folder / "witness").iterdir()}
    held = results(site)
    for run in site.runs(FLOW):
        cloned = set(site.cloned(FLOW, run))
        assert not {task for number, task, _ in ran if number == run} & cloned, (
            f"{run} ran finished tasks again"
        )
    for (run, task), record in held.items():
        assert (run, task, str(record.pid)) in ran
