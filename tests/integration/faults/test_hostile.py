"""A store that somebody else has written: its records and manifests are data, whatever they say."""

from __future__ import annotations

import base64
import json
import os
import pickle
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.integration.faults import harmed
from tests.integration.faults.conftest import in_folder
from tests.integration.faults.site import Site
from tests.integration.faults.test_damaged import PLAYER, damaged, objects, without

FLOW = harmed.FLOW
ESCAPE = "\x1b]0;owned\x07\x1b[2J\r\u202e"
WAYS_OUT = ("../../../../out", "/out", "..", "a/../../../../out", "a\x00b", ESCAPE, "")


class Bomb:
    """Unpickling it leaves a mark."""

    def __init__(self, mark: str) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return os.mkdir, (self.mark,)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("hostile") / "home"
    folder.mkdir()
    site = Site(folder, in_folder(folder / ".reflow"))
    assert site.run(harmed.begin(site)).code == 0
    return site


def manifest(site: Site) -> Path:
    return objects(site, "runs/1/manifest")[0]


def play(site: Site, *lines: str) -> tuple[str, str]:
    played = site.play("-c", PLAYER, *lines)
    assert "Traceback" not in played.all, played.all
    return played.out, played.err


def changed(change: Callable[[dict[str, Any]], object]) -> Callable[[bytes], bytes]:
    def harm(data: bytes) -> bytes:
        found = json.loads(data)
        change(found)
        return json.dumps(found).encode()

    return harm


def test_nothing_is_unpickled_before_somebody_asks_for_a_value(finished: Site) -> None:
    mark = str(finished.folder / "unpickled")
    bomb = pickle.dumps(Bomb(mark), 5)
    inline = {
        "sha256": sha256(bomb).hexdigest(), "size": len(bomb), "type": "int",
        "inline": base64.b64encode(bomb).decode(),
    }  # fmt: skip

    def plant(found: dict[str, Any]) -> None:
        found["artifacts"] = dict.fromkeys([*found.get("artifacts", {}), "total", "y"], inline)

    looking = """
        from reflow import Metaflow, Flow, Run, Step, Task, namespace
        namespace(None)
        list(Metaflow()), repr(Flow("Harmed")), list(Flow("Harmed"))
        run = Run("Harmed/1")
        run.successful, run.finished, run.tags, run.created_at, run.finished_at, run.code, run.end_task, repr(run)
        for step in run:
            for task in step:
                task.stdout, task.stderr, task.successful, task.exception, repr(task), task.artifacts
                task.metadata_dict
                [(one.id, one.sha, one.size, repr(one)) for one in task]
                "total" in task, task._repr_html_()
    """
    finished.write("looking.py", looking)
    with damaged(objects(finished, "runs/1/tasks/*/*_ok"), changed(plant)):
        play(
            finished,
            "list",
            "logs Harmed/1/work",
            "logs Harmed/1/end/0",
            "tag list --run-id Harmed/1",
            "gc Harmed",
            "show harmed.py",
            "check harmed.py",
        )
        looked = finished.play("looking.py")
        assert looked.code == 0, looked.all
        resumed = finished.play("harmed.py", "resume", "--origin-run-id", "1")
        assert resumed.code == 0, resumed.all
        assert not os.path.exists(mark)
        asked = "from reflow import Task, namespace; namespace(None); Task('Harmed/1/end/0')['total'].data"
        finished.play("-c", asked)
        assert os.path.exists(mark), "the bomb is one"


