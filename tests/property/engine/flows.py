"""Random flows as trees of blocks. A tree says by itself, without the graph's help, which tasks a run has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

from hypothesis import strategies as st

from reflow.graph.types import Graph
from tests.unit.graph.writing import graph

AGAIN, DONE = "again", "done"


@dataclass(frozen=True)
class Plain:
    """One step."""

    step: str


@dataclass(frozen=True)
class Split:
    """A static split, its branches, its join."""

    step: str
    branches: tuple[Blocks, ...]
    join: str


@dataclass(frozen=True)
class Foreach:
    """A foreach, its body, its join."""

    step: str
    body: Blocks
    join: str
    variable: str = "xs"


@dataclass(frozen=True)
class Switch:
    """A switch whose cases meet again in a plain step; a case may lead there straight."""

    step: str
    cases: tuple[tuple[str, Blocks], ...]
    merge: str
    condition: str = "v"


@dataclass(frozen=True)
class Loop:
    """A body that begins with a plain step, and a switch at its end that may lead back to it. An empty body:
    the switch leads back to itself."""

    body: Blocks
    test: str


Block = Plain | Split | Foreach | Switch | Loop
Blocks = tuple[Block, ...]


def first_step(block: Block) -> str:
    """The step by which a block is entered."""
    if isinstance(block, Loop):
        return first_step(block.body[0]) if block.body else block.test
    return block.step


def lines(blocks: Blocks, after: str) -> Iterator[str]:
    """The flow's steps, for `tests.unit.graph.writing`."""
    following = [*map(first_step, blocks), after][1:]
    for block, then in zip(blocks, following, strict=True):
        yield from _block_lines(block, then)


def _block_lines(block: Block, after: str) -> Iterator[str]:
    match block:
        case Plain(step):
            yield f"{step} -> {after}"
        case Split(step, branches, join):
            yield f"{step} -> {', '.join(first_step(branch[0]) for branch in branches)}"
            for branch in branches:
                yield from lines(branch, join)
            yield f"{join}* -> {after}"
        case Foreach(step, body, join, variable):
            yield f"{step} -> {first_step(body[0])} foreach {variable}"
            yield from lines(body, join)
            yield f"{join}* -> {after}"
        case Switch(step, cases, merge, condition):
            targets = (f"{case}: {first_step(body[0]) if body else merge}" for case, body in cases)
            yield f"{step} -> {', '.join(targets)} switch {condition}"
            for _, body in cases:
                yield from lines(body, merge)
            yield f"{merge} -> {after}"
        case Loop(body, test):
            yield from lines(body, test)
            yield f"{test} -> {AGAIN}: {first_step(block)}, {DONE}: {after} switch v"


@cache
def graph_of(flow: Blocks) -> Graph:
    """The flow's graph, built from its text. `flow` is what stands between start and end."""
    return graph(*lines((Plain("start"), *flow), "end"))


def renamed(blocks: Blocks, number: int = 0) -> Blocks:
    """The same blocks with steps named a0, a1, … so that no two are the same."""
    counter = iter(range(number, 10_000))

    def name(prefix: str) -> str:
        return f"{prefix}{next(counter)}"

    def rename(block: Block) -> Block:
        match block:
            case Plain():
                return Plain(name("p"))
            case Split(branches=branches):
                return Split(name("s"), tuple(map(rename_all, branches)), name("j"))
            case Foreach(body=body):
                return Foreach(name("f"), rename_all(body), name("j"))
            case Switch(cases=cases):
                return Switch(name("w"), tuple((case, rename_all(body)) for case, body in cases), name("m"))
            case Loop(body=body):
                return Loop(rename_all(body), name("t"))

    def rename_all(inner: Blocks) -> Blocks:
        return tuple(map(rename, inner))

    return rename_all(blocks)


@st.composite
def _blocks(draw: st.DrawFn, depth: int, least: int) -> Blocks:
    return tuple(draw(_block(depth)) for _ in range(draw(st.integers(least, 2))))


@st.composite
def _block(draw: st.DrawFn, depth: int) -> Block:
    kinds = ["plain", "foreach", "split", "loop", "switch"] if depth else ["plain", "loop"]
    kind, inside = draw(st.sampled_from(kinds)), depth - 1
    if kind == "plain":
        return Plain("")
    if kind == "loop":
        body = draw(_blocks(inside, 0)) if depth and draw(st.booleans()) else None
        return Loop((Plain(""), *body) if body is not None else (), "")
    if kind == "foreach":
        return Foreach("", draw(_blocks(inside, 1)), "")
    branches = [draw(_blocks(inside, 1 if kind == "split" else 0)) for _ in range(draw(st.integers(2, 3)))]
    if kind == "split":
        return Split("", tuple(branches), "")
    return Switch("", tuple((f"c{place}", body) for place, body in enumerate(branches)), "")


flows: st.SearchStrategy[Blocks] = _blocks(3, 1).map(renamed)


# Changes of a flow's code, for resumes


