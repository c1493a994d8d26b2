"""Objects cut short or overwritten: named with what to do, caches made anew, the rest of the store readable."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.faults import harmed
from tests.integration.faults.site import Site

FLOW = harmed.FLOW
Harm = Callable[[bytes], bytes]
HARMS: dict[str, Harm] = {
    "cut short": lambda data: data[: len(data) // 2],
    "empty": lambda data: b"",
    "garbage": lambda data: bytes(random.Random(1).randbytes(max(len(data), 20))),
    "another JSON": lambda data: b'{"v":1}',
    "not an object": lambda data: b"[1,2,3]",
    "one of a newer Reflow": lambda data: b'{"v":99}',
}
EACH = pytest.mark.parametrize(
    "harm",
    [
        pytest.param(harm, id=name, marks=[] if name in ("cut short", "not an object") else pytest.mark.slow)
        for name, harm in HARMS.items()
    ],
)
READING = (
    "list",
    "list --json",
    "logs 1/work",
    "logs 1/start/0",
    "dump 1/end/0",
    "dump 1/work/2",
    "tag list --run-id 1",
    "gc",
)
PLAYER = """
import sys
from reflow.cli.main import guarded, reflow_command
for line in sys.argv[1:]:
    for stream in (sys.stdout, sys.stderr):
        print(f"\\n>>>{line}", file=stream, flush=True)
    print(f"\\n<<<{guarded(lambda: reflow_command(line.split()))}", flush=True)
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Runs 1 and 2 of the flow, whole; a resume of it would clone all."""
    from tests.integration.faults.conftest import in_folder

    folder = tmp_path_factory.mktemp("damaged")
    site = Site(folder, in_folder(folder / ".reflow"))
    script = harmed.begin(site)
    for _ in range(2):
        assert site.run(script).code == 0
    assert site.play(str(script), "tag", "add", "--run-id", "1", "good").code == 0
    return site


def objects(site: Site, pattern: str) -> list[Path]:
    found = sorted((site.folder / ".reflow" / FLOW).glob(pattern))
    assert found, pattern
    return found


@contextmanager
def damaged(paths: list[Path], harm: Harm) -> Iterator[None]:
    """Meanwhile these objects hold something else."""
    whole = {path: path.read_bytes() for path in paths}
    try:
        for path, data in whole.items():
            path.unlink()
            path.write_bytes(harm(data))
        yield
    finally:
        for path, data in whole.items():
            path.write_bytes(data)


@contextmanager
def without(folder: Path) -> Iterator[None]:
    aside = folder.with_name(f"{folder.name}-aside")
    folder.rename(aside)
    try:
        yield
    finally:
        if folder.exists():
            shutil.rmtree(folder)
        aside.rename(folder)


@dataclass(frozen=True)
class Said:
    """What a command printed."""

    code: int
    out: str
    err: str


def every(site: Site) -> dict[str, Said]:
    """What each reading command says, one after the other in one process; none may break down."""
    lines = []
    for line in READING:
        command, *rest = line.split()
        named = [f"{FLOW}/{word}" if word[0] == "1" else word for word in rest]
        lines.append(" ".join([command, *([FLOW] if command in ("list", "gc") else []), *named]))
    played = site.play("-c", PLAYER, *lines)
    assert "Traceback" not in played.all, played.all
    said = {}
    outs, errs = played.out.split("\n>>>")[1:], played.err.split("\n>>>")[1:]
    for line, out, err in zip(READING, outs, errs, strict=True):
        text, code = out.split("\n<<<")
        said[line] = Said(int(code), text.partition("\n")[2], err.partition("\n")[2])
        assert said[line].code in (0, 1, 2), played.all
    return said


def rows(said: Said) -> dict[str, str]:
    """Of `list`: each run's state."""
    assert said.code == 0, said
    return {line.split()[1]: line.split()[2] for line in said.out.splitlines()[1:]}


@EACH
def test_a_damaged_manifest_is_named_and_the_other_runs_are_listed(finished: Site, harm: Harm) -> None:
    with damaged(objects(finished, "runs/1/manifest"), harm):
        with without(finished.folder / ".reflow" / FLOW / "catalog"):
            said = every(finished)
            assert rows(said["list"])["1"] == "damaged"
            assert rows(said["list"])["2"] == "succeeded"
        for command in ("logs 1/start/0", "dump 1/end/0", "gc"):
            assert "gc --run 1" in said[command].err or "with --run 1" in said[command].err, (
                command,
                said[command],
            )
            assert said[command].code == 1
        harmed.told(finished.play("harmed.py", "resume", "--origin-run-id", "1"), "Harmed/runs/1/manifest")
        (finished.folder / ".reflow" / FLOW / "runs" / "last").unlink()
        assert finished.run("harmed.py").code == 0


