"""What a run costs: objects and bytes in the store, requests to it, processor time and memory, by its size."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import laptop_resume, scripts
from benchmarks.commands import Broken, Ran, clean_environment, run
from benchmarks.contenders import scratch
from benchmarks.counting_proxy import CountingProxy
from benchmarks.figures import Goal, Report, Row
from benchmarks.load import LoadMeter
from tests.contract.store import minio_server

OBJECTS_A_TASK = 3.0
BUCKET = "cost"


@dataclass(frozen=True, slots=True)
class Content:
    """What a flow's part of a folder store holds: objects and bytes, by kind."""

    objects: Counter[str]
    bytes: Counter[str]


def content(store: Path) -> Content:
    """Count the files below a flow's folder."""
    objects: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for file in store.rglob("*"):
        if file.is_file():
            kind = kind_of(file.relative_to(store).parts)
            objects[kind] += 1
            sizes[kind] += file.stat().st_size
    return Content(objects, sizes)


def kind_of(parts: tuple[str, ...]) -> str:
    """`blobs`, `code`, `records`, `logs`, `ledger`, or `run`: the manifest and what else a run has once."""
    if parts[0] != "runs":
        return parts[0]
    kind = parts[2] if len(parts) > 3 else "run"
    return {"tasks": "records"}.get(kind, kind)


def measure(sizes: tuple[int, ...]) -> Report:
    """A run of each size that fails in its join, then a resume of it; both in a folder store."""
    meter = LoadMeter()
    rows: list[Row] = []
    most = 0.0
    for width in sizes:
        with scratch() as folder:
            print(f"  a run of {width} tasks …", file=sys.stderr, flush=True)
            failed = laptop_resume.fail(folder, width)
            found = content(folder / ".reflow" / "ResumedFlow")
            resumed = laptop_resume.resume(failed)
            manifest = (folder / ".reflow" / "ResumedFlow" / "runs" / "2" / "manifest").stat().st_size
        most = max(most, found.objects.total() / (width + 2))
        rows += _rows(width, failed.ran, found, manifest, resumed)
    how = (
        "A foreach of N trivial tasks, whose join fails, and its resume, in a folder store: files counted "
        "afterwards, processor time and memory as the kernel counts them for the command and all its children."
    )
    goal = Goal("objects a task, at most", most, OBJECTS_A_TASK)
    return Report("What a run costs, by its number of tasks", how, rows, str(meter), (goal,))


def _rows(
    width: int, ran: Ran, found: Content, manifest: int, resumed: laptop_resume.Resumed
) -> Iterator[Row]:
    what, tasks = f"{width:,} tasks", width + 2
    kinds = ", ".join(f"{kind} {count:,}" for kind, count in sorted(found.objects.items()))
    weights = ", ".join(f"{kind} {size / 1000:,.1f} kB" for kind, size in sorted(found.bytes.items()))
    yield Row(f"{what}: objects a task", [found.objects.total() / tasks], "", kinds)
    yield Row(f"{what}: bytes a task", [found.bytes.total() / tasks], "B", weights)
    yield Row(
        f"{what}: ledger a task", [found.bytes["ledger"] / tasks], "B", "index and packs, finished tasks"
    )
    yield Row(f"{what}: CPU a task", [1000 * ran.cpu / tasks], "ms", f"{ran.cpu:.1f} s in all")
    yield Row(f"{what}: wall time a task", [1000 * ran.seconds / tasks], "ms", f"{ran.seconds:.1f} s in all")
    yield Row(f"{what}: largest process", [ran.memory], "MB", "the scheduler's")
    yield Row(f"{what}: the resume's manifest", [manifest / 1000], "kB", "what it clones is frozen there")
    note = f"CPU {resumed.whole.cpu:.2f} s"
    yield Row(f"{what}: the resume's largest process", [resumed.whole.memory], "MB", note)


@contextmanager
def counted_minio(folder: Path) -> Iterator[tuple[CountingProxy, dict[str, str]]]:
    """A MinIO behind a proxy that counts, and what a command's environment needs to use it."""
    program = minio_server.program()
    if program is None:
        raise Broken(minio_server.HOW_TO_GET)
    server = minio_server.start(program, folder)
    try:
        server.make_bucket(BUCKET)
        with CountingProxy(server.endpoint) as proxy:
            yield (
                proxy,
                {
                    "REFLOW_STORE": f"s3://{BUCKET}/bench?endpoint={proxy.endpoint}",
                    "AWS_ACCESS_KEY_ID": minio_server.KEY,
                    "AWS_SECRET_ACCESS_KEY": minio_server.SECRET,
                },
            )
    finally:
        server.stop()


def requests(sizes: tuple[int, ...]) -> list[Report]:
    """The same flow, whole, in a MinIO: requests by verb, and how many one more task takes."""
    meter = LoadMeter()
    found: dict[int, Counter[str]] = {}
    rows = []
    with scratch() as folder, counted_minio(folder) as (proxy, environment):
        for width in sizes:
            (folder / "flow.py").write_text(scripts.fan("reflow", width))
            command = [sys.executable, "flow.py", "run", "--max-workers", "4"]
            ran = run(command, folder, clean_environment(folder, environment))
            found[width] = proxy.take()
            note = ", ".join(f"{verb} {count:,}" for verb, count in sorted(found[width].items()))
            note += f"; {ran.seconds:.1f} s"
            rows.append(Row(f"{width:,} tasks: requests", [found[width].total()], "", note))
    if len(sizes) > 1:
        rows.append(_slope(min(sizes), max(sizes), found))
    how = (
        "A foreach of N trivial tasks on the laptop, with a MinIO on this machine as the store, behind a proxy that "
        "counts requests. Each task's process opens its own connection."
    )
    return [Report("Requests to the store, by the number of tasks", how, rows, str(meter))]


def _slope(small: int, large: int, found: dict[int, Counter[str]]) -> Row:
    verbs = sorted(found[small] | found[large])
    each = {verb: (found[large][verb] - found[small][verb]) / (large - small) for verb in verbs}
    note = ", ".join(f"{verb} {count:.2f}" for verb, count in each.items())
    return Row("one more task", [sum(each.values())], "requests", note)
