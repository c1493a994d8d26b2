"""The Client within a step: it reads the run's own store, in the namespace that the run was started with."""

from __future__ import annotations

from pathlib import Path

from tests.integration.local.laptop import Laptop

READER = """
    @step
    def start(self):
        self.before = [run.id for run in Flow(current.flow_name)]
        self.namespace = get_namespace(), current.namespace
        self.store = get_metadata()
        self.next(self.end)

    @step
    def end(self):
        me = Run(f"{current.flow_name}/{current.run_id}", _namespace_check=False)
        self.first, self.me = me["start"].task, me
        self.read = self.first.data.before
    """


def test_a_step_reads_the_store_of_its_run_in_the_run_s_namespace(each_way: Laptop, tmp_path: Path) -> None:
    script = each_way.flow("Reader", READER)
    elsewhere = tmp_path / "elsewhere"
    each_way.environ = {"USER": "bob"}
    assert each_way.run(script, "--store", str(elsewhere)).code == 0
    each_way.environ = {"USER": "ann"}
    assert each_way.run(script, "--store", str(elsewhere)).code == 0
    assert each_way.run(script, "--store", str(elsewhere), "--namespace", "user:bob").code == 0
    read = f"""
from reflow import Run
for run in "123":
    data = Run(f"Reader/{{run}}", store={str(elsewhere)!r}, _namespace_check=False).data
    print(data.before, *data.namespace, data.first.data.before == data.read, data.me.id, data.store)
"""
    played = each_way.play("-c", read)
    assert played.code == 0, played.all
    at = f"local@{elsewhere}"
    assert played.out.splitlines() == [
        f"['1'] user:bob user:bob True 1 {at}",
        f"['2'] user:ann user:ann True 2 {at}",
        f"['1'] user:bob user:bob True 3 {at}",
    ]
    assert not (each_way.folder / ".reflow/Reader/runs").exists()
