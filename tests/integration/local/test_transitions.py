"""Every way from one step to the next, and every join."""

from __future__ import annotations

from tests.integration.local.laptop import Laptop


def test_a_linear_flow_hands_its_artifacts_on(each_way: Laptop) -> None:
    script = each_way.flow(
        "Linear",
        """
        @step
        def start(self):
            self.x = 1
            self.kept = "unchanged"
            self.next(self.middle)

        @step
        def middle(self):
            self.x += 1
            self.next(self.end)

        @step
        def end(self):
            print("x is", self.x, self.kept)
        """,
    )
    played = each_way.run(script)
    assert played.code == 0, played.all
    assert "x is 2 unchanged" in played.said
    assert each_way.value("Linear", "1", "middle/0", "x") == 2
    assert each_way.value("Linear", "1", "end/0", "kept") == "unchanged"


def test_branches_run_side_by_side_and_a_join_sees_each(each_way: Laptop) -> None:
    script = each_way.flow(
        "Branch",
        """
        @step
        def start(self):
            self.common = [1, 2]
            self.next(self.a, self.b)

        @step
        def a(self):
            self.x = 1
            self.next(self.join)

        @step
        def b(self):
            self.x = 2
            self.only_b = True
            self.next(self.join)

        @step
        def join(self, inputs):
            assert [i.x for i in inputs] == [inputs.a.x, inputs.b.x] == [1, 2]
            assert inputs[1].x == 2 and len(inputs) == 2
            self.total = sum(i.x for i in inputs)
            self.merge_artifacts(inputs, exclude=["x"])
            self.next(self.end)

        @step
        def end(self):
            print("total", self.total, self.common, self.only_b, hasattr(self, "x"))
        """,
    )
    played = each_way.run(script)
    assert played.code == 0, played.all
    assert "total 3 [1, 2] True False" in played.said


def test_a_foreach_gives_each_task_its_item_and_a_join_them_in_order(each_way: Laptop) -> None:
    script = each_way.flow(
        "Each",
        """
        @step
        def start(self):
            self.words = (word for word in ["zero", "one", "two", "three"])
            self.words = list(self.words)
            self.next(self.work, foreach="words")

        @step
        def work(self):
            assert self.words[self.index] == self.input
            frame = self.foreach_stack()
            assert frame == [(self.index, 4, self.input)], frame
            self.got = (self.index, self.input)
            self.next(self.join)

        @step
        def join(self, inputs):
            self.all = [i.got for i in inputs]
            assert inputs[2].input == "two" and inputs[2].index == 2
            self.next(self.end)

        @step
        def end(self):
            print(self.all, self.index, self.input)
        """,
    )
    played = each_way.run(script)
    assert played.code == 0, played.all
    assert "[(0, 'zero'), (1, 'one'), (2, 'two'), (3, 'three')] None None" in played.said
    assert "Foreach yields 4 child steps." in played.said


def test_a_foreach_goes_over_a_generator_a_dict_a_string_and_a_set(laptop: Laptop) -> None:
    script = laptop.flow(
        "Iterables",
        """
        kind = Parameter("kind", default="generator")

        @step
        def start(self):
            made = {"dict": {"a": 1, "b": 2}, "string": "ab", "set": {"a", "b"}, "generator": ["a", "b"]}
            self.items_ = made[self.kind]
            if self.kind == "generator":
                self.items_ = (x for x in self.items_)
            self.next(self.work, foreach="items_")

        @step
        def work(self):
            self.got = self.input
            self.next(self.join)

        @step
        def join(self, inputs):
            print("got", sorted(i.got for i in inputs))
            self.next(self.end)

        @step
        def end(self):
            pass
        """,
    )
    for kind in ("dict", "string", "set", "generator"):
        played = laptop.run(script, "--kind", kind)
        assert played.code == 0, played.all
        assert "got ['a', 'b']" in played.said


def test_nested_foreaches_are_joined_from_the_inside_out(each_way: Laptop) -> None:
    script = each_way.flow(
        "Nested",
        """
        @step
        def start(self):
            self.outer = [1, 2, 3]
            self.next(self.open, foreach="outer")

        @step
        def open(self):
            self.inner = ["x"] * self.input
            self.factor = self.input
            self.next(self.work, foreach="inner")

        @step
        def work(self):
            (o, on, oi), (i, n, ii) = self.foreach_stack()
            assert (on, oi, ii) == (3, o + 1, "x") and n == o + 1 and i == self.index
            self.y = self.factor * 10 + i
            self.next(self.inner_join)

        @step
        def inner_join(self, inputs):
            self.ys = [i.y for i in inputs]
            assert self.index is not None and self.input == self.index + 1
            self.next(self.outer_join)

        @step
        def outer_join(self, inputs):
            self.all = [i.ys for i in inputs]
            self.next(self.end)

        @step
        def end(self):
            print(self.all)
        """,
    )
    played = each_way.run(script)
    assert played.code == 0, played.all
    assert "[[10], [20, 21], [30, 31, 32]]" in played.said
    assert "work/2-1" in " ".join(each_way.executed("Nested", "1"))


