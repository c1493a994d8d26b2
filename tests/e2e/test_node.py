"""A node that dies takes its Pods with it, and no run."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from tests.cluster import cluster, node, settings
from tests.e2e import site as sites
from tests.e2e.kubectl import Shell
from tests.e2e.site import Team
from tests.e2e.witness import TASKS, Watched

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]
TEAM = "faults"
SECOND = 2
TAINT = "reflow.dev/test"


@pytest.fixture
def second_node(shell: Shell, team: Team) -> Iterator[str]:
    """A node of our own, which nobody else's Pods go to; gone afterwards."""
    if cluster.owner() != str(settings.REPO):
        pytest.skip(
            "Nodes can be killed on this project's own cluster only (REFLOW_CLUSTER=own make cluster)."
        )
    name = settings.node_name(SECOND)
    if SECOND in node.numbers() and node.Node(SECOND).running():
        pytest.skip(f"{name} is somebody else's: this test adds a second node itself.")
    shell.must(sys.executable, "-m", "tests.cluster", "up", "--nodes", str(SECOND), timeout=300)
    try:
        shell.must("kubectl", "taint", "node", name, f"{TAINT}=faults:NoSchedule", "--overwrite")
        # A new node has the images that were loaded last, which may be of other code than the suite began with.
        sites.upgrade(team.site)
        yield name
    finally:
        shell.run(sys.executable, "-m", "tests.cluster", "node-kill", str(SECOND), timeout=120)
        shell.run("kubectl", "delete", "node", name, "--timeout=60s")


def preferring(name: str) -> dict[str, object]:
    """A Pod that goes to that node while it is there."""
    term = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [name]}]}
    wish = {"weight": 100, "preference": term}
    return {
        "affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [wish]}},
        "tolerations": [{"key": TAINT, "operator": "Exists", "effect": "NoSchedule"}],
    }


def test_a_node_that_dies_takes_no_run_with_it(team: Team, shell: Shell, second_node: str) -> None:
    run = Watched(team, "node")
    team.apply(run.manifest({"work": 15}, podTemplate={"spec": preferring(second_node)}))
    selector = f"reflow.dev/run={run.name},reflow.dev/step=work"
    team.kubectl("wait", "pods", "-l", selector, "--for=create", "--timeout=120s")
    team.kubectl("wait", "pods", "-l", selector, "--for=jsonpath={.status.phase}=Running", "--timeout=120s")
    on_it = [pod for pod in team.pods(run.name) if pod["spec"].get("nodeName") == second_node]
    assert on_it
    run.look()
    shell.must(sys.executable, "-m", "tests.cluster", "node-kill", str(SECOND), timeout=120)
    team.wait(run.name, "Complete", timeout=420)
    began = run.check()
    print("executions in all:", began.total(), "of", len(TASKS))
    assert began["start/0"] == 1, "what had finished before isn't run again"
