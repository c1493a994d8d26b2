"""The fork server's own process: it has loaded the user's script once, and forks a child for each task.

One thread, one loop. It hears requests on a socket, its children's ends by SIGCHLD; when the socket closes, its
launcher is gone, and it ends its children and itself. `python -m reflow.task.serve FD SCRIPT ALIAS FLOW` starts it.

A request is a TaskSpec, with four descriptors: output, errors, control, status. Into `status` go the child's pid and,
at its end, its wait status, four bytes each.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import struct
import sys
import time
from contextlib import suppress

from reflow.task.child import digest_of, finish, prepare_output, run_task
from reflow.task.ground import Ground, GroundKeeper
from reflow.task.load import LoadedScript, Unloadable, load_script
from reflow.task.messages import Connection
from reflow.task.randomness import Seeding, reseed, watching_seeds
from reflow.task.sharing import unshareable
from reflow.task.spawn import fork_task, reap, signal_group
from reflow.task.spec import TaskSpec
from reflow.task.terminal import ready
from reflow.values.errors import ReflowError

NUMBER = struct.Struct("!i")
GRACE = 2.0  # seconds for the children when the launcher is gone


def main(arguments: list[str]) -> None:
    """Load the script, say how that went, serve."""
    descriptor, script, alias, flow = arguments
    connection = Connection(socket.socket(fileno=int(descriptor)))
    try:
        with watching_seeds() as seeding:
            loaded = load_script(script, alias=alias == "1", flow_class=flow or None)
        digest = digest_of(loaded)
    except Unloadable as error:
        connection.send({"unloadable": str(error), "traceback": error.traceback})
        return
    serve(connection, loaded, digest, seeding)


def serve(connection: Connection, loaded: LoadedScript, digest: str, seeding: Seeding) -> None:
    """Answer requests until the launcher is gone."""
    why_not = forking_forbidden()
    connection.send({"ready": True, "forbidden": why_not})
    if not why_not:
        import gc

        prepare_output()
        gc.collect()
        gc.freeze()  # what the script loaded stays shared with the children
        Server(connection, loaded, digest, seeding).loop()


def forking_forbidden() -> str:
    """Why a fork of this process isn't safe; "" where it is. A thread may hold a lock that no child ever gets."""
    threading = sys.modules.get("threading")
    if threading is None or threading.active_count() <= 1:
        return unshareable()
    names = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
    return f"the script starts threads while it loads ({', '.join(names)})"


class Server:
    """The loop, and the children that run."""

    def __init__(self, connection: Connection, loaded: LoadedScript, digest: str, seeding: Seeding) -> None:
        self._connection = connection
        self._loaded = loaded
        self._digest = digest
        self._seeding = seeding
        self._grounds = GroundKeeper()
        self._children: dict[int, int] = {}  # pid → where its status goes
        self._woken, self._waker = os.pipe()
        for descriptor in (self._woken, self._waker):
            os.set_blocking(descriptor, False)

    def loop(self) -> None:
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the launcher's to handle
        signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        with selectors.DefaultSelector() as selector:
            self._own = (self._connection.fileno(), self._woken, self._waker, selector.fileno())
            selector.register(self._connection, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while self._turn(selector):
                pass
        self._end_children()

    def _turn(self, selector: selectors.BaseSelector) -> bool:
        """Wait for what's next and do it. False once the launcher is gone."""
        ready = {key.fd for key, _ in selector.select()}
        if self._woken in ready:
            os.read(self._woken, 4096)
            self._reap()
        if self._connection.fileno() in ready:
            received = self._connection.receive()
            if received is None:
                return False
            self._start(*received)
        return True

    def _start(self, message: dict[str, object], descriptors: list[int]) -> None:
        stdout, stderr, control, status = descriptors
        try:
            spec = TaskSpec.from_json(message)
            ground = self._grounds.ground_for(spec)
            others = (*self._own, *self._children.values(), status)
            pid = fork_task(lambda: self._work(spec, ground, control), stdout, stderr, others)
            self._children[pid] = status
            os.write(status, NUMBER.pack(pid))
        except (OSError, ReflowError) as error:
            os.write(2, f"No process can be forked: {error}\n".encode())
            os.close(status)
        finally:
            for descriptor in (stdout, stderr, control):
                os.close(descriptor)

    def _work(self, spec: TaskSpec, ground: Ground | None, control: int) -> None:
        import gc

        gc.enable()
        reseed(self._seeding)
        ready(spec, control)
        finish(run_task(spec, self._loaded, self._digest, ground, control), control)

    def _reap(self) -> None:
        """Ask for each child of ours by its pid: the script may have started processes of its own."""
        for pid in list(self._children):
            ended = reap(pid)
            if ended is None:
                continue
            status = self._children.pop(pid)
            with suppress(OSError):  # the launcher may have let go of this task
                os.write(status, NUMBER.pack(ended))
            os.close(status)

    def _end_children(self) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            for pid in self._children:
                signal_group(pid, number)
            until = time.monotonic() + GRACE
            while self._children and time.monotonic() < until:
                self._reap()
                time.sleep(0.02)


if __name__ == "__main__":
    main(sys.argv[1:])