def _inner(block: Block) -> tuple[Blocks, ...]:
    match block:
        case Plain():
            return ()
        case Split(branches=branches):
            return branches
        case Foreach(body=body) | Loop(body=body):
            return (body,)
        case Switch(cases=cases):
            return tuple(body for _, body in cases)


def _with_inner(block: Block, inner: tuple[Blocks, ...]) -> Block:
    match block:
        case Plain():
            return block
        case Split():
            return replace(block, branches=inner)
        case Foreach() | Loop():
            return replace(block, body=inner[0])
        case Switch(cases=cases):
            named = zip((case for case, _ in cases), inner, strict=True)
            return replace(block, cases=tuple(named))


@st.composite
def changed(draw: st.DrawFn, blocks: Blocks) -> Blocks:
    """The flow after an edit or two: steps inserted, deleted, renamed; kinds, variables, branches, cases
    changed."""
    for edit in range(draw(st.sampled_from([1, 2, 3, 0]))):
        blocks = draw(_edited(blocks, False, 1000 + 10 * edit))
    return blocks


@st.composite
def _edited(draw: st.DrawFn, blocks: Blocks, is_loop: bool, fresh: int) -> Blocks:
    """`fresh`: the number of steps that are new."""
    deep = [place for place, block in enumerate(blocks) if _inner(block)]
    if deep and draw(st.booleans()):
        place = draw(st.sampled_from(deep))
        block = blocks[place]
        inner = list(_inner(block))
        which = draw(st.integers(0, len(inner) - 1))
        edited = draw(_edited(inner[which], isinstance(block, Loop), fresh))
        if edited or isinstance(block, Switch):
            inner[which] = edited
        return (*blocks[:place], _with_inner(block, tuple(inner)), *blocks[place + 1 :])
    if is_loop and not blocks:
        return blocks
    # A loop's first plain step stays, so that its header does.
    place = draw(st.integers(1 if is_loop else 0, len(blocks)))
    if place == len(blocks) or draw(st.integers(0, 2)) == 0:
        return (*blocks[:place], Plain(f"n{fresh}"), *blocks[place:])
    if place + 1 < len(blocks) and draw(st.integers(0, 2)) == 0:
        return (*blocks[:place], blocks[place + 1], blocks[place], *blocks[place + 2 :])
    return (*blocks[:place], *draw(_other(blocks[place], fresh)), *blocks[place + 1 :])


@st.composite
def _other(draw: st.DrawFn, block: Block, fresh: int) -> Blocks:
    match block:
        case Plain(step):
            body: Blocks = (Plain(f"n{fresh}"),)
            return draw(
                st.sampled_from(
                    [
                        (),
                        (Plain(f"n{fresh}"),),
                        (Foreach(step, body, f"n{fresh + 1}"),),
                        (Split(step, (body, (Plain(f"n{fresh + 2}"),)), f"n{fresh + 1}"),),
                        (Loop((), step),),
                    ]
                )
            )
        case Split(step, branches, join):
            more = replace(block, branches=(*branches, (Plain(f"n{fresh}"),)))
            fewer = (
                replace(block, branches=branches[:-1])
                if len(branches) > 2
                else replace(block, join=f"n{fresh}")
            )
            return draw(st.sampled_from([(more,), (fewer,), (replace(block, branches=branches[::-1]),)]))
        case Foreach(step, body, join):
            other = Split(step, (body, (Plain(f"n{fresh}"),)), join)
            return draw(
                st.sampled_from(
                    [(replace(block, variable="ys"),), (replace(block, step=f"n{fresh}"),), (other,)]
                )
            )
        case Switch(step=step, cases=cases):
            fewer = tuple(
                (f"d{place}" if place == 0 else case, body) for place, (case, body) in enumerate(cases)
            )
            swapped = tuple(zip((case for case, _ in cases), (body for _, body in cases[::-1]), strict=True))
            return draw(
                st.sampled_from(
                    [
                        (replace(block, condition="u"),),
                        (replace(block, cases=fewer),),
                        (replace(block, cases=swapped),),
                        (replace(block, merge=f"n{fresh}"),),
                    ]
                )
            )
        case Loop(body, test):
            return draw(st.sampled_from([(*body, Plain(test)), (replace(block, test=f"n{fresh}"),)]))


# What the tree says about where a step stands


def scopes(
    blocks: Blocks, around: tuple[tuple[str, ...], ...] = ((), ())
) -> dict[str, tuple[tuple[str, ...], ...]]:
    """For each step between start and end the foreaches and the loops around it."""
    found: dict[str, tuple[tuple[str, ...], ...]] = {}
    for block in blocks:
        inner = around
        if isinstance(block, Foreach):
            inner = ((*around[0], block.step), around[1])
        if isinstance(block, Loop):
            inner = (around[0], (*around[1], first_step(block)))
            found[block.test] = inner
        else:
            found[block.step] = around
        found |= {
            name: around for name in (getattr(block, "join", None), getattr(block, "merge", None)) if name
        }
        for part in _inner(block):
            found |= scopes(part, inner)
    return found
