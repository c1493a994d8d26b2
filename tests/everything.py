"""`make test`: every suite that this machine can run, the quick first. Brings its own cluster up and stops it again.

A stage that can't run here says what is missing; one that fails doesn't keep the later ones from running.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

PYTEST = (sys.executable, "-m", "pytest", "-q")
CLUSTER = (sys.executable, "-m", "tests.cluster")


@dataclass(frozen=True, slots=True)
class Stage:
    """`limit`: seconds after which it counts as failed."""

    name: str
    command: Sequence[str]
    limit: int


QUICK = (
    Stage("style, types, layers", ("make", "--no-print-directory", "check"), 300),
    Stage("unit and property tests", (*PYTEST, "tests/unit", "tests/property"), 900),
    Stage("the test cluster's own parts", (*PYTEST, "tests/cluster"), 300),
    Stage("what the docs show", (*PYTEST, "tests/docs"), 600),
)
LONGER = (  # these take MinIO from the cluster's build
    Stage("the store's contract", (*PYTEST, "tests/contract"), 1200),
    Stage("real processes on this machine", (*PYTEST, "tests/integration"), 1200),
)
ON_THE_CLUSTER = (Stage("end to end on the cluster", (*PYTEST, "tests/e2e"), 2400),)
BUILD = Stage("the test cluster's build (20 minutes the first time, then nothing)", (*CLUSTER, "build"), 2700)
UP = Stage("the test cluster's start", (*CLUSTER, "up"), 600)
DOWN = Stage("the test cluster's stop", (*CLUSTER, "down"), 120)


def run(stage: Stage) -> bool:
    """Whether it passed."""
    print(f"\n=== {stage.name}: {' '.join(stage.command[-3:])}", flush=True)
    began = time.monotonic()
    try:
        code = subprocess.run(stage.command, timeout=stage.limit, check=False).returncode
    except subprocess.TimeoutExpired:
        print(f"=== {stage.name}: not done after {stage.limit} s", flush=True)
        code = -1
    print(
        f"=== {stage.name}: {'ok' if code == 0 else 'FAILED'} in {time.monotonic() - began:.0f} s", flush=True
    )
    return code == 0


def lacking() -> str:
    """What this machine lacks for a cluster, and what to do; empty where it lacks nothing."""
    found = subprocess.run((*CLUSTER, "missing"), capture_output=True, text=True, check=False)
    return found.stdout.strip() if found.returncode else ""


def is_up() -> bool:
    status = subprocess.run((*CLUSTER, "status"), capture_output=True, text=True, check=True).stdout
    return bool(json.loads(status)["up"])


def cluster_stages() -> Iterator[bool]:
    """Start, test, stop; the stop whatever happens, unless the cluster was up before."""
    was_up = is_up()
    try:
        ready = run(UP)
        yield ready
        if ready:
            for stage in ON_THE_CLUSTER:
                yield run(stage)
    finally:
        if not was_up:
            run(DOWN)


def main() -> int:
    results = [run(stage) for stage in QUICK]
    missing = lacking()
    built = not missing and run(BUILD)
    if not missing:
        results.append(built)
    results.extend(run(stage) for stage in LONGER)
    if built:
        results.extend(cluster_stages())
    elif missing:
        print(f"\n=== SKIPPED: end to end on a cluster. {missing}", flush=True)
    failed = results.count(False)
    print(f"\n{len(results) - failed} of {len(results)} stages ok", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
