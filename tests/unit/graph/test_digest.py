"""What changes a graph's digest, and what doesn't."""

from __future__ import annotations

import pytest

from reflow.graph.build import from_text
from reflow.graph.digest import digest
from tests.unit.graph.writing import graph, write

LINES = ("start -> a, b", "a -> j", "b -> j", "j* -> end")


def test_lines_docs_decorators_and_order_do_not_count() -> None:
    text = write(*LINES).replace("@step", "@retry(times=2)\n    @step", 1).replace("pass", "'doc'")
    text = text.replace("import FlowSpec, step", "import FlowSpec, retry, step")
    assert digest(from_text(text, "f.py").graph) == digest(graph(*LINES))
    assert digest(graph(*LINES)) == digest(graph(LINES[0], *LINES[:0:-1]))


@pytest.mark.parametrize(
    "lines",
    [
        ("start -> b, a", *LINES[1:]),
        ("start -> a, b, c", *LINES[1:3], "c -> j", LINES[3]),
        ("start -> a foreach xs", "a -> j", "j* -> end"),
        ("start -> x: a, y: b switch v", "a -> j", "b -> j", "j -> end"),
    ],
)
def test_what_steers_the_run_counts(lines: tuple[str, ...]) -> None:
    assert digest(graph(*lines)) != digest(graph(*LINES))


def test_variables_and_cases_count() -> None:
    assert digest(graph("start -> a foreach xs", "a -> j", "j* -> end")) != digest(
        graph("start -> a foreach ys", "a -> j", "j* -> end")
    )
    assert digest(graph("start -> x: a, y: end switch v", "a -> end")) != digest(
        graph("start -> x: a, z: end switch v", "a -> end")
    )


def test_the_digest_is_fixed_for_ever_since_manifests_keep_it() -> None:
    assert digest(graph(*LINES)) == "8c33937cead2a1476ca0c5af74d059b12d7a0c8fec3a33bf7f095c3888ca6204"
