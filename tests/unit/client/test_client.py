"""The client on a store in a folder, filled by hand with what tasks would leave."""

# mypy: disable-error-code="union-attr,index,operator"

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from reflow import client
from reflow.client import Flow, Reflow, Run, Step, Task, namespaces
from reflow.client.errors import MetaflowInvalidPathspec
from reflow.graph.types import Graph, Kind
from reflow.graph.types import Step as GraphStep
from reflow.store.flowstore import FlowStore
from reflow.store.folder import FolderStore
from reflow.store.values import ArtifactRef, CodeRef, ExceptionInfo, Origin, RunEnd, Status
from reflow.values.errors import UnloadableValue, UsageError
from reflow.values.key import TaskKey
from tests.contract.store.samples import FLOW, GRAPH, START, failed, manifest, record, resumed, train

JOIN, END = TaskKey("join"), TaskKey("end")


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FolderStore:
    """The store that the working directory leads to; no namespace."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REFLOW_STORE", raising=False)
    (tmp_path / ".reflow").mkdir()
    monkeypatch.setattr(namespaces, "_Chosen", type("Chosen", (), {"is_chosen": True, "tag": None}))
    return FolderStore(tmp_path / ".reflow")


@pytest.fixture
def flow(store: FolderStore) -> FlowStore:
    return FlowStore(store, FLOW)


def log(flow: FlowStore, run: str, key: TaskKey) -> object:
    writer = flow.log_writer(run, key, 0)
    writer.write(1000.0, "o", b"hello ")
    writer.write(1001.0, "e", b"a warning\n")
    writer.write(1002.0, "o", "wörld\nlast".encode())
    return writer.close()


@pytest.fixture
def failed_run(flow: FlowStore) -> str:
    """A run in which one of three `train` tasks failed twice."""
    code = CodeRef("train.py", flow.put_code(b"# the flow\n"))
    made = manifest(code=code, user="ann", tags=("nightly",), parameters={"alpha": 0.1}, python="3.11.7")
    run = flow.claim(made).run
    parts = {"parts": flow.dump([1, 2, 3], budget=99), "big": flow.dump(bytes(500_000), budget=99)}
    flow.commit(run, record(START, width=3, artifacts=parts, log=log(flow, run, START), host="h", pid=7))
    for n in range(2):
        mine = {"y": flow.dump(n * 10, budget=99)}
        flow.commit(run, record(train(n), artifacts=mine, base=START, base_depth=1))
    error = ExceptionInfo("ValueError", "bad part", 'File "train.py", line 9, in train\n')
    for attempt in range(2):
        flow.commit(run, failed(train(2), attempt, exception=error))
    flow.finish(run, RunEnd(False, 2000.0, "train", "train/2", "ValueError: bad part"))
    return run


@pytest.fixture
def resumed_run(flow: FlowStore, failed_run: str) -> str:
    """A run that resumed it and went through."""
    run = flow.claim(resumed(failed_run, {failed_run: (START, train(0), train(1))})).run
    flow.commit(run, record(train(2), artifacts={"y": flow.dump(20, budget=99)}, base=START, base_depth=1))
    flow.commit(run, record(JOIN, artifacts={"total": flow.dump(30, budget=99)}))
    flow.commit(run, record(END, base=JOIN, base_depth=1))
    flow.finish(run, RunEnd(True, 3000.0))
    return run


def test_the_finished_steps_of_a_failed_run_are_read(failed_run: str) -> None:
    run = Flow(FLOW).latest_run
    assert run == Run(f"{FLOW}/{failed_run}")
    assert [step.id for step in run] == ["train", "start"]
    assert run["start"].task.data.parts == [1, 2, 3]
    assert [task.data.y for task in run["train"] if task.successful] == [10, 0]
    assert run["train"]["1"].data.parts == [1, 2, 3]


def test_a_failed_run_tells_how_it_failed(failed_run: str) -> None:
    run = Run(f"{FLOW}/{failed_run}")
    assert (run.successful, run.finished, run.status) == (False, False, "failed")
    assert run.failed_task == Task(f"{FLOW}/{failed_run}/train/2")
    assert run.exception.line == "ValueError: bad part"
    assert run.failed_task.current_attempt == 1
    assert not run.failed_task.successful
    assert run.finished_at is None
    assert run.ended_at.timestamp() == 2000.0
    assert run.end_task is None
    assert run.data is None


def test_a_resumed_run_reads_through_to_its_origin(failed_run: str, resumed_run: str) -> None:
    run = Run(f"{FLOW}/{resumed_run}")
    assert (run.successful, run.finished, run.status) == (True, True, "succeeded")
    assert run.origin_pathspec == f"{FLOW}/{failed_run}"
    assert [task.data.y for task in run["train"]] == [20, 10, 0]
    assert run.finished_at == run.ended_at
    start = run["start"].task
    assert start.stdout == "hello wörld\nlast"
    assert start.origin_pathspec == f"{FLOW}/{failed_run}/start/0"
    assert start.metadata_dict["origin-run-id"] == failed_run
    assert start.code.flowspec == "# the flow\n"
    assert run["train"]["2"].origin_pathspec is None
    assert run.data.total == 30


def test_a_run_that_resumed_none_has_no_origin(failed_run: str) -> None:
    assert Run(f"{FLOW}/{failed_run}").origin_pathspec is None
    assert Task(f"{FLOW}/{failed_run}/start/0").origin_pathspec is None
    assert Step(f"{FLOW}/{failed_run}/start").origin_pathspec is None


def test_runs_come_newest_first_counted_and_named_ones_by_age(flow: FlowStore) -> None:
    for age, run in enumerate([None, "k8s-b", None, "k8s-a"]):
        made = manifest(created=float(age))
        flow.claim(made, run)
    assert [run.id for run in Flow(FLOW)] == ["k8s-a", "2", "k8s-b", "1"]


def test_the_latest_run_and_the_latest_that_succeeded_differ(flow: FlowStore, resumed_run: str) -> None:
    later = flow.claim(manifest()).run
    found = Flow(FLOW)
    assert found.latest_run == Run(f"{FLOW}/{later}")
    assert found.latest_successful_run == Run(f"{FLOW}/{resumed_run}")


def test_a_run_without_an_end_is_running_or_dead(flow: FlowStore) -> None:
    run = flow.claim(manifest("uid")).run
    assert Run(f"{FLOW}/{run}").status == "dead"
    with flow.keep_alive(run, "uid"):
        assert Run(f"{FLOW}/{run}").status == "running"
    flow.commit(run, record(END))
    assert Run(f"{FLOW}/{run}").status == "succeeded"
    assert Run(f"{FLOW}/{run}").successful


def test_output_is_read_by_stream_and_by_line(failed_run: str) -> None:
    task = Task(f"{FLOW}/{failed_run}/start/0")
    assert (task.stdout, task.stderr) == ("hello wörld\nlast", "a warning\n")
    assert (task.stdout_size, task.stderr_size) == (len("hello wörld\nlast".encode()), 10)
    lines = [(time.timestamp(), line) for time, line in task.loglines("stdout")]
    assert lines == [(1000.0, "hello wörld"), (1002.0, "last")]
    assert [line for _, line in task.loglines("stderr", as_unicode=False)] == [b"a warning"]
    with pytest.raises(client.MetaflowNotFound, match="stdout or stderr"):
        list(task.loglines("both"))


def test_data_is_loaded_when_asked_for_and_listed_without(
    flow: FlowStore, failed_run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = Task(f"{FLOW}/{failed_run}/start/0")
    with monkeypatch.context() as patch:
        patch.setattr(FlowStore, "load", lambda *a, **k: pytest.fail("loaded"))
        assert "parts" in task.data
        assert "other" not in task.data
        assert list(task.data) == ["big", "parts"] == dir(task.data)
        assert [a.id for a in task] == ["big", "parts"]
        assert task["big"].size > 500_000
        assert task["big"].type == "bytes"
        assert len(task["big"].sha) == 64
        assert "big" in repr(task.data)
    assert task["parts"].data == task.data.parts == [1, 2, 3]
    assert task.data.parts is task.data.parts
    with pytest.raises(AttributeError, match="no artifact 'other'"):
        _ = task.data.other
    with pytest.raises(KeyError, match="it has big, parts"):
        task["other"]
    assert task.artifacts.parts == task["parts"]
    assert task.artifacts._fields == ("big", "parts")


def test_names_with_an_underscore_are_only_found_by_name(flow: FlowStore) -> None:
    run = flow.claim(manifest()).run
    made = {"x": flow.dump(1, budget=99), "_x": flow.dump(2, budget=99)}
    flow.commit(run, record(START, artifacts=made))
    task = Task(f"{FLOW}/{run}/start/0")
    assert [a.id for a in task] == list(task.data) == ["x"]
    assert "_x" not in task.data
    assert not hasattr(task.data, "_x")
    assert task["_x"].data == 2


def test_an_attempt_that_failed_is_read_by_its_number(flow: FlowStore) -> None:
    run = flow.claim(manifest()).run
    flow.commit(run, failed(START, 0, log=log(flow, run, START)))
    flow.commit(run, record(START, attempt=1, artifacts={"x": flow.dump(1, budget=99)}))
    path = f"{FLOW}/{run}/start/0"
    first = Task(path, attempt=0)
    assert (first.current_attempt, first.successful, first.stdout) == (0, False, "hello wörld\nlast")
    assert repr(first) == f"Task({path!r}, attempt=0)"
    assert Task(path).current_attempt == Task(path, attempt=1).current_attempt == 1
    assert sorted(m.value for m in Task(path).metadata if m.type == "attempt") == ["0", "1"]
    assert [m.value for m in first.metadata if m.type == "attempt"] == ["0"]
    assert Task(path).metadata_dict["attempt"] == "1"
    assert client.DataArtifact(f"{path}/x", attempt=1).data == 1
    assert pickle.loads(pickle.dumps(first)) == first != Task(path)
    for bad in (2, -1, "x"):
        with pytest.raises(client.MetaflowNotFound, match="attempt"):
            Task(path, attempt=bad)  # type: ignore[arg-type]
    with pytest.raises(client.MetaflowNotFound, match="no attempts"):
        Run(f"{FLOW}/{run}", attempt=0)


def test_an_artifact_has_a_name_of_its_own(failed_run: str) -> None:
    artifact = client.DataArtifact(f"{FLOW}/{failed_run}/train/1/parts")
    assert artifact.data == [1, 2, 3]
    assert artifact.parent == Task(f"{FLOW}/{failed_run}/train/1")


def test_a_value_that_does_not_load_leaves_the_others_readable(flow: FlowStore) -> None:
    from hashlib import sha256

    foreign = b"cno_such_package\nModel\n."
    ref = ArtifactRef(sha256(foreign).hexdigest(), len(foreign), "no_such_package.Model", foreign)
    run = flow.claim(manifest()).run
    flow.commit(run, record(START, artifacts={"model": ref, "x": flow.dump(1, budget=99)}))
    data = Task(f"{FLOW}/{run}/start/0").data
    assert data.x == 1
    with pytest.raises(UnloadableValue, match=r"Artifact model .*made by Python 3\.11\.7"):
        _ = data.model


def test_parents_and_children_follow_the_graph(resumed_run: str) -> None:
    run = Run(f"{FLOW}/{resumed_run}")
    join = run["join"].task
    assert [task.id for task in join.parent_tasks] == ["0", "1", "2"]
    assert list(join.child_task_pathspecs) == [f"{FLOW}/{resumed_run}/end/0"]
    assert [task.id for task in run["start"].task.child_tasks] == ["0", "1", "2"]
    assert list(run["start"].task.parent_tasks) == []
    assert [step.id for step in run["join"].parent_steps] == ["train"]
    assert [step.id for step in run["join"].child_steps] == ["end"]
    assert next(run["train"].child_steps).id == "join"


def test_a_step_is_there_once_it_has_begun(flow: FlowStore, failed_run: str) -> None:
    failed = Run(f"{FLOW}/{failed_run}")
    assert "join" not in failed
    assert list(failed["train"].child_steps) == []
    going = Run(f"{FLOW}/{flow.claim(manifest()).run}")
    assert [step.id for step in going] == ["start"]
    assert going["start"].task is None
    flow.commit(going.id, record(START, width=2))
    assert [step.id for step in going] == ["train", "start"]
    assert "end" not in going


def test_all_that_a_notebook_completes_and_metaflow_tells_is_there(failed_run: str) -> None:
    run = Run(f"{FLOW}/{failed_run}")
    task = run["start"].task
    assert Reflow()._ipython_key_completions_() == [FLOW]
    assert Flow(FLOW)._ipython_key_completions_() == [failed_run]
    assert run._ipython_key_completions_() == ["train", "start"]
    assert run["train"]._ipython_key_completions_() == ["2", "1", "0"]
    assert task._ipython_key_completions_() == ["big", "parts"]
    assert (task.runtime_name, run["start"].environment_info, run.trigger) == ("dev", None, None)
    told = task.metadata_dict
    assert (told["attempt"], told["user"], told["ds-type"]) == ("0", "ann", "local")
    assert "origin-run-id" not in told
    assert {m.name: m.value for m in task.metadata} == told
    assert (Flow(FLOW).parent, Flow(FLOW).created_at) == (None, run.created_at)
    assert run["start"].control_task is None


def test_the_code_of_a_run_is_unpacked_or_read_as_a_tarball(failed_run: str) -> None:
    code = Run(f"{FLOW}/{failed_run}").code
    with code.extract() as folder:
        assert (Path(folder) / code.script_name).read_text() == "# the flow\n"
    assert not Path(folder).exists()
    assert code.tarball.getnames() == ["train.py"]
    assert code.info["script"] == "train.py"
    assert Path(code.path).read_text() == "# the flow\n"


def test_metadata_chooses_the_store(tmp_path: Path, failed_run: str) -> None:
    other = FlowStore(FolderStore(tmp_path / "other" / ".reflow"), FLOW)
    other.claim(manifest())
    other.claim(manifest())
    at_first = client.get_metadata()
    assert at_first == f"local@{tmp_path / '.reflow'}"
    try:
        for way in (f"local@{tmp_path / 'other'}", str(tmp_path / "other" / ".reflow")):
            assert client.metadata(way) == f"local@{tmp_path / 'other' / '.reflow'}"
            assert Flow(FLOW).latest_run.id == "2"
        for bad in ("service@http://x", str(tmp_path / "nowhere")):
            with pytest.raises(UsageError, match="metadata"):
                client.metadata(bad)
    finally:
        assert client.default_metadata() == at_first
    assert Flow(FLOW).latest_run.id == failed_run


def test_tags_are_the_users_and_the_systems(failed_run: str) -> None:
    run = Run(f"{FLOW}/{failed_run}")
    assert run.user_tags == {"nightly"}
    assert run.system_tags == {"user:ann", "place:local", "runtime:dev", "python_version:3.11.7"}
    run.add_tags(["a", "b"])
    run.remove_tag("nightly")
    run.replace_tag("a", "c")
    assert Run(f"{FLOW}/{failed_run}").user_tags == {"b", "c"}
    assert run["start"].task.tags == run.tags
    assert [r.id for r in Flow(FLOW).runs("b", "user:ann")] == [failed_run]
    assert list(Flow(FLOW).runs("nightly")) == []
    assert Flow(FLOW).tags == frozenset()
    assert run["start"].task["parts"].user_tags == {"b", "c"}


def test_what_can_t_be_a_tag_or_can_t_be_changed_is_refused(failed_run: str) -> None:
    run = Run(f"{FLOW}/{failed_run}")
    for refused, says in (
        (lambda: run.add_tag(""), "aren't empty"),
        (lambda: run.add_tag(5), "neither a tag"),
        (lambda: run.add_tags(["a", 5]), "aren't empty"),
        (lambda: run.add_tag("x" * 501), "at most 500"),
        (lambda: run.remove_tag("user:ann"), "the system's"),
        (lambda: run.replace_tags([], []), "at least one"),
        (lambda: run.replace_tags("nightly", ["a"]), "two lists"),
    ):
        with pytest.raises(client.MetaflowTaggingError, match=says):
            refused()
    run.add_tag("user:ann")
    run.remove_tag("never there")
    assert run.user_tags == {"nightly"}


def test_a_namespace_hides_other_runs_until_it_is_left(flow: FlowStore, failed_run: str) -> None:
    other = flow.claim(manifest(user="bob")).run
    client.namespace("user:ann")
    assert client.get_namespace() == "user:ann"
    assert [run.id for run in Flow(FLOW)] == [failed_run]
    with pytest.raises(client.MetaflowNamespaceMismatch, match=r"namespace\(None\)"):
        Run(f"{FLOW}/{other}")
    assert client.namespace(None) is None
    assert Run(f"{FLOW}/{other}").id == other


def test_the_first_namespace_is_the_users(
    flow: FlowStore, failed_run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = flow.claim(manifest(user="bob")).run
    monkeypatch.setenv("REFLOW_USER", "bob")
    assert client.default_namespace() == client.get_namespace() == "user:bob"
    assert [run.id for run in Flow(FLOW)] == [other]


def test_a_run_that_nobody_started_is_in_every_users_namespace(flow: FlowStore, failed_run: str) -> None:
    """As those are which a FlowRun asked for: they fail in the cluster, and are looked at on a laptop."""
    cluster = flow.claim(manifest(user="", place="cluster"), "k8s-nightly").run
    client.namespace("user:bob")
    assert Flow(FLOW).latest_run == Run(f"{FLOW}/{cluster}")
    client.namespace("nightly")
    assert [run.id for run in Flow(FLOW)] == [failed_run]


def test_nothing_of_another_namespace_is_made_but_what_is_held_stays_usable(
    flow: FlowStore, failed_run: str
) -> None:
    run = Run(f"{FLOW}/{failed_run}")
    task = run["start"].task
    found = Flow(FLOW)
    client.namespace("user:bob")
    for kind, path in (
        (Flow, FLOW),
        (Run, run.pathspec),
        (Step, f"{run.pathspec}/start"),
        (Task, task.pathspec),
        (client.DataArtifact, f"{task.pathspec}/parts"),
    ):
        with pytest.raises(client.MetaflowNamespaceMismatch, match="user:bob"):
            kind(path)
        assert kind(path, _namespace_check=False).pathspec == path
        assert not kind(path, _namespace_check=False).is_in_namespace()
    assert list(Reflow()) == []
    assert run["start"].task == task
    assert [r.id for r in found] == [failed_run]
    assert pickle.loads(pickle.dumps(task)).data.parts == [1, 2, 3]
    client.namespace("user:ann")
    pickled = pickle.dumps(Run(run.pathspec))
    client.namespace("user:bob")
    assert pickle.loads(pickled) == run


@pytest.mark.parametrize(
    ("kind", "pathspec"),
    [(Run, FLOW), (Run, f"{FLOW}/1/start"), (Task, f"{FLOW}/1/start"), (Flow, ""), (Step, f"{FLOW}//start")],
)
def test_a_name_of_the_wrong_form_says_which_is_right(kind: type, pathspec: str, failed_run: str) -> None:
    with pytest.raises(client.MetaflowInvalidPathspec, match="of the form Flow"):
        kind(pathspec)


def test_what_is_not_there_is_not_found(failed_run: str) -> None:
    run = f"{FLOW}/{failed_run}"
    for missing in (
        lambda: Flow("NoFlow"),
        lambda: Run(f"{FLOW}/99"),
        lambda: Run(f"{FLOW}/.."),
        lambda: Step(f"{run}/nowhere"),
        lambda: Task(f"{run}/nowhere/0"),
        lambda: Task(f"{run}/join/0"),
        lambda: Task(f"{run}/train/9"),
        lambda: Task(f"{run}/train/x"),
        lambda: Task(f"{run}/train/0-1"),
        lambda: Task(f"{run}/train/00"),
        lambda: client.DataArtifact(f"{run}/start/0/nothing"),
    ):
        with pytest.raises(client.MetaflowNotFound):
            missing()
    for parent, child in [
        (Flow(FLOW), "99"),
        (Run(run), "nowhere"),
        (Step(f"{run}/train"), "9"),
        (Reflow(), "X"),
    ]:
        assert child not in parent
        with pytest.raises(KeyError):
            parent[child]
    with pytest.raises(client.MetaflowNotFound, match="no run of a flow X"):
        Reflow()["X"]
    assert failed_run in Flow(FLOW)
    assert "start" in Run(run)
    assert FLOW in Reflow()


def test_a_message_names_what_there_is(failed_run: str) -> None:
    with pytest.raises(client.MetaflowNotFound, match="its steps are start, train, join, end"):
        Step(f"{FLOW}/{failed_run}/trian")


def test_all_flows_of_a_store_are_listed(store: FolderStore, failed_run: str) -> None:
    FlowStore(store, "Another").claim(manifest())
    store.put("graphs/uid", b"")
    assert [flow.id for flow in Reflow()] == ["Another", FLOW]


def test_objects_travel_in_a_pickle_and_compare_by_name(failed_run: str) -> None:
    run = Run(f"{FLOW}/{failed_run}")
    for it in (Flow(FLOW), run, run["start"], run["start"].task, run["start"].task["parts"]):
        again = pickle.loads(pickle.dumps(it))
        assert again == it
        assert hash(again) == hash(it)
        assert repr(again) == repr(it)
    assert run.parent == Flow(FLOW)
    assert run["start"].task.parent.parent == run


def test_another_store_is_named_by_its_address(tmp_path: Path) -> None:
    other = FlowStore(FolderStore(tmp_path / "other"), FLOW)
    other.claim(manifest())
    assert Flow(FLOW, store=str(tmp_path / "other")).latest_run.id == "1"
    assert Run(f"{FLOW}/1", store=str(tmp_path / "other")).pathspec == f"{FLOW}/1"
    with pytest.raises(client.MetaflowNotFound):
        Flow(FLOW)


def test_a_task_in_a_loop_and_a_foreach_is_found_by_its_id(flow: FlowStore) -> None:
    steps = dict(GRAPH.steps)
    steps["train"] = GraphStep(
        "train", Kind.LINEAR, ("join",), foreach_scope=("start", "start"), loop_scope=("train",)
    )
    run = flow.claim(manifest(graph=Graph(FLOW, steps))).run
    key = TaskKey("train", (17, 3), (2,))
    flow.commit(run, record(key))
    task = Task(f"{FLOW}/{run}/train/17-3.2")
    assert task.index == 3
    assert [t.id for t in Step(f"{FLOW}/{run}/train")] == ["17-3.2"]


def test_a_caught_failure_is_finished_but_was_no_success(flow: FlowStore) -> None:
    run = flow.claim(manifest()).run
    printed = log(flow, run, START)
    flow.commit(run, failed(START, 0, log=printed))
    flow.commit(run, record(START, Status.CAUGHT, attempt=1, exception=ExceptionInfo("ValueError", "x", "")))
    task = Task(f"{FLOW}/{run}/start/0")
    assert task.finished
    assert not task.successful
    assert task.stdout == "hello wörld\nlast"
    assert task.exception is None, "as in Metaflow: the artifact that @catch names tells"
    assert "ValueError: x" in task._repr_html_()


@pytest.mark.parametrize("pathspec", [1, None, ("Movies", "1"), b"Movies/1"])
@pytest.mark.parametrize("kind", [Flow, Run, Step, Task, client.DataArtifact])
def test_what_is_no_text_is_no_pathspec(kind: Any, pathspec: object) -> None:
    with pytest.raises(MetaflowInvalidPathspec, match="isn't the name of a"):
        kind(pathspec)


def test_thousands_of_tasks_are_read_in_batches(flow: FlowStore, monkeypatch: pytest.MonkeyPatch) -> None:
    run = flow.claim(manifest()).run
    ledger = flow.ledger(run)
    for n in range(1200):
        ledger.add(flow.commit(run, record(train(n), artifacts={"y": flow.dump(n, budget=99)})))
    ledger.flush()
    monkeypatch.setattr(FlowStore, "result", lambda *a: pytest.fail("read one by one"))
    assert sum(task.data.y for task in Step(f"{FLOW}/{run}/train")) == sum(range(1200))


def test_a_resumes_origin_may_be_gone_as_an_object(
    flow: FlowStore, resumed_run: str, failed_run: str
) -> None:
    assert flow.manifest(resumed_run).origin == Origin(failed_run)
    assert {t.origin_pathspec is None for t in Run(f"{FLOW}/{resumed_run}")["train"]} == {True, False}
