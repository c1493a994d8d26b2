"""tag and gc, which change what is there; gc beside runs and resumes, as real processes."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from reflow.store.flowstore import FlowStore
from reflow.store.folder import FolderStore
from tests.integration.commands.conftest import TINY
from tests.integration.local.laptop import Laptop


@pytest.fixture
def tiny(laptop: Laptop) -> Laptop:
    """Run 1 of Tiny has succeeded."""
    laptop.flow("Tiny", TINY)
    assert laptop.run("tiny.py", "--tag", "first").code == 0
    return laptop


def tags(laptop: Laptop, run: str) -> set[str]:
    return set(laptop.store("Tiny").tags(run))


def grow_old(laptop: Laptop) -> None:
    """As if all that is in the store had been written eight days ago."""
    long_ago = time.time() - 8 * 24 * 3600
    for path in Path(laptop.folder, ".reflow", "Tiny").rglob("*"):
        os.utime(path, (long_ago, long_ago))


def test_tags_are_added_removed_and_replaced_on_the_last_run_or_a_named_one(tiny: Laptop) -> None:
    assert "the last one of Tiny here" in tiny.play("tiny.py", "tag", "add", "a", "b").err
    assert tags(tiny, "1") == {"first", "a", "b"}
    tiny.play("tiny.py", "tag", "remove", "--run-id", "1", "a")
    tiny.play("tiny.py", "tag", "replace", "b", "c")
    tiny.play("tiny.py", "tag", "replace", "--remove", "c", "--add", "d", "--add", "e")
    assert tags(tiny, "1") == {"first", "d", "e"}
    assert tiny.reflow("tag", "add", "--run-id", "Tiny/1", "f").code == 0
    assert "f" in tags(tiny, "1")
    assert "d e f first" in tiny.play("tiny.py", "list").out


def test_tags_are_listed_of_one_run_or_of_all(tiny: Laptop) -> None:
    tiny.run("tiny.py", "--tag", "second")
    assert tiny.play("tiny.py", "tag", "list", "--hide-system-tags").out == "Tiny/2: second\n"
    assert "user:tester" in tiny.play("tiny.py", "tag", "list").out
    every = tiny.play("tiny.py", "tag", "list", "--all", "--flat", "--hide-system-tags").out
    assert every.splitlines() == ["first", "second"]
    assert json.loads(tiny.play("tiny.py", "tag", "list", "--all", "--json").out)["1"][0] == "first"
    assert tiny.play("tiny.py", "tag", "list", "2", "--hide-system-tags").out == "Tiny/2: second\n"
    by_tag = tiny.play("tiny.py", "tag", "list", "--my-runs", "--group-by-tag").out.splitlines()
    assert "second: Tiny/2" in by_tag
    assert "user:tester: Tiny/2 Tiny/1" in by_tag
    tiny.environ["USER"] = "somebody-else"
    assert tiny.play("tiny.py", "tag", "list", "--my-runs").out == ""
    del tiny.environ["USER"]


def test_gc_shows_first_and_deletes_only_when_told(tiny: Laptop) -> None:
    grow_old(tiny)
    before = tiny.files()
    shown = tiny.play("tiny.py", "gc", "--run", "1")
    assert shown.code == 0
    assert "run 1" in shown.out
    assert "`--yes` does it" in shown.err
    assert tiny.files() == before
    done = tiny.play("tiny.py", "gc", "--run", "1", "--yes")
    assert "deleted" in done.out
    assert not [name for name in tiny.files() if "/blobs/" in name or "/runs/1/" in name or "/code/" in name]


def test_gc_of_an_empty_store_says_so(laptop: Laptop) -> None:
    played = laptop.reflow("gc")
    assert (played.code, "no run in the store" in played.err) == (0, True)


def test_gc_as_json_tells_runs_objects_and_bytes(tiny: Laptop) -> None:
    grow_old(tiny)
    (found,) = json.loads(tiny.reflow("gc", "--keep", "0", "--json").out)
    assert (found["flow"], found["deleted"]) == ("Tiny", False)
    assert [run["run"] for run in found["runs"]] == ["1"]
    assert found["contents"]["objects"] >= 2
    assert found["total"]["bytes"] > 10_000


def test_the_next_run_after_gc_gets_a_new_id_and_the_deleted_one_cannot_be_resumed(tiny: Laptop) -> None:
    tiny.play("tiny.py", "gc", "--run", "1", "--yes")
    gone = tiny.resume("tiny.py")
    assert (gone.code, "Run 1 of Tiny isn't in the store" in gone.err) == (1, True)
    assert tiny.run("tiny.py").code == 0
    assert tiny.runs("Tiny") == ["2"]


def test_runs_and_resumes_go_on_while_gc_deletes_all_it_may(laptop: Laptop) -> None:
    """Values are made again that gc is about to delete, and runs are resumed that it would like to."""
    script = str(laptop.flow("Tiny", TINY))
    for _ in range(4):
        (laptop.folder / "broken").touch()
        assert laptop.run(script).code == 1
        grow_old(laptop)
        (laptop.folder / "broken").unlink()
        collecting = [laptop.start(script, "gc", "--keep", "0", "--yes") for _ in range(3)]
        resumed = laptop.start(script, "resume").end()
        ran = laptop.start(script, "run").end()
        ended = [one.end() for one in collecting]
        assert ran.code == 0, ran.all
        assert resumed.code == 0 or "gc" in resumed.err or "isn't in the store" in resumed.err, resumed.all
        none_left = "There is no run of a flow Tiny"  # another gc was faster, and the new runs hadn't begun
        assert all(one.code == 0 or none_left in one.err for one in ended), [one.all for one in ended]
        check_all(laptop)


def check_all(laptop: Laptop) -> None:
    """Each value of each finished task can be loaded, and there's no run with nothing in it."""
    flow = FlowStore(FolderStore(laptop.folder / ".reflow"), "Tiny")
    for run in flow.runs():
        entries = [entry for entry in flow.index(run) if entry.status.finished]
        assert entries, run
        for entry in entries:
            record = flow.result(run, entry.key)
            assert record
            table = flow.table(run, record)
            assert flow.load(table["x"], name="x") == list(range(10_000))