@pytest.mark.parametrize(
    "way", [pytest.param(way, marks=[] if way in WAYS_OUT[:2] else pytest.mark.slow) for way in WAYS_OUT]
)
def test_no_name_in_a_manifest_or_record_leads_out_of_the_store(finished: Site, way: str) -> None:
    before = outside(finished)

    def everywhere(found: dict[str, Any]) -> None:
        found["origin"] = {"run": way, "from_step": way}
        found["clones"] = {way: {way: [{}]}}
        found["code"]["script"] = way

    def names(found: dict[str, Any]) -> None:
        found["run"] = found["flow"] = way

    def steps(found: dict[str, Any]) -> None:
        for one in found["graph"]["steps"]:
            one["name"] = way

    def key(found: dict[str, Any]) -> None:
        found["step"] = way
        found["artifacts"] = {"total": {"sha256": way, "size": 4, "type": "int"}}

    for change in (everywhere, names, steps):
        with damaged([manifest(finished)], changed(change)):
            out, err = play(finished, "list", "logs Harmed/1/end/0", "dump Harmed/1/end/0", "gc Harmed")
            harmless(out + err)
            refused = finished.play("harmed.py", "resume", "--origin-run-id", "1")
            harmless(refused.all)
            assert "Traceback" not in refused.all
    with damaged(objects(finished, "runs/1/tasks/end/0_ok"), changed(key)):
        out, err = play(finished, "list", "logs Harmed/1/end/0", "dump Harmed/1/end/0")
        harmless(out + err)
    assert outside(finished) == before


def outside(site: Site) -> set[str]:
    """All that isn't below the user's folder, beside it."""
    return {str(path) for path in site.folder.parent.rglob("*") if site.folder not in (path, *path.parents)}


def harmless(shown: str) -> None:
    for sign in ("\x1b", "\x07", "\r", "\x00", "\u202e"):
        assert sign not in shown, repr(shown)


def test_no_control_character_of_a_text_in_the_store_reaches_the_terminal(finished: Site) -> None:
    def texts(found: dict[str, Any]) -> None:
        found["user"] = f"me{ESCAPE}"
        found["tags"] = [f"tag{ESCAPE}", "a\nb"]
        found["python"] = found["place"] = ESCAPE
        found["parameters"] = {ESCAPE: ESCAPE}

    def failure(found: dict[str, Any]) -> None:
        found["status"] = "failed"
        found["exception"] = {
            "type": f"E{ESCAPE}", "message": f"told{ESCAPE}", "traceback": ESCAPE, "locals": {f"x{ESCAPE}": ESCAPE}
        }  # fmt: skip
        found["artifacts"] = {}

    def end(found: dict[str, Any]) -> None:
        found["succeeded"] = False
        found["failed_step"] = found["failed_task"] = found["message"] = f"step{ESCAPE}"

    def artifact(found: dict[str, Any]) -> None:
        found.setdefault("artifacts", {})[f"name{ESCAPE}"] = {
            "sha256": "0" * 64,
            "size": 10**9,
            "type": f"T{ESCAPE}",
        }

    folder = finished.folder / ".reflow" / FLOW
    task = objects(finished, "runs/1/tasks/end/0_ok")
    with (
        damaged([manifest(finished)], changed(texts)),
        damaged(objects(finished, "runs/1/end"), changed(end)),
        without(folder / "catalog"),
    ):
        out, err = play(
            finished,
            "list",
            "list --json",
            "tag list --run-id Harmed/1",
            "tag list --flat --run-id Harmed/1",
        )
        assert "tag\\x1b" in out
        harmless(out + err)
        harmless(finished.play("harmed.py", "resume", "--origin-run-id", "1").all)
    for change in (failure, artifact):
        with damaged(task, changed(change)):
            out, err = play(
                finished, "logs Harmed/1/end/0", "dump Harmed/1/end/0", "dump --json Harmed/1/end/0"
            )
            harmless(out + err)


def test_a_range_of_cloned_tasks_that_would_fill_the_memory_is_damage(finished: Site) -> None:
    def bomb(found: dict[str, Any]) -> None:
        found["clones"] = {"1": {"work": [{"at": "0-9999999999"}]}}

    with damaged([manifest(finished)], changed(bomb)):
        _, err = play(finished, "logs Harmed/1/end/0")
        assert "is no range of tasks" in err
