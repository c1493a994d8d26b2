"""An IDE, as far as a debugger sees it: the Debug Adapter Protocol, spoken to debugpy's own adapter."""

from __future__ import annotations

import json
import os
import queue
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from tests.integration.local.laptop import PYTHON, Laptop

PATIENCE = 60.0  # seconds for one answer


class Session:
    """One conversation with the adapter: about the launched process, or about one that it has started."""

    def __init__(self, reader: IO[bytes], writer: IO[bytes], close: Callable[[], None]) -> None:
        self._reader = reader
        self._writer = writer
        self.close = close
        self._count = 0
        self._messages: queue.Queue[dict[str, Any]] = queue.Queue()
        self._waiting: list[dict[str, Any]] = []
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        with suppress(OSError, ValueError):
            while line := self._reader.readline():
                length = 0
                while line.strip():
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                    line = self._reader.readline()
                self._messages.put(json.loads(self._reader.read(length)))
        self._messages.put({"type": "closed"})

    def end(self) -> None:
        """The other end is gone, or goes by this."""
        self.close()
        self._thread.join(PATIENCE)
        for stream in (self._reader, self._writer):
            with suppress(OSError):
                stream.close()

    def send(self, kind: str, **body: Any) -> int:
        self._count += 1
        data = json.dumps({"seq": self._count, "type": kind, **body}).encode()
        self._writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(data), data))
        self._writer.flush()
        return self._count

    def ask(self, command: str, **arguments: Any) -> dict[str, Any]:
        """A request, and its answer's body."""
        number = self.begin(command, **arguments)
        return self.answer(number)

    def begin(self, command: str, **arguments: Any) -> int:
        return self.send("request", command=command, arguments=arguments)

    def answer(self, number: int) -> dict[str, Any]:
        found = self.wait(lambda m: m["type"] == "response" and m["request_seq"] == number)
        assert found["success"], found
        body: dict[str, Any] = found.get("body") or {}
        return body

    def event(self, name: str) -> dict[str, Any]:
        found = self.wait(lambda m: m["type"] == "event" and m["event"] == name)
        body: dict[str, Any] = found.get("body") or {}
        return body

    def wait(self, wanted: Callable[[dict[str, Any]], bool], timeout: float = PATIENCE) -> dict[str, Any]:
        """The first message that is wanted; the others wait for whoever wants them."""
        until = time.monotonic() + timeout
        for message in self._waiting:
            if wanted(message):
                self._waiting.remove(message)
                return message
        while True:
            try:
                message = self._messages.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"It isn't said. Said was: {self._waiting}") from None
            if message["type"] == "closed":
                self._messages.put(message)
                raise EOFError
            if wanted(message):
                return message
            self._waiting.append(message)

    def configure(self, begin: Callable[[], int], breakpoints: dict[Path, list[int]]) -> None:
        """From `initialize` to where the program runs, as an IDE does it."""
        self.ask(
            "initialize",
            clientID="test",
            adapterID="debugpy",
            pathFormat="path",
            linesStartAt1=True,
            columnsStartAt1=True,
            supportsRunInTerminalRequest=True,
            supportsStartDebuggingRequest=False,
        )
        number = begin()
        self._until_initialized()
        for file, lines in breakpoints.items():
            self.ask("setBreakpoints", source={"path": str(file)}, breakpoints=[{"line": n} for n in lines])
        self.ask("setExceptionBreakpoints", filters=[])
        self.ask("configurationDone")
        self.answer(number)

    def _until_initialized(self) -> None:
        self.event("initialized")

    # What a user does with the stopped program

    def stopped(self) -> tuple[int, dict[str, Any]]:
        """Wait for a stop: the thread, and its innermost frame."""
        thread = self.event("stopped")["threadId"]
        return thread, self.ask("stackTrace", threadId=thread)["stackFrames"][0]

    def locals(self, frame: dict[str, Any]) -> dict[str, str]:
        scopes = self.ask("scopes", frameId=frame["id"])["scopes"]
        found = self.ask("variables", variablesReference=scopes[0]["variablesReference"])["variables"]
        return {variable["name"]: variable["value"] for variable in found}

    def evaluate(self, text: str, frame: dict[str, Any]) -> str:
        return str(self.ask("evaluate", expression=text, frameId=frame["id"], context="repl")["result"])


class Ide:
    """Launches a configuration of a launch.json in a folder."""

    def __init__(self, laptop: Laptop) -> None:
        self._laptop = laptop
        self._terminals: list[subprocess.Popen[bytes]] = []
        self._sessions: list[Session] = []
        self._adapter: subprocess.Popen[bytes] | None = None
        self.output = laptop.folder / "terminal.txt"

    def launch(self, configuration: dict[str, Any], breakpoints: dict[Path, list[int]]) -> Session:
        """The session of the launched process."""
        folder = str(self._laptop.folder)
        text = json.dumps(configuration).replace("${workspaceFolder}", folder)
        given = {**json.loads(text), "cwd": folder, "python": [PYTHON]}
        self._adapter = subprocess.Popen(
            [PYTHON, "-m", "debugpy.adapter"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=self._laptop._environment(),
            start_new_session=True,
        )
        assert self._adapter.stdin
        assert self._adapter.stdout
        session = Session(self._adapter.stdout, self._adapter.stdin, lambda: None)
        self._sessions.append(session)

        def begin() -> int:
            number = session.begin("launch", **given)
            self._open_terminal(session)
            return number

        session.configure(begin, breakpoints)
        return session

    def _open_terminal(self, session: Session) -> None:
        asked = session.wait(lambda m: m["type"] == "request" and m["command"] == "runInTerminal")
        given = asked["arguments"]
        with self.output.open("ab") as out:
            process = subprocess.Popen(
                given["args"],
                cwd=given["cwd"],
                env={**self._laptop._environment(), **given.get("env", {})},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        self._terminals.append(process)
        session.send(
            "response",
            request_seq=asked["seq"],
            success=True,
            command="runInTerminal",
            body={"processId": process.pid},
        )

    def child(self, parent: Session, breakpoints: dict[Path, list[int]]) -> Session:
        """The next process that the debugged one has started, attached to."""
        found = parent.event("debugpyAttach")
        return self.attach(found, breakpoints)

    def attach(self, configuration: dict[str, Any], breakpoints: dict[Path, list[int]]) -> Session:
        place = configuration["connect"]
        connection = socket.create_connection((place["host"], place["port"]), timeout=PATIENCE)
        connection.settimeout(None)
        session = Session(connection.makefile("rb"), connection.makefile("wb"), lambda: _hang_up(connection))
        self._sessions.append(session)
        session.configure(lambda: session.begin("attach", **configuration), breakpoints)
        return session

    def ends(self) -> int:
        return self._terminals[-1].wait(PATIENCE)

    def __enter__(self) -> Ide:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in [*self._terminals, *([self._adapter] if self._adapter else [])]:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
        for session in self._sessions:
            session.end()


def _hang_up(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
