"""Tasks whose store is a real MinIO: written by threads beside the loop, read by the slim client in each task."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from reflow.store.flowstore import FlowStore
from reflow.store.open import open_store_long_lived
from reflow.task.forkserver import ForkServer
from tests.contract.store import minio_server
from tests.contract.store.minio_server import Server
from tests.contract.store.serving import MINIO, serving
from tests.integration.task.scene import Scene

pytestmark = pytest.mark.minio

SOURCE = """
class Wide(FlowSpec):
    @step
    def start(self):
        self.xs = range(40)
        self.big = b'b' * 300_000
        self.next(self.body, foreach='xs')

    @step
    def body(self):
        print('line', self.input)
        self.y = self.input * 2
        self.next(self.join)

    @step
    def join(self, inputs):
        self.total = sum(i.y for i in inputs)
        self.merge_artifacts(inputs, exclude=['y'])
        for n in range(20_000):
            print('x' * 60)
        self.next(self.end)

    @step
    def end(self):
        print(self.total, len(self.big))
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(MINIO, tmp_path_factory.mktemp("minio"), "flows") as running:
        yield running


def test_a_flow_runs_on_s3_and_its_output_and_artifacts_are_whole(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", minio_server.KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", minio_server.SECRET)
    scene = Scene(tmp_path, SOURCE)
    url = server.url("flows", f"test-{os.getpid()}")
    scene.store = FlowStore(open_store_long_lived(url), scene.graph.flow)
    ran = scene.run(ForkServer.launch(scene.script))
    assert ran.outcome == "succeeded"
    assert ran.output("end") == [f"{2 * sum(range(40))} 300000"]
    assert sorted(ran.output("body")) == sorted(f"line {n}" for n in range(40))
    log = b"".join(frame.data for frame in scene.store.log(ran.manifest.run, ran.record("join")))
    assert log.count(b"\n") == 20_000
