from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from reflow.manifests.read import read
from reflow.manifests.types import FlowRun, Resume
from reflow.values.errors import UsageError

GOOD = """
apiVersion: reflow.dev/v1alpha1
kind: FlowRun
metadata: {name: debug-1}
spec: {flow: DebugFlow, code: {inline: pass}}
---
apiVersion: reflow.dev/v1alpha1
kind: Resume
metadata: {name: debug-2}
spec: {originRef: {name: debug-1}}
"""


def test_a_file_of_two_gives_two_in_order(tmp_path: Path) -> None:
    file = tmp_path / "both.yaml"
    file.write_text(GOOD)
    first, second = read(str(file))
    assert isinstance(first.manifest, FlowRun)
    assert isinstance(second.manifest, Resume)
    assert second.where == f"{file}:7 (Resume debug-2)"


def test_all_that_is_wrong_with_a_file_is_said_at_once(tmp_path: Path) -> None:
    file = tmp_path / "both.yaml"
    file.write_text(GOOD.replace("flow:", "flwo:").replace("originRef", "orignRef"))
    with pytest.raises(UsageError) as caught:
        read(str(file))
    message = str(caught.value)
    assert "spec.flwo: there is no such field. Did you mean flow?" in message
    assert "spec.orignRef: there is no such field. Did you mean originRef?" in message
    assert caught.value.exit_code == 2


def test_what_the_operator_imports_brings_in_neither_yaml_nor_jsonschema() -> None:
    code = (
        "import sys; from reflow.manifests import dump, overrides, parse, types;"
        "print(sorted({'yaml', 'jsonschema'} & set(sys.modules)))"
    )
    runtime = Path(__file__).resolve().parents[3] / "runtime"
    ran = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(runtime)},
    )
    assert ran.stdout.strip() == "[]"