def test_a_foreach_within_a_branch_and_a_branch_within_a_foreach(each_way: Laptop) -> None:
    script = each_way.flow(
        "Mixed",
        """
        @step
        def start(self):
            self.next(self.plain, self.fan)

        @step
        def plain(self):
            self.result = ["plain"]
            self.next(self.join)

        @step
        def fan(self):
            self.xs = [1, 2]
            self.next(self.split, foreach="xs")

        @step
        def split(self):
            self.next(self.left, self.right)

        @step
        def left(self):
            self.v = f"l{self.input}"
            self.next(self.meet)

        @step
        def right(self):
            self.v = f"r{self.input}"
            self.next(self.meet)

        @step
        def meet(self, inputs):
            self.v = inputs.left.v + inputs.right.v
            self.next(self.gather)

        @step
        def gather(self, inputs):
            self.result = [i.v for i in inputs]
            self.next(self.join)

        @step
        def join(self, inputs):
            self.result = inputs.plain.result + inputs.gather.result
            self.next(self.end)

        @step
        def end(self):
            print(self.result)
        """,
    )
    played = each_way.run(script)
    assert played.code == 0, played.all
    assert "['plain', 'l1r1', 'l2r2']" in played.said


def test_a_switch_takes_one_way_and_both_ways_meet_again_without_a_join(each_way: Laptop) -> None:
    script = each_way.flow(
        "Choose",
        """
        big = Parameter("big", default=False)

        @step
        def start(self):
            self.size = "big" if self.big else "small"
            self.next({"big": self.large, "small": self.little}, condition="size")

        @step
        def large(self):
            self.said = "large"
            self.next(self.end)

        @step
        def little(self):
            self.said = "little"
            self.next(self.end)

        @step
        def end(self):
            print("was", self.said)
        """,
    )
    assert "was little" in each_way.run(script).said
    assert "was large" in each_way.run(script, "--big", "true").said
    assert each_way.executed("Choose", "2") == ["end/0", "large/0", "start/0"]


def test_a_loop_goes_round_until_its_switch_leaves_it(each_way: Laptop) -> None:
    script = each_way.flow(
        "Loop",
        """
        @step
        def start(self):
            self.n = 0
            self.next(self.again)

        @step
        def again(self):
            self.n += 1
            self.more = self.n < 5
            self.next({True: self.again, False: self.end}, condition="more")

        @step
        def end(self):
            print("rounds", self.n)
        """,
    )
    played = each_way.run(script)
    assert played.code == 0, played.all
    assert "rounds 5" in played.said
    assert [p for p in each_way.executed("Loop", "1") if p.startswith("again")] == [
        f"again/0.{n}" for n in range(5)
    ]


def test_loops_of_several_steps_within_a_foreach_are_each_their_own(each_way: Laptop) -> None:
    script = each_way.flow(
        "LoopInEach",
        """
        @step
        def start(self):
            self.limits = [1, 3, 2]
            self.next(self.head, foreach="limits")

        @step
        def head(self):
            self.n = getattr(self, "n", 0) + 1
            self.limit = self.input
            self.next(self.tail)

        @step
        def tail(self):
            self.state = "more" if self.n < self.limit else "done"
            self.next({"more": self.head, "done": self.after}, condition="state")

        @step
        def after(self):
            self.next(self.join)

        @step
        def join(self, inputs):
            self.counts = [i.n for i in inputs]
            self.next(self.end)

        @step
        def end(self):
            print("counts", self.counts)
        """,
    )
    played = each_way.run(script)
    assert played.code == 0, played.all
    assert "counts [1, 3, 2]" in played.said


def test_a_step_that_doesnt_go_where_its_source_says_fails_with_both_ways_named(laptop: Laptop) -> None:
    script = laptop.flow(
        "Wrong",
        """
        @step
        def start(self):
            if True:
                return
            self.next(self.end)

        @step
        def end(self):
            pass
        """,
    )
    played = laptop.run(script)
    assert played.code == 1
    assert "Step start ended without self.next(…)" in played.all
    assert "Traceback" not in played.all


def test_a_foreach_over_nothing_fails_with_the_variables_name(laptop: Laptop) -> None:
    source = """
        kind = Parameter("kind", default="list")

        @step
        def start(self):
            self.xs = {"list": [], "generator": iter([]), "number": 3, "none": None}[self.kind]
            self.next(self.work, foreach="xs")

        @step
        def work(self):
            self.next(self.join)

        @step
        def join(self, inputs):
            self.next(self.end)

        @step
        def end(self):
            pass
        """
    script = laptop.flow("Nothing", source)
    for kind, text in (
        ("list", "self.xs is empty"),
        ("generator", "self.xs is empty"),
        ("number", "self.xs is of type int, which foreach='xs' can't go over"),
        ("none", "self.xs is of type NoneType, which foreach='xs' can't go over"),
    ):
        played = laptop.run(script, "--kind", kind)
        assert played.code == 1
        assert text in played.all
        assert "Step start (task-id 0) failed." in played.err
        assert "site-packages" not in played.all
        assert "runtime/reflow" not in played.all


def test_a_foreach_that_is_too_wide_is_stopped_at_the_limit(laptop: Laptop) -> None:
    script = laptop.flow(
        "TooWide",
        """
        @step
        def start(self):
            self.xs = range(50)
            self.next(self.work, foreach="xs")

        @step
        def work(self):
            self.next(self.join)

        @step
        def join(self, inputs):
            print("joined", len(inputs))
            self.next(self.end)

        @step
        def end(self):
            pass
        """,
    )
    played = laptop.run(script, "--max-num-splits", "49")
    assert played.code == 1
    assert "--max-num-splits" in played.all
    assert "joined 50" in laptop.run(script, "--max-num-splits", "50").said
