"""A scheduler that is slow and obvious: at every event it walks the flow's tree from its start, over all that
is known.

Written without the engine: it never asks the graph for scopes, sources or joins, and keeps nothing but what
it was told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from reflow.engine.events import Failed, Lost, Start, Succeeded, TaskEnd
from reflow.graph.types import Kind, Step
from reflow.values.key import TaskKey
from reflow.values.policy import StepPolicy
from tests.property.engine.flows import (
    DONE,
    Block,
    Blocks,
    Foreach,
    Loop,
    Plain,
    Split,
    Switch,
    graph_of,
    scopes,
)

Path = tuple[int, ...]
Parents = tuple[TaskKey, ...]


@dataclass
class Walk:
    """Goes over a flow by the results that there are. `reached`: each task with its parents, in order."""

    results: Mapping[TaskKey, Succeeded]
    reached: dict[TaskKey, Parents] = field(default_factory=dict)

    def flow(self, blocks: Blocks) -> Walk:
        out = self._all((Plain("start"), *blocks), (), (), ())
        if out is not None:
            self._one("end", (), (), out)
        return self

    def _one(self, step: str, foreach: Path, loop: Path, parents: Parents) -> Succeeded | None:
        key = TaskKey(step, foreach, loop)
        self.reached[key] = parents
        return self.results.get(key)

    def _all(self, blocks: Blocks, foreach: Path, loop: Path, parents: Parents) -> Parents | None:
        """What comes out at the end: the last tasks, or None where it isn't through yet."""
        out: Parents | None = parents
        for block in blocks:
            if out is None:
                return None
            out = self._block(block, foreach, loop, out)
        return out

    def _block(self, block: Block, foreach: Path, loop: Path, parents: Parents) -> Parents | None:
        if isinstance(block, Loop):
            return self._loop(block, foreach, loop, parents)
        result = self._one(block.step, foreach, loop, parents)
        if result is None:
            return None
        here = (result.key,)
        match block:
            case Plain():
                return here
            case Split(branches=branches, join=join):
                outs = [self._all(branch, foreach, loop, here) for branch in branches]
                return self._join(join, foreach, loop, outs)
            case Foreach(body=body, join=join):
                assert result.width is not None
                outs = [self._all(body, (*foreach, index), loop, here) for index in range(result.width)]
                return self._join(join, foreach, loop, outs)
            case Switch(cases=cases, merge=merge):
                body = dict(cases).get(result.case or "")
                out = self._all(body, foreach, loop, here) if body is not None else None
                return None if out is None else self._join(merge, foreach, loop, [out])

    def _join(self, step: str, foreach: Path, loop: Path, outs: list[Parents | None]) -> Parents | None:
        inputs = [key for out in outs if out is not None for key in out]
        if None in outs:
            return None
        result = self._one(step, foreach, loop, tuple(inputs))
        return None if result is None else (result.key,)

    def _loop(self, block: Loop, foreach: Path, loop: Path, parents: Parents) -> Parents | None:
        iteration, out = 0, self._iteration(block, foreach, (*loop, 0), parents)
        while out is not None and self.results[out[0]].case != DONE:
            iteration += 1
            out = self._iteration(block, foreach, (*loop, iteration), out)
        return out

    def _iteration(self, block: Loop, foreach: Path, loop: Path, parents: Parents) -> Parents | None:
        out = self._all(block.body, foreach, loop, parents)
        if out is None:
            return None
        result = self._one(block.test, foreach, loop, out)
        return None if result is None else (result.key,)


class Naive:
    """The scheduler."""

    def __init__(self, flow: Blocks, policies: Mapping[str, StepPolicy]) -> None:
        self.flow = flow
        self.policies = policies
        self.ends: list[TaskEnd] = []
        self.issued: list[Start] = []

    def hear(self, *ends: TaskEnd) -> set[Start]:
        """What to start, all ends so far considered."""
        self.ends += ends
        found: set[Start] = set()
        if not self.failed:
            found = {start for key in self.unfinished() if (start := self._wanted(key)) is not None}
        self.issued += found
        return found

    @property
    def results(self) -> dict[TaskKey, Succeeded]:
        return {end.key: end for end in reversed(self.ends) if isinstance(end, Succeeded)}

    def unfinished(self) -> list[TaskKey]:
        results = self.results
        return [key for key in Walk(results).flow(self.flow).reached if key not in results]

    @property
    def failed(self) -> set[TaskKey]:
        return {key for key in self.unfinished() if self._has_failed(key)}

    @property
    def succeeded(self) -> bool:
        return not self.failed and TaskKey("end") in self.results

    def _failures(self, key: TaskKey) -> list[Failed]:
        return [end for end in self.ends if isinstance(end, Failed) and end.key == key]

    def _losses(self, key: TaskKey) -> set[int]:
        failed = {end.launch for end in self._failures(key)}
        return {end.launch for end in self.ends if isinstance(end, Lost) and end.key == key} - failed

    def _last_of_the_user(self, key: TaskKey) -> int:
        return min(
            [self.policies[key.step].retries, *(end.attempt for end in self._failures(key) if end.final)]
        )

    def _has_failed(self, key: TaskKey) -> bool:
        allowed = self._last_of_the_user(key) + (1 if self.policies[key.step].catch else 0)
        return any(end.attempt >= allowed for end in self._failures(key)) or len(self._losses(key)) >= 10

    def _wanted(self, key: TaskKey) -> Start | None:
        failures = self._failures(key)
        over = {end.launch for end in failures} | self._losses(key)
        latest = max({start.launch for start in self.issued if start.key == key} | over | {-1})
        if latest >= 0 and latest not in over:
            return None
        attempt = max((end.attempt + 1 for end in failures), default=0)
        fallback = attempt > self._last_of_the_user(key)
        not_before = 0.0
        delay = self.policies[key.step].retry_delay
        if failures and delay and not fallback:
            last = max(failures, key=lambda end: (end.attempt, end.launch))
            if not any(launch > last.launch for launch in self._losses(key)):
                not_before = last.ended + delay
        return Start(key, attempt, latest + 1, not_before, fallback)


def naive_clone(
    old: Blocks, new: Blocks, finished: Iterable[Succeeded], from_step: str | None
) -> dict[TaskKey, Succeeded]:
    """The clone rule, by trying all that is left again and again until nothing is added."""
    before, after = graph_of(old).steps, graph_of(new).steps
    stood, stands = scopes(old), scopes(new)
    barred = steps_after(after, from_step) if from_step else set()

    def may(end: Succeeded) -> bool:
        name = end.key.step
        if name in barred or name not in before or name not in after:
            return False
        was, now = before[name], after[name]
        same = (was.kind, was.foreach, was.condition, was.is_join) == (
            now.kind,
            now.foreach,
            now.condition,
            now.is_join,
        )
        case_is_there = now.kind is not Kind.SWITCH or end.case in dict(now.cases)
        return same and case_is_there and stood.get(name) == stands.get(name)

    able = {end.key: end for end in finished if may(end)}
    cloned: dict[TaskKey, Succeeded] = {}
    while True:
        was, now = Walk(cloned).flow(old).reached, Walk(cloned).flow(new).reached
        both = [key for key in able if key in was and key in now and set(was[key]) == set(now[key])]
        more = {key: able[key] for key in both}
        if len(more) == len(cloned):
            return cloned
        cloned = more


def steps_after(steps: Mapping[str, Step], name: str) -> set[str]:
    found: set[str] = set()
    waiting = [name]
    while waiting:
        step = waiting.pop()
        if step not in found:
            found.add(step)
            waiting += steps[step].targets
    return found
