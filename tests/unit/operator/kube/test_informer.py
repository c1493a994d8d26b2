"""The Pods' cache follows the cluster, whatever happens to its watch."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from reflow_operator.kube import informer as informing
from reflow_operator.kube.informer import Informer, Scope
from tests.unit.operator.fakecluster import FakeCluster

PODS = "/api/v1/namespaces/team/pods"


@dataclass(frozen=True)
class Seen:
    name: str
    uid: str
    namespace: str
    version: int


def project(obj: Mapping[str, Any]) -> Seen | None:
    meta = obj["metadata"]
    if "ours" not in meta.get("labels", {}):
        return None
    return Seen(meta["name"], meta["uid"], meta["namespace"], int(meta["resourceVersion"]))


class Scene:
    def __init__(self) -> None:
        self.cluster = FakeCluster()
        self.told: list[tuple[str, bool]] = []
        self.informer = Informer(
            self.cluster,
            (Scope(PODS, "team"),),
            "ours",
            project,
            lambda value, gone: self.told.append((value.name, gone)),
        )

    def pod(self, name: str, **labels: str) -> dict[str, Any]:
        meta = {"name": name, "namespace": "team", "labels": {"ours": "1", **labels}}
        return self.cluster.apply(PODS, {"metadata": meta})

    def names(self) -> list[str]:
        return sorted(value.name for value in self.informer.values())

    async def until(self, true: Callable[[], bool]) -> None:
        for _ in range(2000):
            if true():
                return
            await asyncio.sleep(0.001)
        raise AssertionError(f"in vain: {self.names()} {self.told}")


def play(script: Callable[[Scene], Awaitable[None]], monkeypatch: pytest.MonkeyPatch) -> Scene:
    monkeypatch.setattr(informing, "BACKOFF_SECONDS", (0.001, 0.01))

    async def played() -> Scene:
        scene = Scene()
        runner = asyncio.create_task(scene.informer.run())
        try:
            await script(scene)
        finally:
            runner.cancel()
        return scene

    return asyncio.run(played())


def test_what_is_there_is_listed_and_what_comes_and_goes_is_heard_of(monkeypatch: pytest.MonkeyPatch) -> None:
    async def script(scene: Scene) -> None:
        scene.pod("a")
        await scene.informer.synced.wait()
        assert scene.names() == ["a"]
        scene.pod("b")
        await scene.until(lambda: scene.names() == ["a", "b"])
        scene.cluster.remove(f"{PODS}/a")
        await scene.until(lambda: scene.names() == ["b"])

    assert play(script, monkeypatch).told == [("a", False), ("b", False), ("a", True)]


def test_a_watch_that_breaks_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    async def script(scene: Scene) -> None:
        await scene.informer.synced.wait()
        await asyncio.sleep(0.01)
        scene.cluster.drop_watches()
        scene.pod("a")
        await scene.until(lambda: scene.names() == ["a"])
        lists = [path for verb, path in scene.cluster.requests if verb == "get"]
        assert len(lists) == 1, "it didn't list again"

    play(script, monkeypatch)


def test_what_vanished_while_no_one_watched_is_told_after_the_next_list(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def script(scene: Scene) -> None:
        scene.pod("a")
        scene.pod("b")
        await scene.informer.synced.wait()
        await asyncio.sleep(0.01)
        scene.cluster.objects.pop(f"{PODS}/a")
        scene.cluster.lose_place()
        await scene.until(lambda: scene.names() == ["b"])
        assert ("a", True) in scene.told

    play(script, monkeypatch)


def test_the_answer_to_a_create_is_known_at_once_and_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def script(scene: Scene) -> None:
        await scene.informer.synced.wait()
        created = scene.pod("a")
        scene.informer.observe(created)
        assert scene.names() == ["a"]
        scene.pod("b")
        await scene.until(lambda: scene.names() == ["a", "b"])

    assert play(script, monkeypatch).told == [("a", False), ("b", False)]


def test_a_late_answer_neither_ages_a_pod_nor_brings_a_dead_one_back(monkeypatch: pytest.MonkeyPatch) -> None:
    async def script(scene: Scene) -> None:
        await scene.informer.synced.wait()
        created = scene.pod("a")
        scene.cluster.change(f"{PODS}/a", lambda obj: obj["metadata"]["labels"].update(x="y"))
        await scene.until(lambda: scene.names() == ["a"])
        version = next(scene.informer.values()).version
        scene.informer.observe(created)
        assert next(scene.informer.values()).version == version
        scene.cluster.remove(f"{PODS}/a")
        await scene.until(lambda: scene.names() == [])
        scene.informer.observe(created)
        assert scene.names() == []

    play(script, monkeypatch)


def test_pods_that_are_not_ours_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    async def script(scene: Scene) -> None:
        scene.cluster.apply(PODS, {"metadata": {"name": "x", "namespace": "team", "labels": {}}})
        await scene.informer.synced.wait()
        assert len(scene.informer) == 0

    play(script, monkeypatch)
