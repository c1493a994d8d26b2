"""The launcher's end of a fork server: one per run, so that a script's imports are paid for once."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable
from types import TracebackType

from reflow.task.child import digest_of
from reflow.task.load import LoadedScript, Unloadable
from reflow.task.messages import Connection
from reflow.task.randomness import Seeding
from reflow.task.serve import NUMBER, serve
from reflow.task.spawn import exec_python, fork, runtime_path
from reflow.task.spec import TaskSpec
from reflow.values.errors import ReflowError


class ForkedChild:
    """A child of the fork server, heard of through its status pipe."""

    def __init__(self, status: int) -> None:
        self.pid: int | None = None
        self.status: int | None = None
        self.lost = ""
        self._pipe = status
        os.set_blocking(status, False)
        self._heard = b""

    def fileno(self) -> int:
        return self._pipe

    def update(self) -> None:
        try:
            data = os.read(self._pipe, 2 * NUMBER.size)
        except BlockingIOError:
            return
        self._heard += data
        if not data and self.status is None:
            self.lost = "the fork server is gone"
        if len(self._heard) >= NUMBER.size:
            self.pid = NUMBER.unpack_from(self._heard)[0]
        if len(self._heard) >= 2 * NUMBER.size:
            self.status = NUMBER.unpack_from(self._heard, NUMBER.size)[0]

    def close(self) -> None:
        os.close(self._pipe)


class ForkServer:
    """Starts tasks of one script by forking a process that has loaded it. Close it, or leave its context, at the end.

    `forbidden` says why forking isn't safe with this script, and is empty where it is.
    """

    def __init__(self, connection: Connection, pid: int) -> None:
        self._connection = connection
        self._pid = pid
        self.forbidden = self._greeting()

    @staticmethod
    def launch(script: str | os.PathLike[str], *, alias: bool = False, flow: str = "") -> ForkServer:
        """Start a new Python that loads the script. Raises Unloadable where it doesn't."""
        ours, theirs = socket.socketpair()
        null = os.open(os.devnull, os.O_RDWR)
        try:
            environment = {**os.environ, **runtime_path(os.environ.get("PYTHONPATH"))}
            arguments = ["3", os.fspath(script), "1" if alias else "0", flow]
            pid = exec_python("reflow.task.serve", arguments, environment, null, null, {3: theirs.fileno()})
        finally:
            theirs.close()
            os.close(null)
        return ForkServer(Connection(ours), pid)

    @staticmethod
    def branch_off(loaded: LoadedScript, detach: Callable[[], object] = os.setsid) -> ForkServer:
        """Fork this process, which has loaded the script and started no threads: saves loading it again."""
        ours, theirs = socket.socketpair()
        null = os.open(os.devnull, os.O_RDWR)
        errors = os.dup(null)
        try:
            pid = fork(lambda: _branch(theirs, loaded), null, errors, (ours.fileno(),), detach)
        finally:
            theirs.close()
            os.close(null)
            os.close(errors)
        return ForkServer(Connection(ours), pid)

    def _greeting(self) -> str:
        received = self._connection.receive()
        if received is None:
            self._connection.close()
            status = os.waitpid(self._pid, 0)[1]
            raise ReflowError(
                f"The script's process ended while it loaded the script ({describe_status(status)}), before any task."
            )
        message, _ = received
        if "unloadable" in message:
            self.close()
            raise Unloadable(message["unloadable"], traceback=message["traceback"])
        return str(message["forbidden"])

    def spawn(self, spec: TaskSpec, stdout: int, stderr: int, control: int) -> ForkedChild:
        """Ask for a child; its pid is heard of later. Raises OSError where the server is gone."""
        reader, writer = os.pipe()
        try:
            self._connection.send(spec.to_json(), [stdout, stderr, control, writer])
        except OSError:
            os.close(reader)
            raise
        finally:
            os.close(writer)
        return ForkedChild(reader)

    def close(self) -> None:
        """Ends the server, and whatever still runs there."""
        self._connection.close()
        if self._pid:
            os.waitpid(self._pid, 0)
            self._pid = 0

    def __enter__(self) -> ForkServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _branch(connection: socket.socket, loaded: LoadedScript) -> None:
    sys.argv[:] = [os.path.abspath(loaded.script)]
    serve(Connection(connection), loaded, digest_of(loaded), Seeding())


def describe_status(status: int) -> str:
    """A wait status in words: `exit code 3`, `SIGSEGV`."""
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