@EACH
def test_a_damaged_record_is_named(finished: Site, harm: Harm) -> None:
    with damaged(objects(finished, "runs/1/tasks/work/2_ok"), harm):
        said = every(finished)
        assert rows(said["list"])["1"] == "succeeded"
        assert "Harmed/runs/1/tasks/work/2_ok" in said["dump 1/work/2"].err
        with without(finished.folder / ".reflow" / FLOW / "runs/1/ledger"):
            before = finished.runs(FLOW)
            refused = finished.play("harmed.py", "resume", "--origin-run-id", "1")
            harmed.told(refused, "Harmed/runs/1/tasks/work/2_ok")
            assert finished.runs(FLOW) == before


@EACH
def test_a_damaged_ledger_is_read_past(finished: Site, harm: Harm) -> None:
    ledger = [
        path for path in (finished.folder / ".reflow" / FLOW / "runs/1/ledger").rglob("*") if path.is_file()
    ]
    assert ledger
    with damaged(ledger, harm):
        assert all(said.code == 0 for said in every(finished).values())
        resumed = finished.play("harmed.py", "resume", "--origin-run-id", "1")
        assert resumed.code == 0, resumed.all
        assert len(finished.cloned(FLOW, max(finished.runs(FLOW), key=int))) == harmed.WIDTH + 3


@EACH
def test_damage_to_what_is_only_a_hint_or_a_summary_keeps_nothing_from_going_on(
    finished: Site, harm: Harm
) -> None:
    hints = [
        *objects(finished, "runs/last"),
        *objects(finished, "runs/1/end"),
        *objects(finished, "runs/1/tagging/*"),
    ]
    with damaged(hints, harm), without(finished.folder / ".reflow" / FLOW / "catalog"):
        said = every(finished)
        assert rows(said["list"])["1"] in ("damaged", "succeeded")
        assert rows(said["list"])["2"] == "succeeded"
        begun = finished.run("harmed.py")
        assert begun.code == 0, begun.all


@EACH
def test_a_damaged_value_is_never_unpickled(finished: Site, harm: Harm) -> None:
    blobs = objects(finished, "blobs/*/*")
    asking = "from reflow import Task, namespace; namespace(None); Task('Harmed/1/start/0')['big'].data"
    with damaged(blobs, harm):
        assert all(said.code == 0 for said in every(finished).values())
        asked = finished.play("-c", asking)
        assert "CorruptObject: The content of " in asked.err
        assert "isn't what was written" in asked.err


def test_a_damaged_log_is_named(finished: Site) -> None:
    parts = objects(finished, "runs/1/logs/work/*/*")
    with damaged(parts, HARMS["cut short"]):
        assert "Harmed/runs/1/logs/work/" in every(finished)["logs 1/work"].err


def test_names_in_the_catalog_that_say_nothing_are_passed_over(finished: Site) -> None:
    folder = finished.folder / ".reflow" / FLOW / "catalog" / "1"
    odd = [
        folder / name
        for name in ("run_", "end_!!", "tags_bnVsbA", "end_WzEsMl0", "run_W10", "x", "run_eyJhIjoxfQ")
    ]
    for path in odd:
        path.touch()
    try:
        said = every(finished)
        assert all(one.code == 0 for one in said.values()), said
    finally:
        for path in odd:
            path.unlink()


def test_json_of_great_depth_or_size_is_damage_like_any_other(finished: Site) -> None:
    deep = b"[" * 100_000
    huge = json.dumps({"v": 1, "started": 10**400}).encode()
    for harm in (lambda data: deep, lambda data: huge):
        with (
            damaged(objects(finished, "runs/1/manifest"), harm),
            without(finished.folder / ".reflow" / FLOW / "catalog"),
        ):
            assert rows(every(finished)["list"])["2"] == "succeeded"
        with damaged(objects(finished, "runs/1/tasks/work/2_ok"), harm):
            assert "work/2_ok" in every(finished)["dump 1/work/2"].err
