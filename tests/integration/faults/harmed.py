"""A flow whose tasks leave a witness each, and what must be true of its runs whatever came over them."""

from __future__ import annotations

from pathlib import Path

from reflow.store.values import Record
from tests.integration.faults.site import Site
from tests.integration.faults.soundness import check_all
from tests.integration.local.laptop import Played

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


def begin(site: Site) -> Path:
    """The script, for a round of its own: the next command on it is `run`."""
    (site.folder / "witness").mkdir(exist_ok=True)
    (site.folder / ".reflow" / ".last" / FLOW).unlink(missing_ok=True)
    return site.flow(FLOW, BODY)


def command(site: Site, script: Path) -> tuple[str, ...]:
    """`run` until one of this round is remembered, then `resume`."""
    is_known = (site.folder / ".reflow" / ".last" / FLOW).exists()
    return str(script), "resume" if is_known else "run", *site.mode


def goes_on(site: Site, script: Path) -> None:
    """Once the harm is over, what has finished is kept as it was, and the rest is done."""
    before = results(site)
    played = site.play(*command(site, script))
    assert played.code == 0, played.all
    whole(site, before)
    last = max(site.runs(FLOW), key=int)
    assert site.value(FLOW, last, "end/0", "total") == sum(range(WIDTH))
    assert (
        len({task for run, task in results(site) if run == last} | set(site.cloned(FLOW, last))) == WIDTH + 3
    )
    nothing_twice(site)


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
        assert (run, task, str(record.pid)) in ran, (run, task, record.pid, sorted(ran))


def told(played: Played, *words: str) -> None:
    """It failed with one of these words, in a sentence, and nothing of Reflow's inside was shown."""
    assert played.code in (1, 2), played.all
    assert any(word in played.all for word in words), played.all
    assert "Traceback" not in played.all, played.all
    assert "runtime/reflow" not in played.all, played.all
