"""What the process in a task's container takes, without the container: the runner and a MinIO, beside a bare Python."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from statistics import median

from benchmarks import scripts
from benchmarks.commands import Broken, Ran, clean_environment, run
from benchmarks.contenders import scratch
from benchmarks.figures import Report, Row
from benchmarks.load import LoadMeter
from benchmarks.options import Options
from reflow.engine.events import Start
from reflow.store.flowstore import FlowStore
from reflow.store.s3_minio import MinioS3
from reflow.task.spawn import RUNTIME_ROOT
from reflow.values.key import TaskKey
from tests.contract.store import minio_server
from tests.integration.task.scene import Scene

EACH_ROUND = 8  # tasks
IMPORTS = "import reflow.task.pod, reflow.store.s3_slim, http.client"


def measure(options: Options) -> Report:
    """In turns: a bare Python, one that only imports, the tasks of a foreach."""
    program = minio_server.program()
    if program is None:
        raise Broken(minio_server.HOW_TO_GET)
    width = options.rounds * EACH_ROUND
    meter = LoadMeter(options.patience)
    bare: list[Ran] = []
    imports: list[Ran] = []
    tasks: list[Ran] = []
    with scratch() as folder:
        server = minio_server.start(program, folder)
        try:
            server.make_bucket("pods")
            runner = _Runner(folder, server, width)
            runner.task(TaskKey("start"))
            for number in range(width):
                if number % EACH_ROUND == 0:
                    meter.glance()
                bare.append(runner.python("-c", "pass"))
                imports.append(runner.python("-c", IMPORTS))
                tasks.append(runner.task(TaskKey("work", (number,))))
        finally:
            server.stop()
    how = (
        "`python -m reflow.task.pod` for one trivial task of a foreach, with its code package and a MinIO on this "
        "machine: processor time as the kernel counts it for the process and its child."
    )
    rows = [
        _row("a bare Python", bare),
        _row("what a runner imports", imports),
        _row("a task's runner", tasks),
    ]
    return Report("A Pod's process, without its Pod", how, rows, str(meter))


def _row(what: str, runs: list[Ran]) -> Row:
    seconds, memory = median(ran.seconds for ran in runs), median(ran.memory for ran in runs)
    note = f"{1000 * seconds:.0f} ms from start to end; {memory:.0f} MB"
    return Row(f"{what}: processor time", [1000 * ran.cpu for ran in runs], "ms", note)


class _Runner:
    """A run in a MinIO, whose tasks are run one by one as a Pod would."""

    def __init__(self, folder: Path, server: minio_server.Server, width: int) -> None:
        self._folder = folder
        self._environment = clean_environment(
            folder,
            {
                "PYTHONPATH": RUNTIME_ROOT,
                "REFLOW_TERMINATION_LOG": str(folder / "termination-log"),
                "AWS_ACCESS_KEY_ID": minio_server.KEY,
                "AWS_SECRET_ACCESS_KEY": minio_server.SECRET,
            },
        )
        flow = scripts.fan("reflow", width)
        self._scene = Scene(folder, flow)
        self._scene.store = FlowStore(MinioS3(server.address("pods", "bench")), self._scene.graph.flow)
        self._code = self._scene.store.put_code(self._scene.script.read_bytes())
        self._manifest = self._scene.claim()

    def python(self, *words: str) -> Ran:
        return run([sys.executable, *words], self._folder, self._environment)

    def task(self, key: TaskKey) -> Ran:
        spec = self._scene.spec(self._manifest, Start(key), code=self._code, script="flow.py")
        work = self._folder / f"{key.step}-{key.id}"
        work.mkdir()
        environment = {**self._environment, "REFLOW_TASK": json.dumps(spec.to_json())}
        return run([sys.executable, "-m", "reflow.task.pod"], work, environment)
