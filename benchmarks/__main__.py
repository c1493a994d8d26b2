"""`python -m benchmarks`: takes figures and prints them as tables in Markdown."""

from __future__ import annotations

import argparse
import http.client
import subprocess
import sys
from collections.abc import Callable

from benchmarks.commands import Broken
from benchmarks.figures import Report
from benchmarks.options import Options


def _laptop_fan(options: Options) -> list[Report]:
    from benchmarks import laptop

    return [
        laptop.measure(laptop.fan_play(width, imports), laptop.WORKERS, options)
        for imports in laptop.IMPORTS
        for width in options.sizes or (100, 500)
    ]


def _laptop_wide(options: Options) -> list[Report]:
    from benchmarks import laptop_wide

    return [laptop_wide.measure(width, options) for width in options.sizes or (1000, 10_000)]


def _laptop_chain(options: Options) -> list[Report]:
    from benchmarks import laptop

    return [laptop.measure(laptop.chain_play(22, imports), (16,), options) for imports in laptop.IMPORTS]


def _laptop_resume(options: Options) -> list[Report]:
    from benchmarks import laptop_resume

    return [laptop_resume.measure(width, options) for width in options.sizes or (1000, 10_000)]


def _laptop_commands(options: Options) -> list[Report]:
    from benchmarks import laptop_commands

    return [laptop_commands.measure(options)]


def _laptop_big(options: Options) -> list[Report]:
    from benchmarks import laptop_big

    return [laptop_big.measure(options)]


def _cost(options: Options) -> list[Report]:
    from benchmarks import cost

    return [
        cost.measure(options.sizes or (10, 1000, 10_000)),
        *cost.requests(tuple(size for size in options.sizes or (10, 1000) if size <= 1000)),
    ]


def _pod_process(options: Options) -> list[Report]:
    from benchmarks import pod_process

    return [pod_process.measure(options)]


def _cluster_chain(options: Options) -> list[Report]:
    from benchmarks import cluster_chain

    return [cluster_chain.measure(steps, options) for steps in options.sizes or (50,)]


def _cluster_fan(options: Options) -> list[Report]:
    from benchmarks import cluster_fan

    return [cluster_fan.measure(width, options) for width in options.sizes or (40,)]


def _cluster_resume(options: Options) -> list[Report]:
    from benchmarks import cluster_resume

    return [cluster_resume.measure(width, options) for width in options.sizes or (1000,)]


def _cluster_cost(options: Options) -> list[Report]:
    from benchmarks import cluster_cost

    return [cluster_cost.measure(options.sizes or (10, 100))]


def _cluster_start(options: Options) -> list[Report]:
    from benchmarks import cluster_start

    return [cluster_start.measure(options)]


def _engine(options: Options) -> list[Report]:
    from benchmarks import engine

    engine.main()
    return []


BENCHMARKS: dict[str, tuple[str, Callable[[Options], list[Report]]]] = {
    "laptop-fan": ("a foreach of 100 and of 500 trivial tasks, beside Metaflow", _laptop_fan),
    "laptop-wide": ("a foreach of 1,000 and of 10,000 and its join, beside bare forks", _laptop_wide),
    "laptop-chain": ("22 steps one after another, beside Metaflow", _laptop_chain),
    "laptop-resume": ("a resume of 1,000 and of 10,000 finished tasks", _laptop_resume),
    "laptop-commands": ("commands that run nothing, beside a bare Python", _laptop_commands),
    "laptop-big": ("an artifact of 1 GB, beside a plain file", _laptop_big),
    "cost": ("what 10 and 10,000 tasks cost: objects, bytes, requests, memory", _cost),
    "engine": ("the engine alone: an end, a rebuild, a clone plan, bytes a task", _engine),
    "pod-process": ("what the process in a task's container takes, beside a bare Python", _pod_process),
    "cluster-chain": ("50 trivial steps in the cluster, beside bare Pods", _cluster_chain),
    "cluster-fan": ("a foreach of 40 in the cluster, beside 40 bare Pods at once", _cluster_fan),
    "cluster-resume": ("a resume of 1,000 finished tasks in the cluster", _cluster_resume),
    "cluster-start": ("what each of a task's volumes adds to a bare Pod's start", _cluster_start),
    "cluster-cost": ("what a task costs the store, the API server and the operator", _cluster_cost),
}


def main() -> int:
    """0 where every figure that was promised is met, 1 where one is missed or couldn't be taken."""
    listed = "\n".join(f"  {name:16}{text}" for name, (text, _) in BENCHMARKS.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=f"{__doc__}\n\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="which ones; without, all")
    parser.add_argument("--rounds", type=int, default=5, help="samples of each thing (5)")
    parser.add_argument(
        "--slow-rounds", type=int, default=3, help="the same, where Metaflow takes minutes (3)"
    )
    parser.add_argument("--cluster-rounds", type=int, default=2, help="chains in the cluster (2)")
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[], help="how many tasks, instead of the usual"
    )
    parser.add_argument(
        "--patience",
        type=float,
        default=300,
        help="seconds that each may wait in all for a calm machine (300)",
    )
    given = parser.parse_args()
    unknown = [name for name in given.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]}; there are {', '.join(BENCHMARKS)}")
    options = Options(
        given.rounds, given.slow_rounds, given.cluster_rounds, tuple(given.sizes), given.patience
    )
    good = [_take(name, options) for name in given.names or BENCHMARKS]
    return 0 if all(good) else 1


def _take(name: str, options: Options) -> bool:
    """Take one benchmark's figures and print them; whether all of them are as promised."""
    print(f"{name}: {BENCHMARKS[name][0]}", file=sys.stderr, flush=True)
    try:
        reports = BENCHMARKS[name][1](options)
    except (Broken, OSError, http.client.HTTPException, subprocess.SubprocessError) as problem:
        print(f"{name} couldn't be measured: {problem}\n", flush=True)
        return False
    for report in reports:
        print(f"{report}\n", flush=True)
    return all(goal.met for report in reports for goal in report.goals)


if __name__ == "__main__":
    sys.exit(main())
