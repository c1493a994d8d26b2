"""A command on a terminal of its own, and somebody who types into it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from types import TracebackType

from tests.integration.local.laptop import PATIENCE, Laptop

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\x1b\][^\x07]*\x07")
KEYS = {"Ctrl-C": b"\x03", "Ctrl-D": b"\x04"}


class Typist:
    """`python …` on a pseudo-terminal, which it controls as a shell's foreground command does."""

    def __init__(self, laptop: Laptop, *arguments: str, environ: dict[str, str] | None = None) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
        self.raw = ""
        self.screen = ""
        self._seen = 0
        self._process = subprocess.Popen(
            [laptop.python, *arguments],
            cwd=laptop.folder,
            env={**laptop._environment(), "TERM": "xterm", **(environ or {})},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)

    def sees(self, text: str, timeout: float = PATIENCE) -> str:
        """Wait until the text is on the screen, after what was seen before; what came up to it."""
        until = time.monotonic() + timeout
        while (place := self.screen.find(text, self._seen)) < 0:
            if time.monotonic() > until or not self._read(max(0.0, until - time.monotonic())):
                raise AssertionError(f"{text!r} didn't appear. The screen:\n{self.screen}")
        found = self.screen[self._seen : place]
        self._seen = place + len(text)
        return found

    def resizes(self, columns: int) -> None:
        """The window gets so many columns."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))

    def types(self, line: str) -> None:
        """A line with Enter, or a key by its name."""
        os.write(self._master, KEYS.get(line) or line.encode() + b"\r")

    def ends(self, timeout: float = PATIENCE) -> int:
        """Wait for the command's end; its exit code."""
        until = time.monotonic() + timeout
        while self._read(max(0.0, until - time.monotonic())):
            if time.monotonic() > until:
                raise AssertionError(f"It doesn't end. The screen:\n{self.screen}")
        return self._process.wait(timeout)

    def _read(self, timeout: float) -> bool:
        """False once nobody has the terminal any more."""
        if not select.select([self._master], [], [], timeout)[0]:
            return True
        try:
            data = os.read(self._master, 1 << 16)
        except OSError:
            return False
        text = data.decode("utf-8", "replace")
        self.raw += text
        self.screen += _ESCAPES.sub("", text)
        return bool(data)

    def __enter__(self) -> Typist:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10)
        os.close(self._master)
