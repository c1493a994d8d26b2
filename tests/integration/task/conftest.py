"""How the tests of tasks make flows and run them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from reflow.task.forkserver import ForkServer
from reflow.task.spawn import FreshProcess, Spawner
from tests.integration.task.scene import Ran, Scene


@pytest.fixture(params=["forked", "fresh"])
def spawner_of(request: pytest.FixtureRequest) -> Callable[[Scene], Spawner]:
    """A way to start tasks: the tests that use it run once with each."""
    if request.param == "fresh":
        return lambda scene: FreshProcess()
    return lambda scene: ForkServer.launch(scene.script)


@pytest.fixture
def scene_of(tmp_path: Path) -> Callable[[str], Scene]:
    """Makes a scene of a flow's source."""
    return lambda source: Scene(tmp_path, source)


@pytest.fixture
def run(scene_of: Callable[[str], Scene]) -> Callable[..., Ran]:
    """Runs a flow's source with a fork server."""

    def run_source(source: str, **parameters: object) -> Ran:
        scene = scene_of(source)
        return scene.run(ForkServer.launch(scene.script), **parameters)  # type: ignore[arg-type]

    return run_source
