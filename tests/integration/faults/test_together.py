"""Many commands on one store at once: ids never clash, nothing is lost, nobody breaks down."""

from __future__ import annotations

import random
import threading
import time

import pytest

from tests.integration.faults import harmed
from tests.integration.faults.site import Site
from tests.integration.faults.soundness import check_all
from tests.integration.faults.waiting import begun
from tests.integration.local.laptop import Going, Played

FLOW = "Small"
BODY = """
    @step
    def start(self):
        self.who = os.environ["WHO"]
        self.xs = [1, 2]
        self.next(self.work, foreach="xs")

    @step
    def work(self):
        self.y = (self.who, self.input)
        if self.input == 2 and self.who == "fails" and not os.path.exists("fixed"):
            raise ValueError("as asked")
        self.next(self.join)

    @step
    def join(self, inputs):
        self.all = [i.y for i in inputs]
        self.next(self.end)

    @step
    def end(self):
        pass
"""


def start(site: Site, who: str, *arguments: str) -> Going:
    site.environ["WHO"] = who
    return site.start(*arguments)


def ended_all(going: dict[str, Going]) -> dict[str, Played]:
    """Each in a thread of its own, so that none waits for its output to be read."""
    played: dict[str, Played] = {}

    def end(name: str, one: Going) -> None:
        played[name] = one.end(100)

    threads = [threading.Thread(target=end, args=pair) for pair in going.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in played.values():
        assert "Traceback (most recent call last)" not in one.err, one.all
    return played


@pytest.mark.parametrize("number", [2, 20])
def test_so_many_runs_of_a_flow_at_once_have_an_id_each_and_keep_to_themselves(
    site: Site, number: int
) -> None:
    script = str(site.flow(FLOW, BODY))
    names = [f"run{n}" for n in range(number)]
    ids = {name: site.folder / f"{name}.id" for name in names}
    played = ended_all(
        {name: start(site, name, script, "run", "--run-id-file", str(ids[name])) for name in names}
    )
    assert [one.code for one in played.values()] == [0] * number, [one.all for one in played.values()]
    owners = {path.read_text(): name for name, path in ids.items()}
    assert sorted(owners, key=int) == [str(n + 1) for n in range(number)], "each id once, and none left out"
    for run, name in owners.items():
        assert site.value(FLOW, run, "join/0", "all") == [(name, 1), (name, 2)]
    check_all(site.keeps.open(), FLOW)


def test_runs_resumes_tags_and_gc_at_once_lose_nothing(site: Site, dice: random.Random) -> None:
    a_crowd(site, dice, 2)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_runs_resumes_tags_and_gc_at_once_lose_nothing_in_many_rounds(
    site: Site, dice: random.Random
) -> None:
    for _ in range(10):
        a_crowd(site, dice, 5)


def a_crowd(site: Site, dice: random.Random, number: int) -> None:
    script = str(site.flow(FLOW, BODY))
    origins = []
    for _ in range(number):
        played = start(site, "fails", script, "run").end()
        assert played.code == 1, played.all
        origins.append(max(site.runs(FLOW), key=int))
    (site.folder / "fixed").touch()
    before = set(site.runs(FLOW))
    commands = {
        **{f"run{n}": ("run",) for n in range(number)},
        **{f"resume{n}": ("resume", "--origin-run-id", run) for n, run in enumerate(origins)},
        **{f"tag{n}": ("tag", "add", "--run-id", run, f"tag{n}") for n, run in enumerate(origins)},
        **{f"gc{n}": ("gc", "--yes") for n in range(number)},
        **{f"list{n}": ("list",) for n in range(number)},
    }
    names = list(commands)
    dice.shuffle(names)
    going = {}
    for name in names:
        going[name] = start(site, name, script, *commands[name])
        time.sleep(dice.uniform(0, 0.1))
    ended = ended_all(going)
    assert {name: one.all for name, one in ended.items() if one.code} == {}
    new = set(site.runs(FLOW)) - before
    assert len(new) == 2 * number
    values = [site.value(FLOW, run, "join/0", "all") for run in new]
    ran = {pair[0][0] for pair in values}
    assert ran == {f"run{n}" for n in range(number)} | {"fails"}, values
    for n, run in enumerate(origins):
        assert site.store(FLOW).tags(run) == (f"tag{n}",)
    check_all(site.keeps.open(), FLOW)
    (site.folder / "fixed").unlink()


def test_a_run_that_is_under_way_is_left_alone_by_gc(site: Site) -> None:
    going = begun(site)
    swept: list[Played] = []
    while going.process.poll() is None and len(swept) < 4:
        swept.append(site.play("harmed.py", "gc", "--yes", "--keep", "1"))
    played = going.end()
    assert played.code == 0, played.all
    assert [one.code for one in swept] == [0] * len(swept), [one.all for one in swept]
    assert site.value(harmed.FLOW, "1", "end/0", "total") == sum(range(harmed.WIDTH))
