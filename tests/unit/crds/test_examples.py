"""The examples are manifests that hold, and their inline code is the file beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from reflow.graph.build import Built, from_text
from reflow.manifests.read import read
from reflow.manifests.types import FlowRun, Inline, Resume

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
FLOWRUNS = sorted(EXAMPLES.glob("*/flowrun.yaml"))
DEBUG = EXAMPLES / "debug"


def flowrun(file: Path) -> FlowRun:
    (found,) = read(str(file))
    assert isinstance(found.manifest, FlowRun)
    return found.manifest


def inline(code: object) -> Inline:
    assert isinstance(code, Inline)
    return code


def built(code: Inline) -> Built:
    return from_text(code.text, code.script)


def test_there_are_examples() -> None:
    assert {file.parent.name for file in FLOWRUNS} >= {"debug", "hello", "foreach", "parameters"}


@pytest.mark.parametrize("file", FLOWRUNS, ids=lambda file: file.parent.name)
def test_a_flowruns_code_is_the_file_beside_it_and_the_flow_that_it_names(file: Path) -> None:
    spec = flowrun(file).spec
    code = inline(spec.code)
    assert code.text == (file.parent / code.script).read_text()
    assert built(code).graph.flow == spec.flow


@pytest.mark.parametrize("file", FLOWRUNS, ids=lambda file: file.parent.name)
def test_a_flowrun_sets_only_parameters_that_its_flow_has(file: Path) -> None:
    spec = flowrun(file).spec
    assert set(spec.parameters) <= {parameter.name for parameter in built(inline(spec.code)).parameters}


@pytest.mark.parametrize("file", FLOWRUNS, ids=lambda file: file.parent.name)
def test_a_flowrun_needs_no_image_but_the_default(file: Path) -> None:
    # So that the examples run on any cluster whose operator has a default image.
    assert flowrun(file).spec.image is None


def test_the_resume_goes_on_from_the_failing_run_with_nothing_changed_but_the_fix() -> None:
    failing = flowrun(DEBUG / "flowrun.yaml")
    (found,) = read(str(DEBUG / "resume.yaml"))
    assert isinstance(found.manifest, Resume)
    assert found.manifest.spec.origin_ref == failing.meta.name
    assert found.manifest.meta.name != failing.meta.name
    fixed = inline(found.manifest.spec.code)
    assert fixed.text == inline(failing.spec.code).text.replace("int('2fail')", "int('2')")
    assert built(fixed).graph.flow == failing.spec.flow


def test_the_seeds_file_is_the_same_but_for_its_import() -> None:
    ours, seeds = ((DEBUG / name).read_text() for name in ("debug.py", "debug_metaflow.py"))
    assert seeds.replace("from metaflow import", "from reflow import") == ours
    assert ours != seeds
