"""Cards of a Pod's runner whose store is a bucket: shown while the step goes on, and kept however it ends."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from reflow.cards.getting import Card, cards_of
from reflow.store.flowstore import FlowStore
from reflow.store.open import open_store_long_lived
from reflow.values.key import TaskKey
from tests.contract.store import minio_server
from tests.contract.store.minio_server import Server
from tests.contract.store.serving import MINIO, serving
from tests.integration.task.scene import Scene
from tests.integration.task.test_pod import Pod, spec_of

pytestmark = pytest.mark.minio

SOURCE = """
import os
from metaflow import card
from metaflow.cards import Markdown, ProgressBar

class Carded(FlowSpec):
    @card(id="bar", refresh_interval=0)
    @card(id="words", type="blank")
    @step
    def start(self):
        bar = ProgressBar(max=3, label="parts", value=1)
        current.card["bar"].append(bar)
        current.card["words"].append(Markdown("**first** words"))
        current.card["bar"].refresh()
        while current.card._writing.is_alive():
            pass
        os.mkfifo("halfway")
        open("halfway").close()
        bar.update(3)
        assert not os.path.exists("fail"), "told to"
        self.next(self.end)

    @step
    def end(self):
        pass
"""
START = TaskKey("start")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(MINIO, tmp_path_factory.mktemp("minio"), "flows") as running:
        yield running


@pytest.mark.parametrize("fails", [False, True], ids=["succeeds", "fails"])
def test_a_pods_cards_are_in_the_bucket_while_it_runs_and_when_it_ended(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    keys = {"AWS_ACCESS_KEY_ID": minio_server.KEY, "AWS_SECRET_ACCESS_KEY": minio_server.SECRET}
    for name, value in keys.items():
        monkeypatch.setenv(name, value)
    scene = Scene(tmp_path, SOURCE)
    scene.store = FlowStore(
        open_store_long_lived(server.url("flows", f"{os.getpid()}-{fails}")), scene.graph.flow
    )
    pod = Pod(tmp_path)
    pod.environment |= keys
    spec = spec_of(scene, START, alias=True)
    process = pod.start(spec.to_json())
    try:
        halfway = _pipe(tmp_path)
        running = _cards(scene.store, spec.run)
        assert list(running) == ["bar"]
        assert "1/3" in running["bar"].get()
        assert "Still running" in running["bar"].get()
        if fails:
            (halfway.parent / "fail").touch()
        halfway.write_bytes(b"")
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert pod.said()["status"] == ("failed" if fails else "succeeded"), (out, err)
    ended = _cards(scene.store, spec.run)
    assert sorted(ended) == ["bar", "words"]
    assert "3/3" in ended["bar"].get()
    assert "<strong>first</strong> words" in ended["words"].get()
    assert ("told to" in ended["bar"].get()) == ("told to" in ended["words"].get()) == fails
    objects = [info.key for info in scene.store.objects.list("Carded/") if "/cards/" in info.key]
    assert [key.rpartition("/")[2] for key in objects] == ["00.default.bar", "01.blank.words"]


def _cards(store: FlowStore, run: str) -> dict[str | None, Card]:
    return {one.id: one for one in cards_of(store, run, START)}


def _pipe(folder: Path) -> Path:
    """The pipe that the step waits at, once it's there."""
    script = f"until found=$(find {folder} -name halfway -type p | grep .); do sleep 0.05; done; echo $found"
    done = subprocess.run(["sh", "-c", script], timeout=60, check=True, capture_output=True, text=True)
    return Path(done.stdout.strip())
