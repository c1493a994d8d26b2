"""Artifacts of every kind, from a byte to a gigabyte."""

from __future__ import annotations

import importlib.util

import pytest

from tests.integration.local.laptop import Laptop


def test_values_of_every_plain_kind_arrive_as_they_were(each_way: Laptop) -> None:
    script = each_way.flow(
        "Kinds",
        """
        @step
        def start(self):
            import collections, datetime, decimal, fractions, pathlib, re, uuid
            self.kinds = [None, True, 0, -1, 2**200, 1.5, float("inf"), 3j, "", "grüße ☃", b"", bytes(range(256)), (),
                [], {}, set(), frozenset({1}), range(3), slice(1, 2), Ellipsis, collections.OrderedDict(a=1),
                collections.Counter("aab"), collections.deque([1]), datetime.datetime(2026, 1, 2, 3, 4, 5, 6),
                decimal.Decimal("0.1"), fractions.Fraction(1, 3), pathlib.Path("/x"), uuid.UUID(int=1),
                re.compile("a+"), bytearray(b"x"), int, len, os.path.join, ValueError("v").args]
            for n, value in enumerate(self.kinds):
                setattr(self, f"v{n}", value)
            self.nan = float("nan")
            self.loop = []
            self.loop.append(self.loop)
            self.error = ValueError("kept")
            self.next(self.end)

        @step
        def end(self):
            for n, value in enumerate(self.kinds):
                got = getattr(self, f"v{n}")
                assert got == value and type(got) is type(value), (got, value)
            assert self.nan != self.nan and self.loop[0] is self.loop and self.error.args == ("kept",)
            print("all", len(self.kinds))
        """,
    )
    played = each_way.run(script)
    assert played.code == 0, played.all
    assert "all 34" in played.said


CLASSES = """
import dataclasses
import enum
from typing import NamedTuple

@dataclasses.dataclass(frozen=True)
class Point:
    x: int
    y: int = 2

class Colour(enum.Enum):
    RED = 1

class Pair(NamedTuple):
    left: int
    right: int

class Slotted:
    __slots__ = ("a",)
    def __init__(self, a):
        self.a = a

class Outer:
    class Inner:
        value = 1

def helper(x):
    return x + 1

class MyError(Exception):
    pass

"""


def test_classes_defined_in_the_script_cross_from_task_to_task(each_way: Laptop) -> None:
    script = each_way.flow(
        "Classes",
        """
        @step
        def start(self):
            self.point, self.colour, self.pair = Point(1), Colour.RED, Pair(1, 2)
            self.slotted, self.inner, self.helper, self.error = Slotted(3), Outer.Inner(), helper, MyError("m")
            self.next(self.end)

        @step
        def end(self):
            assert self.point == Point(1) and self.colour is Colour.RED and self.pair == Pair(1, 2)
            assert type(self.slotted) is Slotted and self.slotted.a == 3 and isinstance(self.inner, Outer.Inner)
            assert self.helper is helper and isinstance(self.error, MyError)
            print("crossed")
        """,
    )
    script.write_text(CLASSES + script.read_text())
    played = each_way.run(script)
    assert played.code == 0, played.all
    assert "crossed" in played.said


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("lambda x: x", "self.bad"),
        ("(x for x in [1])", "self.bad"),
        ("open(__file__)", "self.bad"),
        ("__import__('threading').Lock()", "self.bad"),
        ("type('Local', (), {})()", "self.bad"),
        ("{'deep': [1, {'er': lambda: 0}]}", "self.bad"),
        ("Refuses()", "self.bad"),
    ],
)
def test_what_cant_be_pickled_is_named_and_nothing_of_ours_is_shown(
    laptop: Laptop, value: str, text: str
) -> None:
    script = laptop.flow(
        "Unpicklable",
        f"""
        @step
        def start(self):
            self.good = 1
            self.bad = {value}
            self.next(self.end)

        @step
        def end(self):
            pass
        """,
    )
    refuses = "class Refuses:\n    def __reduce__(self):\n        raise RuntimeError('no thanks')\n\n"
    script.write_text(refuses + script.read_text())
    played = laptop.run(script)
    assert played.code == 1
    assert text in played.all, played.all
    assert "reflow/task" not in played.all
    assert "reflow/store" not in played.all
    assert "Step start (task-id 0) failed." in played.err


