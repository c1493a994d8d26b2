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

    def plays(self, *arguments: str, code: int, timeout: float = 90) -> str:
        """`python …`, which must end with that exit code. What it printed."""
        ran = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=self.bucket.laptop(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert ran.returncode == code, f"$ python {' '.join(arguments)}\n{ran.stdout}"
        return ran.stdout
