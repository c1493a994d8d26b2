"""A real browser without a network, spoken to over two pipes: what a page shows, asks for and complains about."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.cluster import debian
from tests.cluster.shell import ClusterError

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PACKAGE = {"chromium-headless-shell": "/usr/bin/chromium-headless-shell"}  # Debian's, and its program
PATIENCE = 60.0  # seconds for an answer


def found() -> str | None:
    """The program of a Chromium on this machine. CI's gets one."""
    if not any(map(shutil.which, NAMES)) and os.environ.get("CI"):
        with suppress(ClusterError):
            debian.install(PACKAGE)
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@dataclass
class Seen:
    """`complaints`: errors on the page's console, and what a policy forbade; `asked`: addresses it asked for, but
    itself and what is within it."""

    complaints: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


class Page:
    """One page in the browser."""

    def __init__(self, receive: int, send: int) -> None:
        self._receive, self._send = receive, send
        self._buffer = b""
        self._number = 0
        self._session: str | None = None
        self._events: list[dict[str, Any]] = []
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable")

    def open(self, file: Path) -> Seen:
        """Load the file; what it did until it was there."""
        self._events.clear()
        self._call("Page.navigate", url=file.as_uri())
        while not any(one["method"] == "Page.loadEventFired" for one in self._events):
            self._take()
        self.evaluate("new Promise(done => setTimeout(done, 0))")  # what scripts of the page would have begun
        return self._seen(file)

    def evaluate(self, expression: str) -> Any:
        """JavaScript's value, from outside of the page's own scripts."""
        answer = self._call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def _seen(self, file: Path) -> Seen:
        seen = Seen()
        asked: dict[str, str] = {}
        for event in self._events:
            method, told = event["method"], event["params"]
            if method == "Log.entryAdded" and told["entry"]["level"] in ("error", "warning"):
                seen.complaints.append(told["entry"]["text"])
            elif method == "Runtime.consoleAPICalled":
                seen.complaints.append(str(told["args"]))
            elif method == "Runtime.exceptionThrown":
                seen.complaints.append(str(told["exceptionDetails"]))
            elif method == "Network.requestWillBeSent":
                url = told["request"]["url"]
                if url != file.as_uri() and not url.startswith("data:"):
                    asked[told["requestId"]] = url
            elif method == "Network.loadingFailed" and told.get("blockedReason") == "csp":
                asked.pop(told["requestId"], None)  # it stayed in the browser
        seen.asked.extend(asked.values())
        return seen

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        number = self._number
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._send, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._take()
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return dict(answer["result"])

    def _take(self) -> dict[str, Any]:
        """The next message; one that is no answer is kept."""
        until = time.monotonic() + PATIENCE
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._receive], [], [], max(until - time.monotonic(), 0))
            part = os.read(self._receive, 1 << 16) if ready else b""
            assert part, "the browser ended, or gave no answer"
            self._buffer += part
        text, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        if "method" in message:
            self._events.append(message)
        return message


@contextmanager
def browser(program: str, profile: Path) -> Iterator[Page]:
    """A browser with a profile of its own, which reaches no address."""
    from_us, to_browser = os.pipe()
    to_us, from_browser = os.pipe()
    options = (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--remote-debugging-pipe",
        f"--user-data-dir={profile}",
        "--host-resolver-rules=MAP * ~NOTFOUND",
        "--proxy-server=127.0.0.1:9",
        "--window-size=1000,900",
    )
    process = subprocess.Popen(
        ["bash", "-c", f'exec "$@" 3<&{from_us} 4>&{from_browser}', "browser", program, *options],
        pass_fds=(from_us, from_browser),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    os.close(from_us)
    os.close(from_browser)
    try:
        yield Page(to_us, to_browser)
    finally:
        process.kill()
        process.wait(PATIENCE)
        os.close(to_browser)
        os.close(to_us)
