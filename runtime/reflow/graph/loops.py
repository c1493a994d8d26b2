"""The loops of a graph: natural loops, found by their back edges and dominators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Targets = Mapping[str, Sequence[str]]


def loops(targets: Targets, start: str = "start") -> dict[str, frozenset[str]]:
    """For each loop its header, the one step by which it is entered, and all its steps, the header included.

    Loops with one header count as one. Two loops are apart, or one is inside the other. Raises TwoEntries for
    a cycle that can be entered at two steps. Steps that `start` doesn't reach are left out.
    """
    order = _reverse_postorder(targets, start)
    parents = _dominators(targets, order)
    place = {name: index for index, name in enumerate(order)}
    sources: dict[str, list[str]] = {name: [] for name in order}
    found: dict[str, set[str]] = {}
    for name in order:
        for target in targets[name]:
            sources[target].append(name)
    for name in order:
        for header in targets[name]:
            if place[header] <= place[name]:  # leads backwards
                if not _dominates(header, name, parents):
                    raise TwoEntries(header, name)
                found.setdefault(header, {header}).update(_reaching(name, header, sources))
    return {header: frozenset(body) for header, body in found.items()}


class TwoEntries(Exception):
    """A cycle through an edge `source` → `header` that doesn't have to be entered by `header`."""

    def __init__(self, header: str, source: str) -> None:
        super().__init__(header, source)
        self.header = header
        self.source = source


def scope(step: str, found: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
    """The headers of the loops around a step, the outermost first; a header is inside its own loop."""
    around = [header for header, body in found.items() if step in body]
    return tuple(sorted(around, key=lambda header: -len(found[header])))


def _reverse_postorder(targets: Targets, start: str) -> list[str]:
    done: list[str] = []
    seen = {start}
    stack = [(start, iter(targets[start]))]
    while stack:
        name, rest = stack[-1]
        for target in rest:
            if target not in seen:
                seen.add(target)
                stack.append((target, iter(targets[target])))
                break
        else:
            stack.pop()
            done.append(name)
    return done[::-1]


def _dominators(targets: Targets, order: list[str]) -> dict[str, str]:
    """For each step the nearest other step that every path from `start` to it passes; `start` for itself."""
    place = {name: index for index, name in enumerate(order)}
    sources: dict[str, list[str]] = {name: [] for name in order}
    for name in order:
        for target in targets[name]:
            sources[target].append(name)
    nearest = {order[0]: order[0]}
    changed = True
    while changed:
        changed = False
        for name in order[1:]:
            known = [source for source in sources[name] if source in nearest]
            best = known[0]
            for other in known[1:]:
                best = _common(best, other, nearest, place)
            if nearest.get(name) != best:
                nearest[name] = best
                changed = True
    return nearest


def _common(one: str, other: str, nearest: Mapping[str, str], place: Mapping[str, int]) -> str:
    while one != other:
        while place[one] > place[other]:
            one = nearest[one]
        while place[other] > place[one]:
            other = nearest[other]
    return one


def _dominates(one: str, other: str, nearest: Mapping[str, str]) -> bool:
    while other != one and other != nearest[other]:
        other = nearest[other]
    return other == one


def _reaching(name: str, header: str, sources: Mapping[str, Sequence[str]]) -> set[str]:
    """The steps that reach `name` without passing `header`."""
    found = {name} - {header}
    waiting = list(found)
    while waiting:
        for source in sources[waiting.pop()]:
            if source not in found and source != header:
                found.add(source)
                waiting.append(source)
    return found
