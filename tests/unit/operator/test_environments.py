"""A FlowRun whose steps ask for packages: refused in words where Pods wouldn't have them, and no run id is used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reflow.environments.archive import FILE, Archive, with_archives
from reflow.environments.lock import Lock, to_json
from reflow.environments.spec import EnvironmentSpec, Kind
from reflow.store import formats
from reflow.store.content import Content
from reflow.store.package import pack_files
from reflow_operator import constants
from tests.unit.operator.builders import DEBUG, flowrun
from tests.unit.operator.fakekubelet import Ending
from tests.unit.operator.world import FLOWRUNS, World, play

PACKED = DEBUG.replace("import FlowSpec", "import FlowSpec, pypi").replace(
    "    @step\n    def a", "    @pypi(packages={'six': '1.16.0'})\n    @step\n    def a"
)


def test_without_an_archive_it_fails_at_once_and_says_what_to_do(tmp_path: Path) -> None:
    async def script(world: World) -> None:
        world.cluster.apply(FLOWRUNS, flowrun(code=PACKED))
        await world.until_condition("debug-1", "Failed")
        await world.settled()

    world = play(lambda: World(tmp_path), script)
    condition = world.condition("debug-1", "Failed")
    assert condition["reason"] == constants.Reason.INVALID_CODE
    assert "Step 'a' (line 11) asks for packages by @pypi (six==1.16.0)" in condition["message"]
    assert "`reflow package FILE`" in condition["message"]
    assert world.pods() == []
    assert list(world.store.runs()) == []


def test_with_one_each_pod_of_the_step_is_told_of_it_and_no_other(tmp_path: Path) -> None:
    told: dict[str, Any] = {}

    def behave(pod: Any) -> Ending:
        return Ending()

    async def script(world: World) -> None:
        with Content(world.store.objects) as content:
            content.write(b"an archive")
            content.store("DebugFlow")
            archive = Archive("any", "3.12", content.sha256, content.size)
        lock = Lock(EnvironmentSpec(Kind.PYPI, (("six", "1.16.0"),)), "3.12", "six==1.16.0\n")
        kept = with_archives(to_json({"a": lock}), {lock.digest: [archive]})
        code = world.store.put_code(pack_files({"debug.py": PACKED.encode(), FILE: formats.dumps(kept)}))
        obj = flowrun()
        obj["spec"]["code"] = {"package": code, "script": "debug.py"}
        world.cluster.on_change = _noting(world.cluster.on_change, told)
        world.cluster.apply(FLOWRUNS, obj)
        await world.until_condition("debug-1", "Complete")
        await world.settled()
        assert world.store.manifest("k8s-debug-1").environments == kept
        assert told["a"]["archives"] == [archive.to_json()]
        assert all("archives" not in task for step, task in told.items() if step != "a")
        assert len(told) == 5

    play(lambda: World(tmp_path, behave), script)


def _noting(before: Any, told: dict[str, Any]) -> Any:
    """What each Pod's runner is told, by step."""
    import json

    def on_change(kind: str, path: str, obj: dict[str, Any]) -> None:
        for container in (obj.get("spec") or {}).get("containers") or ():
            for entry in container.get("env") or ():
                if entry["name"] == "REFLOW_TASK":
                    task = json.loads(entry["value"])
                    told[task["step"]] = task
        before(kind, path, obj)

    return on_change
