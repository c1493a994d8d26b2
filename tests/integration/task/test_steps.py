"""What a step sees, sets and hands on, in real processes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from reflow.store.values import BASE_DEPTH, INLINE_LIMIT, Status
from reflow.task.spawn import Spawner
from tests.integration.task.scene import Ran, Scene

Run = Callable[..., Ran]
SpawnerOf = Callable[[Scene], Spawner]


def linear(body: str, then: str = "pass") -> str:
    """A flow of start and end with these bodies."""
    indented = body.replace("\n", "\n        ")
    after = then.replace("\n", "\n        ")
    return f"""
class Linear(FlowSpec):
    @step
    def start(self):
        {indented}
        self.next(self.end)

    @step
    def end(self):
        {after}

if __name__ == '__main__':
    Linear()
"""


def test_an_artifact_is_there_in_the_next_step(scene_of: Any, spawner_of: SpawnerOf) -> None:
    scene = scene_of(linear("self.x = [1, 2]", "print(self.x)"))
    ran = scene.run(spawner_of(scene))
    assert ran.output("end") == ["[1, 2]"]
    assert ran.outcome == "succeeded"


def test_a_class_of_the_script_crosses_from_task_to_task(scene_of: Any, spawner_of: SpawnerOf) -> None:
    source = "class Point:\n    def __init__(self, x):\n        self.x = x\n" + linear(
        "self.p = Point(3)", "print(self.p.x, type(self.p).__module__)"
    )
    scene = scene_of(source)
    assert scene.run(spawner_of(scene)).output("end") == ["3 __main__"]


def test_a_failed_step_shows_the_users_frames_alone_under_the_name_the_user_gave(run: Run) -> None:
    ran = run(linear("self.x = int('2fail')"))
    lines = ran.output("start", "stderr")
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[1].startswith('  File "')
    assert lines[1].endswith(", in start")
    assert lines[2] == "    self.x = int('2fail')"
    assert lines[-2:] == ["ValueError: invalid literal for int() with base 10: '2fail'", ""]
    assert not any("reflow/task" in line for line in lines)
    told = ran.record("start").exception
    assert told is not None
    assert told.type == "ValueError"
    assert "reflow" in told.full
    assert ran.outcome == "failed"


def test_the_cause_of_an_exception_is_shown_too(run: Run) -> None:
    body = "try:\n    {}['k']\nexcept KeyError as error:\n    raise RuntimeError('wrapped') from error"
    text = "\n".join(run(linear(body)).output("start", "stderr"))
    assert "KeyError: 'k'" in text
    assert "The above exception was the direct cause" in text
    assert text.rstrip().endswith("RuntimeError: wrapped")


def test_an_attribute_that_nobody_set_is_named_with_its_step(run: Run) -> None:
    ran = run(linear("print(self.nothing)"))
    assert "Linear has no artifact 'nothing' in step start" in ran.output("start", "stderr")[-2]


def test_parameters_and_constants_can_be_read_and_not_set(run: Run) -> None:
    source = """
    class Set(FlowSpec):
        alpha = Parameter('alpha', default=0.5)
        limit = 7

        @step
        def start(self):
            print(self.alpha, self.limit)
            for name in ('alpha', 'limit', 'start', 'index'):
                try:
                    setattr(self, name, 1)
                except AttributeError as error:
                    print(error)
            self.next(self.end)

        @step
        def end(self):
            print(self.alpha, self.limit)
    """
    ran = run(source, alpha=0.25)
    lines = ran.output("start")
    assert lines[0] == "0.25 7"
    assert "parameter of the flow" in lines[1]
    assert "constant of the class" in lines[2]
    assert "is a step of Set" in lines[3]
    assert len(lines) == 5
    assert ran.output("end") == ["0.25 7"]
    assert ran.value("end", "alpha") == 0.25
    assert ran.value("end", "limit") == 7


def test_what_a_step_only_reads_is_not_kept_again(run: Run) -> None:
    ran = run(linear("self.x = {'a': [1], 'b': 'text'}\nself.n = 1", "print(self.x['a'], self.n)"))
    assert ran.output("end") == ["[1] 1"]
    assert not ran.record("end").artifacts
    assert ran.record("end").base == ran.record("start").key


def test_what_a_step_changes_in_place_is_kept_as_changed(run: Run) -> None:
    ran = run(linear("self.x = [1]\nself.same = [2]", "self.x.append(2)\nself.same"))
    assert list(ran.record("end").artifacts) == ["x"]
    assert ran.value("end", "x") == [1, 2]
    assert ran.value("start", "x") == [1]


def test_what_a_step_sets_anew_after_reading_it_is_kept(run: Run) -> None:
    ran = run(linear("self.n = 1", "self.n = self.n + 1"))
    assert ran.value("end", "n") == 2


def test_a_value_whose_pickle_differs_after_loading_is_not_taken_for_changed(run: Run) -> None:
    # Two equal strings that are one object pickle shorter than two that aren't.
    body = "a = 'x' * 3\nself.x = [a, ''.join(['xx', 'x'])]"
    ran = run(linear(body, "self.x[0]"))
    assert not ran.record("end").artifacts


def test_a_deleted_artifact_is_gone_in_what_follows(run: Run) -> None:
    source = """
    class Gone(FlowSpec):
        @step
        def start(self):
            self.x, self.y = 1, 2
            self.next(self.middle)

        @step
        def middle(self):
            del self.x
            self.next(self.end)

        @step
        def end(self):
            print(hasattr(self, 'x'), self.y)
    """
    assert run(source).output("end") == ["False 2"]


def test_small_values_travel_in_the_record_up_to_a_limit_and_the_rest_in_blobs(run: Run) -> None:
    ran = run(linear("self.big = b'b' * 10000\nself.mid = b'm' * 8000\nself.small = b's' * 500"))
    artifacts = ran.record("start").artifacts
    inline = {name for name, ref in artifacts.items() if ref.inline is not None}
    assert inline == {"small", "mid"}
    assert sum(ref.size for ref in artifacts.values() if ref.inline) <= INLINE_LIMIT
    assert ran.value("end", "big") == b"b" * 10000


def test_a_value_that_cannot_be_pickled_is_named(run: Run) -> None:
    ran = run(linear("import threading\nself.lock = threading.Lock()"))
    told = ran.record("start").exception
    assert told is not None
    assert "self.lock can't be kept as an artifact" in told.message
    assert "_thread.lock" in told.message


def test_a_chain_longer_than_the_base_depth_still_sees_its_first_artifact(run: Run) -> None:
    count = BASE_DEPTH + 3
    steps = "".join(
        f"""
    @step
    def s{n}(self):
        self.y{n} = {n}
        self.next(self.{f"s{n + 1}" if n < count else "end"})
