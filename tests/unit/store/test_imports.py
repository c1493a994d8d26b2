"""What a task's process imports of the store."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

RUNTIME = Path(__file__).parents[3] / "runtime"
HEAVY = {
    "asyncio",
    "concurrent.futures",
    "dataclasses",
    "email",
    "http.client",
    "inspect",
    "importlib.metadata",
    "logging",
    "minio",
    "socket",
    "ssl",
    "subprocess",
    "tempfile",
    "threading",
    "tomllib",
    "urllib.request",
    "xml.etree.ElementTree",
    "zipfile",
}


def imported(code: str) -> set[str]:
    script = f"import sys; sys.path.insert(0, {str(RUNTIME)!r}); {code}; print(*sys.modules)"
    command = [sys.executable, "-I", "-S", "-c", script]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


def test_a_folder_store_brings_nothing_heavy(tmp_path: Path) -> None:
    found = imported(
        "from reflow.store.flowstore import FlowStore; from reflow.store.open import open_store;"
        f"flow = FlowStore(open_store({str(tmp_path / 's')!r}), 'F');"
        "ref = flow.dump(bytes(10**6), budget=0); flow.load(ref, name='x');"
        "list(flow.objects.list(''))"
    )
    assert found & HEAVY == set()


def test_a_slim_s3_store_is_made_without_a_connection_or_anything_heavy() -> None:
    found = imported(
        "import os; os.environ.update(AWS_ACCESS_KEY_ID='k', AWS_SECRET_ACCESS_KEY='s');"
        "from reflow.store.open import open_store; open_store('s3://bucket/p?endpoint=http://127.0.0.1:9')"
    )
    assert found & HEAVY == set()
