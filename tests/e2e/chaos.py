"""Harm done to the operator and to Pods, as it comes in real life."""

from __future__ import annotations

import json
import os
import random
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.e2e.site import Site, Team


def operator_processes(site: Site) -> list[int]:
    """The operators' process ids as this machine sees them; none where the cluster's processes aren't ours."""
    found = site.shell.must(
        "kubectl", "-n", site.system, "get", "pods", "-l", "app.kubernetes.io/name=reflow", "-o", "json"
    )
    uids = [str(pod["metadata"]["uid"]) for pod in json.loads(found)["items"]]
    marks = [mark for uid in uids for mark in (uid, uid.replace("-", "_"))]
    return [int(entry.name) for entry in Path("/proc").iterdir() if _is_operator(entry, marks)]


def _is_operator(entry: Path, marks: list[str]) -> bool:
    if not entry.name.isdigit():
        return False
    with suppress(OSError):
        groups = (entry / "cgroup").read_text()
        return (
            any(mark in groups for mark in marks) and b"reflow_operator" in (entry / "cmdline").read_bytes()
        )
    return False


def kill_operators(site: Site) -> int:
    """SIGKILL to every operator, at once. How many there were."""
    processes = operator_processes(site)
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    return len(processes)


def delete_operators(site: Site) -> None:
    """Their Pods vanish without a goodbye; the Deployment makes new ones."""
    site.shell.must(
        "kubectl", "-n", site.system, "delete", "pods", "-l", "app.kubernetes.io/name=reflow",
        "--grace-period=0", "--force", "--wait=false",
    )  # fmt: skip


def scale_operator(site: Site, replicas: int) -> None:
    site.shell.must("kubectl", "-n", site.system, "scale", "deployment/reflow", f"--replicas={replicas}")


@dataclass
class Chaos:
    """Picks what to do by a seed. `done`: what was done, for the report."""

    site: Site
    team: Team
    seed: int
    harms_pods: bool
    done: list[str] = field(default_factory=list)
    kills: int = 0
    two: bool = False

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def pause(self) -> float:
        """Seconds until the next harm."""
        return self.random.uniform(0.5, 6.0)

    def strike(self) -> None:
        """One harm."""
        choices: list[Callable[[], str]] = [self._kill, self._kill, self._delete, self._two]
        if self.harms_pods:
            choices += [self._lose_pod, self._delete_pod] * 2
        self.done.append(self.random.choice(choices)())

    def _kill(self) -> str:
        # A container that dies often is started again later and later; a new Pod isn't.
        self.kills += 1
        if self.kills % 3 == 0 or not kill_operators(self.site):
            return self._delete()
        return "operator killed"

    def _delete(self) -> str:
        delete_operators(self.site)
        return "operator's Pod vanished"

    def _two(self) -> str:
        self.two = not self.two
        scale_operator(self.site, 2 if self.two else 1)
        return "two operators" if self.two else "one operator"

    def _lose_pod(self) -> str:
        return self._on_a_pod("vanished", "--grace-period=0", "--force")

    def _delete_pod(self) -> str:
        return self._on_a_pod("deleted")

    def _on_a_pod(self, what: str, *how: str) -> str:
        pods = [pod["metadata"]["name"] for pod in self.team.pods()]
        if not pods:
            return "no Pod to harm"
        pod = self.random.choice(sorted(pods))
        self.team.tries("delete", "pod", pod, "--wait=false", *how)
        return f"Pod {pod} {what}"