"""
        for n in range(count + 1)
    )
    ran = run(
        f"""
class Chain(FlowSpec):
    @step
    def start(self):
        self.first = 'kept'
        self.next(self.s0)
{steps}
    @step
    def end(self):
        print(self.first, self.y0, self.y{count})
"""
    )
    assert ran.output("end") == [f"kept 0 {count}"]
    whole = ran.record(f"s{BASE_DEPTH}")
    assert whole.base is None
    assert "first" in whole.inherited


def test_a_join_gets_its_inputs_by_step_by_position_and_in_order(run: Run) -> None:
    source = """
    class Split(FlowSpec):
        @step
        def start(self):
            self.shared = 's'
            self.next(self.b, self.a)

        @step
        def a(self):
            self.x = 1
            self.next(self.join)

        @step
        def b(self):
            self.x = 2
            self.next(self.join)

        @step
        def join(self, inputs):
            print(inputs.a.x, inputs.b.x, [i.x for i in inputs], inputs[-1].x, len(inputs), inputs.a.shared)
            print(hasattr(self, 'x'), hasattr(inputs[0], 'none'))
            self.merge_artifacts(inputs, exclude=['x'])
            print(self.shared)
            self.next(self.end)

        @step
        def end(self):
            print(self.shared, hasattr(self, 'x'))
    """
    ran = run(source)
    assert ran.output("join") == ["1 2 [2, 1] 1 2 s", "False False", "s"]
    assert ran.output("end") == ["s False"]
    record = ran.record("join")
    assert record.base is None
    assert record.inherited["shared"][1].step == "start"


def test_merging_names_what_the_inputs_disagree_on(run: Run) -> None:
    source = """
    class Clash(FlowSpec):
        @step
        def start(self):
            self.next(self.a, self.b)

        @step
        def a(self):
            self.x = 1
            self.next(self.join)

        @step
        def b(self):
            self.x = 2
            self.next(self.join)

        @step
        def join(self, inputs):
            from reflow import MissingInMergeArtifactsException, UnhandledInMergeArtifactsException
            try:
                self.merge_artifacts(inputs)
            except UnhandledInMergeArtifactsException as error:
                print(error.artifact_names)
            try:
                self.merge_artifacts(inputs, include=['nowhere'])
            except MissingInMergeArtifactsException as error:
                print(error.artifact_names)
            self.x = 3
            self.merge_artifacts(inputs)
            self.next(self.end)

        @step
        def end(self):
            print(self.x)
    """
    ran = run(source)
    assert ran.output("join") == ["['x']", "['nowhere']"]
    assert ran.output("end") == ["3"]


def test_a_nested_foreach_knows_its_items_and_joins_in_order(run: Run) -> None:
    source = """
    class Nested(FlowSpec):
        @step
        def start(self):
            self.xs = (letter for letter in 'ab')
            self.next(self.outer, foreach='xs')

        @step
        def outer(self):
            self.ys = [1, 2, 3]
            self.next(self.inner, foreach='ys')

        @step
        def inner(self):
            self.z = (self.index, self.input, self.foreach_stack())
            self.next(self.back)

        @step
        def back(self, inputs):
            self.zs = [i.z for i in inputs]
            print(self.input, self.index)
            self.next(self.join)

        @step
        def join(self, inputs):
            for i in inputs:
                print(i.zs)
            print([i.input for i in inputs])
            self.next(self.end)

        @step
        def end(self):
            print(self.input, self.index)
    """
    ran = run(source)
    assert sorted(ran.output("back")) == ["a 0", "b 1"]
    lines = ran.output("join")
    assert lines[0].startswith("[(0, 1, [(0, 2, 'a'), (0, 3, 1)]), (1, 2, [(0, 2, 'a'), (1, 3, 2)])")
    assert lines[2] == "['a', 'b']"
    assert ran.output("end") == ["None None"]
    assert "xs" not in ran.record("start").artifacts


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ("[]", "self.xs is empty"),
        ("iter(())", "self.xs is empty"),
        ("5", "self.xs is of type int, which foreach='xs' can't go over"),
    ],
)
def test_a_foreach_over_nothing_fails_in_words(run: Run, items: str, words: str) -> None:
    source = f"""
    class Empty(FlowSpec):
        @step
        def start(self):
            self.xs = {items}
            self.next(self.body, foreach='xs')

        @step
        def body(self):
            self.next(self.join)

        @step
        def join(self, inputs):
            self.next(self.end)

        @step
        def end(self):
            pass
    """
    ran = run(source)
    told = ran.record("start").exception
    assert told is not None
    assert words in told.message
    assert words in ran.output("start", "stderr")[-2]


def test_a_foreach_past_the_limit_fails_in_words(scene_of: Any, spawner_of: SpawnerOf) -> None:
    scene = scene_of(
        """
    class Wide(FlowSpec):
        @step
        def start(self):
            self.xs = range(11)
            self.next(self.body, foreach='xs')

        @step
        def body(self):
            self.next(self.join)

        @step
        def join(self, inputs):
            self.next(self.end)

        @step
        def end(self):
            pass
    """
    )
    ran = scene.run(spawner_of(scene), changes={"max_num_splits": 10})
    told = ran.record("start").exception
    assert told is not None
    assert "--max-num-splits" in told.message


def test_a_switch_loops_until_its_condition_changes(run: Run) -> None:
    source = """
    class Loop(FlowSpec):
        @step
        def start(self):
            self.n = 0
            self.next(self.count)

        @step
        def count(self):
            self.n += 1
            self.more = self.n < 5
            self.next({True: self.count, False: self.end}, condition='more')

        @step
        def end(self):
            print(self.n)
    """
    ran = run(source)
    assert ran.output("end") == ["5"]
    assert [event.key.id for event in ran.started()] == ["0", "0.0", "0.1", "0.2", "0.3", "0.4", "0"]


def test_a_switch_with_an_unknown_value_fails_in_words(run: Run) -> None:
    source = """
    class Bad(FlowSpec):
        @step
        def start(self):
            self.way = 'up'
            self.next({'left': self.end, 'right': self.other}, condition='way')

        @step
        def other(self):
            self.next(self.end)

        @step
        def end(self):
            pass
    """
    told = run(source).record("start").exception
    assert told is not None
    assert "self.way is 'up', and the switch knows only 'left', 'right'" in told.message


def test_a_step_that_leaves_before_its_next_fails_in_words(run: Run) -> None:
    told = run(linear("if True:\n    return")).record("start").exception
    assert told is not None
    assert "ended without self.next" in told.message
    assert told.type == "InvalidNextException"


def test_a_retry_knows_how_many_attempts_failed(run: Run) -> None:
    source = """
    class Retried(FlowSpec):
        @retry(times=2, minutes_between_retries=0)
        @step
        def start(self):
            print(current.retry_count)
            if current.retry_count < 2:
                raise RuntimeError('again')
            self.next(self.end)

        @step
        def end(self):
            pass
    """
    ran = run(source)
    assert ran.output("start", "stdout") == ["0", "1", "2"]
    assert ran.outcome == "succeeded"
    assert [one.attempt for one in ran.store.failures(ran.manifest.run, ran.record("start").key)] == [0, 1]


def test_a_caught_failure_is_an_artifact_and_the_flow_goes_on(run: Run) -> None:
    source = """
    class Caught(FlowSpec):
        @step
        def start(self):
            self.kept = 1
            self.next(self.bad)

        @catch(var='why')
        @step
        def bad(self):
            self.half = 1
            raise KeyError('gone')
            self.next(self.end)

        @step
        def end(self):
            print(bool(self.why), self.why.exception, self.kept, hasattr(self, 'half'))
    """
    ran = run(source)
    assert ran.output("end") == ["True 'gone' 1 True"]
    assert ran.record("bad").status is Status.CAUGHT
    assert ran.record("bad").exception is not None


def test_current_tells_what_runs(run: Run) -> None:
    body = (
        "print(current.flow_name, current.step_name, current.task_id, current.pathspec)\n"
        "print(current.username, current.namespace, sorted(current.tags), current.origin_run_id)\n"
        "import os\n"
        "print(os.path.isdir(current.tempdir), 'run_id' in current, current.get('nothing', 5))\n"
        "self.folder = current.tempdir"
    )
    ran = run(linear(body, "import os\nprint(os.path.exists(self.folder))"))
    run_id = ran.manifest.run
    assert ran.output("start") == [
        f"Linear start 0 Linear/{run_id}/start/0",
        "tester user:tester ['blue'] None",
        "True True 5",
    ]
    assert ran.output("end") == ["False"]


def test_environment_is_set_for_its_step_alone(run: Run) -> None:
    source = """
    import os

    class Env(FlowSpec):
        @environment(vars={'COLOUR': 'blue'})
        @step
        def start(self):
            print(os.environ['COLOUR'])
            self.next(self.end)

        @step
        def end(self):
            print('COLOUR' in os.environ)
    """
    ran = run(source)
    assert ran.output() == ["blue", "False"]


def test_a_script_with_another_graph_is_refused_before_user_code_runs(scene_of: Any) -> None:
    scene = scene_of(linear("print('ran')"))
    ran = scene.run(changes={"digest": "0" * 64})
    told = ran.record("start").exception
    assert told is not None
    assert "aren't those that the run was started with" in told.message
    assert ran.record("start").final
    assert ran.output("start", "stdout") == []


def test_a_join_over_many_tasks_reads_them_in_order(run: Run) -> None:
    source = """
    class Many(FlowSpec):
        @step
        def start(self):
            self.xs = range(300)
            self.next(self.body, foreach='xs')

        @step
        def body(self):
            self.y = self.input * 2
            self.next(self.join)

        @step
        def join(self, inputs):
            print([i.y for i in inputs] == [2 * n for n in range(300)], inputs[299].y, len(inputs))
            self.next(self.end)

        @step
        def end(self):
            pass
    """
    assert run(source).output("join") == ["True 598 300"]
