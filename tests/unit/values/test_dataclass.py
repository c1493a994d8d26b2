"""The quick `dataclass` behaves as the standard library's, shape by shape: each test runs with both."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from typing import Any, ClassVar

import pytest

from reflow.values import dataclass as quick

BOTH = pytest.mark.parametrize("lib", [dataclasses, quick], ids=["standard", "quick"])


def point(lib: Any) -> Any:
    """A class with all that the project uses."""

    @lib.dataclass(frozen=True, slots=True, order=True)
    class Point:
        x: int
        y: int = 2
        tags: dict[str, str] = lib.field(default_factory=dict, repr=False)
        scale: ClassVar[int] = 10

        @property
        def far(self) -> int:
            return self.x * self.scale

    return Point


@BOTH
def test_fields_are_given_by_place_or_name_and_have_defaults(lib: Any) -> None:
    made = point(lib)(1)
    assert (made.x, made.y, made.tags, made.far) == (1, 2, {}, 10)
    assert point(lib)(x=3, y=4).y == 4
    kind = point(lib)
    assert kind(1).tags is not kind(1).tags


@BOTH
def test_wrong_arguments_are_type_errors_that_name_the_class(lib: Any) -> None:
    kind = point(lib)
    for _ in range(2):  # the second finds the compiled __init__
        with pytest.raises(
            TypeError, match=r"Point\.__init__\(\) missing 1 required positional argument: 'x'"
        ):
            kind()
        with pytest.raises(TypeError, match=r"unexpected keyword argument 'z'"):
            kind(1, z=1)


@BOTH
def test_a_frozen_instance_cant_be_changed(lib: Any) -> None:
    made = point(lib)(1)
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'x'"):
        made.x = 2
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot delete field 'x'"):
        del made.x
    assert not hasattr(made, "__dict__")


@BOTH
def test_equal_fields_make_equal_instances_of_one_class_only(lib: Any) -> None:
    kind, other = point(lib), point(lib)
    assert kind(1) == kind(1, 2)
    assert kind(1) != kind(2)
    assert kind(1) != other(1)
    assert kind(1) != (1, 2, {})


@BOTH
def test_a_frozen_instance_of_hashable_fields_is_a_key(lib: Any) -> None:
    @lib.dataclass(frozen=True, slots=True)
    class Key:
        only: Any

    assert {Key("a"): 1}[Key("a")] == 1
    assert hash(Key("a")) == hash(("a",))
    with pytest.raises(TypeError, match="unhashable"):
        hash(Key([]))


@BOTH
def test_instances_are_ordered_by_their_fields_in_turn(lib: Any) -> None:
    kind = point(lib)
    assert sorted([kind(2, 1), kind(1, 3), kind(1, 2)]) == [kind(1, 2), kind(1, 3), kind(2, 1)]
    assert kind(1) < kind(2)
    assert kind(1, 3) >= kind(1, 2)
    with pytest.raises(TypeError, match="not supported"):
        sorted([kind(1), (1,)])


@BOTH
def test_it_shows_its_fields_but_those_that_are_not_to_be_shown(lib: Any) -> None:
    assert repr(point(lib)(1, tags={"secret": "x"})).endswith("Point(x=1, y=2)")


@BOTH
def test_one_without_fields_works_too(lib: Any) -> None:
    @lib.dataclass(frozen=True, slots=True)
    class Nothing:
        pass

    assert Nothing() == Nothing()
    assert hash(Nothing()) == hash(())
    assert repr(Nothing()).endswith("Nothing()")


@BOTH
def test_one_that_is_not_frozen_can_be_changed_and_is_no_key(lib: Any) -> None:
    @lib.dataclass(slots=True)
    class Counter:
        count: int = 0
        seen: list[int] = lib.field(default_factory=list)

    counter = Counter()
    counter.count += 1
    assert counter == Counter(1)
    with pytest.raises(TypeError, match="unhashable"):
        hash(counter)
    assert copy.deepcopy(counter) == counter


@BOTH
def test_fields_of_a_base_come_first(lib: Any) -> None:
    @lib.dataclass(frozen=True)
    class Base:
        a: int
        b: int = 1

    @lib.dataclass(frozen=True)
    class More(Base):
        b: int = 2
        c: int = 3

    assert (More(0).a, More(0).b, More(0).c) == (0, 2, 3)
    assert [one.name for one in lib.fields(More(0))] == ["a", "b", "c"]


@BOTH
def test_what_the_class_says_itself_stays(lib: Any) -> None:
    @lib.dataclass(frozen=True)
    class Own:
        a: int

        def __repr__(self) -> str:
            return f"<{self.a}>"

        def __post_init__(self) -> None:
            if self.a < 0:
                raise ValueError("negative")

    assert repr(Own(1)) == "<1>"
    with pytest.raises(ValueError, match="negative"):
        Own(-1)


@BOTH
def test_a_copy_with_changes_leaves_the_first_as_it_was(lib: Any) -> None:
    made = point(lib)(1)
    assert lib.replace(made, y=5) == type(made)(1, 5)
    assert made.y == 2
    with pytest.raises(TypeError):
        lib.replace(made, nothing=1)


@BOTH
def test_a_default_that_all_would_share_is_refused(lib: Any) -> None:
    def shared() -> None:
        @lib.dataclass
        class Shared:
            all: list[int] = []  # noqa: RUF012

    with pytest.raises(ValueError, match="mutable default"):
        shared()


@BOTH
def test_it_matches_by_place(lib: Any) -> None:
    kind = point(lib)
    match kind(1, 7):
        case kind(x, y):
            assert (x, y) == (1, 7)
        case _:
            pytest.fail("no match")


@quick.dataclass(frozen=True, slots=True)
class Kept:
    """At the top of a module, as pickle wants it."""

    name: str
    values: tuple[int, ...] = ()


def test_it_is_pickled_and_copied() -> None:
    kept = Kept("a", (1, 2))
    assert pickle.loads(pickle.dumps(kept)) == kept
    assert copy.copy(kept) == kept
    assert copy.deepcopy(kept) == kept


def test_the_standard_librarys_functions_take_it() -> None:
    assert dataclasses.is_dataclass(Kept)
    assert dataclasses.asdict(Kept("a", (1,))) == {"name": "a", "values": (1,)}
    assert dataclasses.replace(Kept("a"), name="b") == Kept("b")
    assert [one.name for one in dataclasses.fields(Kept)] == ["name", "values"]
