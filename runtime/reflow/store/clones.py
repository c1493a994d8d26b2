"""The frozen set of cloned tasks as JSON: ranges of the last foreach index, so that thousands take a few
hundred bytes.

``{"3": {"start": [{}], "train": [{"in": [2], "loop": [0], "at": "0-99,101"}]}}``: from run 3 the task
`start`, and of `train`, within index 2 of the outer foreach and iteration 0, the tasks 0 to 99 and 101.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from reflow.store.layout import run_id
from reflow.values.key import TaskKey
from reflow.values.untrusted import count, identifier

_WIDEST = 10_000_000  # tasks of one range: a manifest of a few bytes must not fill the memory


def to_json(clones: Mapping[str, Iterable[TaskKey]]) -> dict[str, dict[str, list[dict[str, Any]]]]:
    return {origin: _by_step(keys) for origin, keys in clones.items()}


def from_json(
    found: Mapping[str, Mapping[str, Iterable[Mapping[str, Any]]]],
) -> dict[str, tuple[TaskKey, ...]]:
    return {
        run_id(origin): tuple(
            key
            for step, groups in steps.items()
            for group in groups
            for key in _keys(identifier(step), group)
        )
        for origin, steps in found.items()
    }


def _by_step(keys: Iterable[TaskKey]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    ranged: dict[tuple[str, tuple[int, ...], tuple[int, ...]], list[int]] = {}
    for key in keys:
        if key.foreach:
            ranged.setdefault((key.step, key.foreach[:-1], key.loop), []).append(key.foreach[-1])
        else:
            found.setdefault(key.step, []).append({"loop": list(key.loop)} if key.loop else {})
    for (step, within, loop), at in ranged.items():
        group = {"in": list(within), "loop": list(loop), "at": _ranges(at)}
        found.setdefault(step, []).append({name: value for name, value in group.items() if value})
    return found


def _keys(step: str, group: Mapping[str, Any]) -> Iterator[TaskKey]:
    within, loop = tuple(map(count, group.get("in", ()))), tuple(map(count, group.get("loop", ())))
    if "at" not in group:
        yield TaskKey(step, within, loop)
        return
    for part in group["at"].split(","):
        first, _, last = part.partition("-")
        start, end = int(first), int(last or first)
        if not 0 <= start <= end <= start + _WIDEST:
            raise ValueError(f"{part!r} is no range of tasks")
        for index in range(start, end + 1):
            yield TaskKey(step, (*within, index), loop)


def _ranges(numbers: list[int]) -> str:
    parts: list[list[int]] = []
    for number in sorted(set(numbers)):
        if parts and parts[-1][1] == number - 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join(f"{first}-{last}" if last > first else str(first) for first, last in parts)
