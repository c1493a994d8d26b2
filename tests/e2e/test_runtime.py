"""How the runtime gets into a Pod where the cluster has no image volumes: by an init container."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.kubectl import REPO
from tests.e2e.manifests import flow, flowrun
from tests.e2e.site import Site, Team

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]
TEAM = "ending"


@pytest.fixture
def by_init_container(site: Site) -> Iterator[None]:
    mode = ("upgrade", str(REPO / "helm"), "--reuse-values", "--wait", "--timeout=90s", "--set")
    site.helm(*mode, "runtime.mode=initContainer")
    yield
    site.helm(*mode, "runtime.mode=auto")


@pytest.mark.usefixtures("by_init_container")
def test_an_init_container_brings_the_runtime_where_image_volumes_dont(team: Team) -> None:
    team.apply(
        flowrun("init", "SandboxFlow", flow("sandbox")),
        flowrun("broken", "DebugFlow", "from reflow import FlowSpec, step\n" + FAILING),
    )
    team.wait("init", "Complete")
    status = team.wait("broken", "Failed")
    assert status["failure"]["message"] == "ZeroDivisionError: division by zero"
    (pod,) = [pod for pod in team.pods("broken") if pod["metadata"]["name"] == status["failure"]["pod"]]
    (copy,) = pod["spec"]["initContainers"]
    assert copy["image"] == team.site.images["runtime"]
    assert not any("image" in volume for volume in pod["spec"]["volumes"])


FAILING = """
class DebugFlow(FlowSpec):
    @step
    def start(self):
        self.x = 1 / 0
        self.next(self.end)

    @step
    def end(self):
        pass

if __name__ == "__main__":
    DebugFlow()
"""