def test_an_unreadable_value_hurts_only_who_reads_it(laptop: Laptop) -> None:
    script = laptop.flow(
        "Spiteful",
        """
        @step
        def start(self):
            self.spite = Spite()
            self.fine = 1
            self.next(self.middle)

        @step
        def middle(self):
            print("fine", self.fine)
            self.next(self.end)

        @step
        def end(self):
            self.spite
        """,
    )
    spite = "class Spite:\n    def __setstate__(self, state):\n        raise RuntimeError('not today')\n"
    spite += "    def __getstate__(self):\n        return {'a': 1}\n\n"
    script.write_text(spite + script.read_text())
    played = laptop.run(script)
    assert "fine 1" in played.said
    assert played.code == 1
    assert "not today" in played.all
    assert "spite" in played.all
    assert "Step end (task-id 0) failed." in played.err


def test_an_item_that_cant_be_pickled_is_named_by_its_place(laptop: Laptop) -> None:
    script = laptop.flow(
        "BadItem",
        """
        @step
        def start(self):
            self.xs = (x if x != 2 else (lambda: x) for x in range(4))
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
        """,
    )
    played = laptop.run(script)
    assert played.code == 1
    assert "2" in played.all
    assert "xs" in played.all
    assert "reflow/" not in played.all


def test_an_artifact_changed_in_place_is_kept_as_it_became(each_way: Laptop) -> None:
    script = each_way.flow(
        "InPlace",
        """
        @step
        def start(self):
            self.rows = [1]
            self.next(self.middle)

        @step
        def middle(self):
            self.rows.append(2)
            self.untouched = True
            self.next(self.end)

        @step
        def end(self):
            print("rows", self.rows)
        """,
    )
    assert "rows [1, 2]" in each_way.run(script).said
    assert each_way.value("InPlace", "1", "start/0", "rows") == [1]


def test_attributes_that_were_deleted_are_gone_and_private_ones_are_kept(each_way: Laptop) -> None:
    script = each_way.flow(
        "Deletes",
        """
        @step
        def start(self):
            self.a = self.b = 1
            self._private = 2
            del self.b
            self.next(self.end)

        @step
        def end(self):
            print("has", hasattr(self, "a"), hasattr(self, "b"), self._private)
            try:
                self.nothing
            except AttributeError as error:
                print("says", error)
        """,
    )
    played = each_way.run(script)
    assert "has True False 2" in played.said, played.all
    assert any("nothing" in line for line in played.said if line.startswith("says"))


@pytest.mark.skipif(importlib.util.find_spec("numpy") is None, reason="numpy isn't installed")
def test_arrays_and_frames_cross(each_way: Laptop) -> None:
    script = each_way.flow(
        "Arrays",
        """
        @step
        def start(self):
            import numpy
            self.array = numpy.arange(1_000_000).reshape(1000, 1000)
            self.random = numpy.random.random(3)
            self.next(self.end)

        @step
        def end(self):
            print("sum", int(self.array.sum()), self.array.shape)
        """,
    )
    assert "sum 499999500000 (1000, 1000)" in each_way.run(script).said


def big_flow(laptop: Laptop, size: int) -> None:
    laptop.flow(
        "Big",
        f"""
        @step
        def start(self):
            import resource
            self.data = os.urandom(1 << 20) * ({size} >> 20)
            self.size = len(self.data)
            self.next(self.middle)

        @step
        def middle(self):
            import resource
            print("idle", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10)
            self.next(self.end)

        @step
        def end(self):
            import resource
            size = len(self.data)
            most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            print("size", size, "most", most >> 10)
            self.most = most
        """,
    )


@pytest.mark.parametrize(
    "size", [pytest.param(100 << 20, id="100MB"), pytest.param(1 << 30, id="1GB", marks=pytest.mark.slow)]
)
def test_a_big_artifact_is_streamed_and_held_at_most_twice(laptop: Laptop, size: int) -> None:
    big_flow(laptop, size)
    played = laptop.run("big.py")
    assert played.code == 0, played.all
    assert laptop.value("Big", "1", "end/0", "most") << 10 < 2 * size + (100 << 20)
    assert laptop.value("Big", "1", "middle/0", "size") == size
    blobs = [path for path in laptop.files() if "/blobs/" in path]
    assert len(blobs) == 1


def test_many_large_artifacts_of_the_same_content_are_kept_once(laptop: Laptop) -> None:
    script = laptop.flow(
        "Same",
        """
        @step
        def start(self):
            self.xs = [0, 1, 2, 3]
            self.next(self.work, foreach="xs")

        @step
        def work(self):
            self.data = b"x" * 1_000_000
            self.next(self.join)

        @step
        def join(self, inputs):
            self.merge_artifacts(inputs)
            self.next(self.end)

        @step
        def end(self):
            print("size", len(self.data))
        """,
    )
    assert "size 1000000" in laptop.run(script).said
    assert len([path for path in laptop.files() if "/blobs/" in path]) == 1
