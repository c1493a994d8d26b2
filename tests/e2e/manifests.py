"""FlowRuns and Resumes as the tests make them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.e2e.kubectl import REPO, Json

FLOWS = Path(__file__).resolve().parent / "flows"
EXAMPLES = REPO / "examples"


def flow(name: str) -> str:
    """The text of one of the suite's flows."""
    return (FLOWS / f"{name}.py").read_text()


def flowrun(name: str, of: str, text: str | None = None, **spec: Any) -> Json:
    """`of`: the flow's name; `text`: its file, inline, unless `spec` has other code."""
    code = {"code": {"inline": text, "script": "flow.py"}} if text is not None else {}
    return _object("FlowRun", name, {"flow": of, **code, **spec})


def resume(name: str, origin: str | None = None, text: str | None = None, **spec: Any) -> Json:
    """`origin`: a FlowRun's name, unless `spec` names a run."""
    ref = {"originRef": {"name": origin}} if origin else {}
    code = {"code": {"inline": text, "script": "flow.py"}} if text is not None else {}
    return _object("Resume", name, {**ref, **code, **spec})


def _object(kind: str, name: str, spec: Json) -> Json:
    return {
        "apiVersion": "reflow.dev/v1alpha1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": spec,
    }
