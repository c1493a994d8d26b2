"""Commands on the laptop, against the bucket that the cluster writes to."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.bucket import Bucket


@dataclass(frozen=True)
class Laptop:
    """`folder`: where the user sits."""

    folder: Path
    bucket: Bucket

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def plays(self, *command: str, code: int, timeout: float = 90) -> str:
        """`python …` or `reflow …`, which must end with that exit code. What it printed."""
        ran = subprocess.run(
            [str(Path(sys.executable).parent / command[0]), *command[1:]],
            cwd=self.folder,
            env=self.bucket.laptop(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert ran.returncode == code, f"$ {' '.join(command)}\n{ran.stdout}"
        return ran.stdout
