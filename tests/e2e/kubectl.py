"""kubectl and helm, as a user types them, bounded in time; with what they printed in every complaint."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parents[2]
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shell:
    """Runs commands against the test cluster. `environment`: what the cluster says of itself."""

    environment: Mapping[str, str]

    def run(
        self, *command: str, stdin: str | None = None, timeout: float = 120, cwd: Path = REPO
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
            env={**os.environ, **self.environment},
            cwd=cwd,
        )

    def must(self, *command: str, stdin: str | None = None, timeout: float = 120) -> str:
        ran = self.run(*command, stdin=stdin, timeout=timeout)
        assert ran.returncode == 0, f"$ {' '.join(command)}\n{ran.stdout}\n{ran.stderr}"
        return ran.stdout

    def watch(self, *what: str, until: Callable[[Json], bool], timeout: float, namespace: str) -> Json:
        """The first state of an object (`what`: such as `flowrun/debug-1`) for which `until` holds."""
        command = ["kubectl", "-n", namespace, "get", *what, "-o", "json", "--watch"]
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **self.environment},
        )
        clock = threading.Timer(timeout, process.kill)
        clock.start()
        last: Json = {}
        try:
            assert process.stdout is not None
            for last in _documents(process.stdout.fileno()):
                if until(last):
                    return last
        finally:
            clock.cancel()
            process.kill()
            _, errors = process.communicate()
        status = json.dumps(last.get("status"), indent=1)
        raise AssertionError(
            f"{' '.join(what)} wasn't as wanted in {timeout:.0f} s; at last: {status} {errors}"
        )


def _documents(descriptor: int) -> Iterator[Json]:
    """JSON documents, one behind the other, as they come."""
    decoder = json.JSONDecoder()
    text = ""
    while data := os.read(descriptor, 1 << 20):
        text += data.decode()
        while text:
            try:
                document, end = decoder.raw_decode(text)
            except ValueError:
                break
            yield document
            text = text[end:].lstrip()
