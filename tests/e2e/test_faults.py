"""Operators and Pods that die: nothing finished runs to a second result, and nothing is lost."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Iterator

import pytest

from tests.e2e import chaos
from tests.e2e.kubectl import Json
from tests.e2e.site import Site, Team
from tests.e2e.witness import FLOW, TASKS, Watched

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]
TEAM = "faults"
ONCE = dict.fromkeys(TASKS, 1)


@pytest.fixture(autouse=True)
def one_operator(site: Site, team: Team) -> Iterator[None]:
    """Ready before and after, whatever was done to it."""
    site.await_operator()
    yield
    chaos.scale_operator(site, 1)
    chaos.delete_operators(site)
    site.await_operator()


def begins(watched: Watched, step: str) -> Json:
    """The first Pod of that step of the run, once it runs."""
    team = watched.team
    selector = f"reflow.dev/run={watched.name},reflow.dev/step={step}"
    wait = ("wait", "pods", "-l", selector, "--timeout=90s")
    team.kubectl(*wait, "--for=create")
    team.kubectl(*wait, "--for=jsonpath={.status.phase}=Running")
    found = [pod for pod in team.pods(watched.name) if pod["metadata"]["labels"]["reflow.dev/step"] == step]
    return found[0]


def until_over(runs: list[Watched], harm: chaos.Chaos, seconds: float) -> None:
    """Harm, and look at the store between, until all runs are over; no more harm after so many seconds."""
    pausing = threading.Event()
    deadline = time.monotonic() + seconds
    patience = deadline + 240
    while any("completionTime" not in run.team.status(run.name) for run in runs):
        assert time.monotonic() < patience, f"not over; {harm.seed}: {harm.done}"
        if time.monotonic() < deadline:
            harm.strike()
        pausing.wait(harm.pause())
        for run in runs:
            run.look()


def seed() -> int:
    return int(os.environ.get("REFLOW_TEST_SEED") or random.randrange(1 << 30))


def test_operators_that_are_killed_at_random_moments_run_nothing_twice(site: Site, team: Team) -> None:
    harm = chaos.Chaos(site, team, seed(), harms_pods=False)
    print("seed", harm.seed)
    runs = [Watched(team, f"killed-{index}") for index in range(2)]
    team.apply(*(run.manifest() for run in runs))
    until_over(runs, harm, 60)
    print(harm.done)
    for run in runs:
        assert run.check() == ONCE, "no harm was done to a Pod, so each task began once"


def test_pods_and_operators_that_die_at_random_moments_lose_nothing(site: Site, team: Team) -> None:
    harm = chaos.Chaos(site, team, seed(), harms_pods=True)
    print("seed", harm.seed)
    runs = [Watched(team, f"harmed-{index}") for index in range(2)]
    team.apply(*(run.manifest() for run in runs))
    until_over(runs, harm, 60)
    print(harm.done)
    for run in runs:
        began = run.check()
        print("executions in all:", began.total(), "of", len(TASKS))


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_ten_minutes_of_harm_lose_nothing(site: Site, team: Team) -> None:
    harm = chaos.Chaos(site, team, seed(), harms_pods=True)
    print("seed", harm.seed)
    end = time.monotonic() + 600
    number = 0
    while time.monotonic() < end:
        runs = [Watched(team, f"long-{number}-{index}") for index in range(3)]
        number += 1
        team.apply(*(run.manifest() for run in runs))
        until_over(runs, harm, 100)
        for run in runs:
            run.check()
        team.kubectl("delete", "flowruns", "--all", "--wait=false")
    print(len(harm.done), "harms in", number, "rounds")


def test_an_operator_killed_twice_at_once_goes_on(site: Site, team: Team) -> None:
    run = Watched(team, "twice")
    team.apply(run.manifest({"work": 4}))
    begins(run, "work")
    chaos.kill_operators(site)
    chaos.delete_operators(site)
    team.wait(run.name, "Complete", timeout=150)
    assert run.check() == ONCE


def test_two_operators_at_once_run_nothing_twice(site: Site, team: Team) -> None:
    chaos.scale_operator(site, 2)
    site.await_operator()
    runs = [Watched(team, f"both-{index}") for index in range(2)]
    team.apply(*(run.manifest() for run in runs))
    for run in runs:
        team.wait(run.name, "Complete", timeout=180)
        assert run.check() == ONCE


def test_a_pod_that_finished_and_vanished_while_no_operator_looked_isnt_run_again(
    site: Site, team: Team
) -> None:
    run = Watched(team, "vanished")
    team.apply(run.manifest({"join": 6}))
    pod = begins(run, "join")["metadata"]["name"]
    chaos.scale_operator(site, 0)
    chaos.delete_operators(site)
    team.kubectl("wait", f"pod/{pod}", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=60s")
    team.kubectl("delete", "pod", pod, "--grace-period=0", "--force")
    chaos.scale_operator(site, 1)
    team.wait(run.name, "Complete", timeout=150)
    assert run.check() == ONCE


@pytest.mark.parametrize("how", [("--grace-period=0", "--force"), ()], ids=["vanished", "deleted"])
def test_a_pod_that_goes_while_it_runs_is_the_clusters_fault(team: Team, how: tuple[str, ...]) -> None:
    run = Watched(team, f"gone-{len(how)}")
    team.apply(run.manifest({"hop": 6}))
    pod = begins(run, "hop")["metadata"]["name"]
    team.kubectl("delete", "pod", pod, "--wait=false", *how)
    team.wait(run.name, "Complete", timeout=150)
    began = run.check()
    assert began["hop/0"] in (1, 2)
    assert {**began, "hop/0": 1} == ONCE
    record = team.bucket.results(FLOW, run.run)["hop/0"]
    assert record.attempt == 0, "it uses up none of the user's retries"
