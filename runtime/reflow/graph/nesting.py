"""How splits and foreaches nest: which of them are open at each step, and where their branches meet wrongly.

Every step has a stack of frames, one for each split around it: which split, and by which of its branches. A
join closes the innermost. Two branches meet only in the join that closes their split.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from reflow.graph.types import Kind, Step
from reflow.values.dataclass import dataclass, field


@dataclass(frozen=True, slots=True)
class Frame:
    """An open split: the step that split, and the target by which this step is reached."""

    split: str
    branch: str
    foreach: bool


Stack = tuple[Frame, ...]


class Fault(StrEnum):
    """What can be wrong."""

    NOTHING_TO_JOIN = "a join with no split open"
    NO_INPUTS = "branches of one split meet in a step that takes no inputs"
    CROSSED = "reached from inside a split and from outside, or from two different ones"
    MISSING_BRANCH = "a join that doesn't get all branches of its split"
    JOINED_TWICE = "a split with two joins"
    NEVER_JOINED = "a split that is open at the end"
    FOREACH_INTO_JOIN = "a foreach straight into a join"


@dataclass(frozen=True, slots=True)
class Conflict:
    """A fault at `step`; `split` and `others` are the split and the steps that it is about."""

    fault: Fault
    step: str
    split: str = ""
    others: tuple[str, ...] = ()


@dataclass
class Nesting:
    """For each step that `start` reaches: the stack in which it runs; `joins`: for each join, the split that
    it closes."""

    stacks: dict[str, Stack] = field(default_factory=dict)
    joins: dict[str, str] = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)


def nest(steps: Mapping[str, Step], start: str = "start") -> Nesting:
    """Walk the steps once from the first; all targets have to be known."""
    nesting = Nesting()
    arrivals: dict[str, dict[str, Stack]] = {start: {"": ()}}  # step → where from → the stack brought along
    waiting = [start]
    while waiting:
        name = waiting.pop(0)
        step, incoming = steps[name], next(iter(arrivals[name].values()))
        nesting.stacks[name] = stack = incoming[:-1] if step.is_join else incoming
        if step.is_join and incoming:
            nesting.joins[name] = incoming[-1].split
        for target in step.targets:
            if target not in arrivals:
                waiting.append(target)
            arrivals.setdefault(target, {})[name] = _carried(step, target, stack)
    for name, found in arrivals.items():
        nesting.conflicts += _conflicts(steps, steps[name], found)
    nesting.conflicts += _joined_twice(nesting.joins)
    nesting.conflicts = _causes(nesting.conflicts)
    return nesting


def _carried(step: Step, target: str, stack: Stack) -> Stack:
    if step.kind in (Kind.SPLIT, Kind.FOREACH):
        return (*stack, Frame(step.name, target, step.kind is Kind.FOREACH))
    return stack


def _conflicts(steps: Mapping[str, Step], step: Step, found: Mapping[str, Stack]) -> list[Conflict]:
    stacks = list(found.values())
    if step.is_join:
        return _join_conflicts(steps, step, found)
    if len(set(stacks)) > 1:
        parents = {stack[:-1] for stack in stacks}
        splits = {stack[-1].split for stack in stacks if stack}
        if all(stacks) and len(parents) == len(splits) == 1:
            branches = tuple(dict.fromkeys(stack[-1].branch for stack in stacks))
            return [Conflict(Fault.NO_INPUTS, step.name, splits.pop(), branches)]
        return [Conflict(Fault.CROSSED, step.name, others=tuple(found))]
    if step.kind is Kind.END and stacks[0]:
        return [Conflict(Fault.NEVER_JOINED, step.name, stacks[0][-1].split)]
    return []


def _join_conflicts(steps: Mapping[str, Step], step: Step, found: Mapping[str, Stack]) -> list[Conflict]:
    stacks = list(found.values())
    if not all(stacks):
        return [Conflict(Fault.NOTHING_TO_JOIN, step.name)]
    if len({stack[:-1] for stack in stacks}) > 1 or len({stack[-1].split for stack in stacks}) > 1:
        return [Conflict(Fault.CROSSED, step.name, others=tuple(found))]
    split = steps[stacks[0][-1].split]
    if split.kind is Kind.FOREACH and split.name in found:
        return [Conflict(Fault.FOREACH_INTO_JOIN, step.name, split.name)]
    reached = {stack[-1].branch for stack in stacks}
    missing = tuple(target for target in split.targets if target not in reached)
    if missing:
        return [Conflict(Fault.MISSING_BRANCH, step.name, split.name, missing)]
    if step.kind is Kind.END and stacks[0][:-1]:
        return [Conflict(Fault.NEVER_JOINED, step.name, stacks[0][-2].split)]
    return []


def _joined_twice(joins: Mapping[str, str]) -> list[Conflict]:
    by_split: dict[str, list[str]] = {}
    for join, split in joins.items():
        by_split.setdefault(split, []).append(join)
    return [
        Conflict(Fault.JOINED_TWICE, found[1], split, tuple(found))
        for split, found in by_split.items()
        if len(found) > 1
    ]


def _causes(conflicts: list[Conflict]) -> list[Conflict]:
    """Without the splits left open at the end where another conflict of the same split is the cause."""
    explained = {conflict.split for conflict in conflicts if conflict.fault is not Fault.NEVER_JOINED}
    return [it for it in conflicts if it.fault is not Fault.NEVER_JOINED or it.split not in explained]
