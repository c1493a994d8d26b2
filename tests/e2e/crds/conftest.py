"""A namespace on the test cluster with the CRDs in place."""

from __future__ import annotations

import json
import os
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import cluster
from tests.cluster.shell import ClusterError

CRDS = Path(__file__).resolve().parents[3] / "crds"


@dataclass(frozen=True, slots=True)
class Answer:
    """What kubectl answered. `object`: what the API server would store, where it was taken."""

    taken: bool
    message: str
    object: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Kubectl:
    """kubectl in one namespace of the test cluster."""

    environment: Mapping[str, str]
    namespace: str

    def __call__(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["kubectl", "-n", self.namespace, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env={**os.environ, **self.environment},
        )

    def must(self, *arguments: str, stdin: str | None = None) -> str:
        ran = self(*arguments, stdin=stdin)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def asked(self, obj: Mapping[str, Any]) -> Answer:
        """Whether the API server would take a new object, as `kubectl apply --validate=strict` asks it."""
        return self._answer("create", "--validate=strict", "-f", "-", stdin=json.dumps(obj))

    def patched(self, kind: str, name: str, spec: Mapping[str, Any]) -> Answer:
        """Whether the API server would take a change to an object's spec."""
        return self._answer("patch", kind, name, "--type=merge", "-p", json.dumps({"spec": spec}))

    def _answer(self, *arguments: str, stdin: str | None = None) -> Answer:
        ran = self(*arguments, "--dry-run=server", "-o", "json", stdin=stdin)
        taken = ran.returncode == 0
        return Answer(taken, ran.stderr, json.loads(ran.stdout) if taken else {})


@pytest.fixture(scope="session")
def kubectl() -> Iterator[Kubectl]:
    """A namespace of its own, gone afterwards; and the CRDs, where they weren't there before."""
    try:
        environment = cluster.environment()
    except ClusterError as error:
        pytest.skip(f"No cluster: {error}")
    found = Kubectl(environment, f"crds-{uuid.uuid4().hex[:8]}")
    there = found("get", "crd", "flowruns.reflow.dev", "resumes.reflow.dev").returncode == 0
    if not there:
        found.must("apply", "-f", str(CRDS))
    found.must("wait", "--for=condition=Established", "--timeout=30s", "-f", str(CRDS))
    found.must("create", "namespace", found.namespace)
    try:
        yield found
    finally:
        found("delete", "flowruns,resumes", "--all", "--timeout=30s")
        found("delete", "namespace", found.namespace, "--wait=false")
        if not there:
            found("delete", "-f", str(CRDS), "--timeout=30s")
