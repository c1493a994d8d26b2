"""Starting a task's process, in three ways that end in the same child: forked here, forked by a server, or fresh."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Protocol

from reflow.task.spec import TaskSpec

RUNTIME_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Child(Protocol):
    """A process that was started, or is about to be."""

    pid: int | None
    """None until it's known."""
    status: int | None
    """As `os.waitpid` gives it, once the process has ended."""
    lost: str
    """Why its end will never be known; else empty."""

    def fileno(self) -> int:
        """Readable when `update` has something to find out."""

    def update(self) -> None:
        """Find out what's new. Never blocks."""

    def close(self) -> None:
        """Let go of descriptors. The process isn't touched."""


class Spawner(Protocol):
    """Starts children. The descriptors are the child's ends; the caller closes them after the call."""

    def spawn(self, spec: TaskSpec, stdout: int, stderr: int, control: int) -> Child:
        """Raises OSError where no process can be started."""

    def __enter__(self) -> Spawner: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def signal_group(pid: int | None, number: int) -> None:
    """Signal a task's process and all that it has started. One that has ended is no error."""
    if pid is not None and pid > 1:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, number)


class DirectChild:
    """A child of this very process."""

    def __init__(self, pid: int) -> None:
        self.pid: int | None = pid
        self.status: int | None = None
        self.lost = ""
        self._process = pid
        self._news = _watch(pid)

    def fileno(self) -> int:
        return self._news

    def update(self) -> None:
        if self.status is None:
            self.status = reap(self._process)

    def close(self) -> None:
        os.close(self._news)


def _watch(pid: int) -> int:
    """A descriptor that becomes readable when the child has ended."""
    if hasattr(os, "pidfd_open"):
        return os.pidfd_open(pid)
    import threading  # macOS: a thread per child waits in its place

    reader, writer = os.pipe()

    def wait() -> None:
        with suppress(AttributeError, ChildProcessError):
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        os.close(writer)

    threading.Thread(target=wait, daemon=True).start()
    return reader


def reap(pid: int) -> int | None:
    """The wait status of a child that has ended, None where it hasn't. What it started and left behind is told to end
    too, as its container's would.

    The group is signalled before the child is reaped: until then nothing else can have its number.
    """
    if hasattr(os, "waitid"):
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
            return None
        signal_group(pid, signal.SIGTERM)
    ended, status = os.waitpid(pid, os.WNOHANG)
    return status if ended else None


class _Closing:
    """A spawner that has nothing to close."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


class _GuardedChild(DirectChild):
    """A child whose end the guard is told of."""

    def __init__(self, pid: int, guard: int) -> None:
        super().__init__(pid)
        self._guard = guard
        tell_guard(guard, pid)

    def update(self) -> None:
        super().update()
        if self.status is not None:
            tell_guard(self._guard, -self._process)


def tell_guard(guard: int, number: int) -> None:
    """A guard that is gone can't help any more, and no task is the worse for it."""
    with suppress(OSError):
        os.write(guard, number.to_bytes(4, "big", signed=True))


class FreshProcess:
    """A new Python for each task: safe whatever the script does, at the price of its start and its imports.

    A guard, a small process beside them, ends them where this one is killed.
    """

    def __init__(self) -> None:
        self._guard = -1
        self._guard_pid = 0

    def __enter__(self) -> FreshProcess:
        if is_debugged():
            return self  # a debugger follows each Python that is started, and ends them all itself
        reader, self._guard = os.pipe()
        null = os.open(os.devnull, os.O_RDWR)
        program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "guard.py")
        try:
            self._guard_pid = start_python(["-I", "-S", program, "3"], {}, null, null, {3: reader})
        finally:
            os.close(reader)
            os.close(null)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._guard_pid:
            os.close(self._guard)
            os.waitpid(self._guard_pid, 0)
            self._guard_pid = 0

    def spawn(self, spec: TaskSpec, stdout: int, stderr: int, control: int) -> DirectChild:
        """Starts `python -m reflow.task.child`, the Python of the task's own environment where it has one."""
        from reflow.task.child import CONTROL, SPEC

        if spec.python:
            environment = within(spec.python, spec.runtime, os.environ)
        else:
            environment = {**os.environ, **runtime_path(os.environ.get("PYTHONPATH"))}
        environment[SPEC] = spec.to_text()
        arguments = ["-P", "-m", "reflow.task.child"]
        pid = start_python(arguments, environment, stdout, stderr, {CONTROL: control}, spec.python)
        return _GuardedChild(pid, self._guard) if self._guard_pid else DirectChild(pid)


class BothWays:
    """Forks the tasks that may be forked. One that has an environment of its own gets a fresh Python, which is that
    environment's."""

    def __init__(self, usual: Spawner) -> None:
        self._usual = usual
        self._fresh = FreshProcess()

    def __enter__(self) -> BothWays:
        self._usual.__enter__()
        try:
            self._fresh.__enter__()
        except BaseException:
            self._usual.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._fresh.__exit__(kind, error, trace)
        finally:
            self._usual.__exit__(kind, error, trace)

    def spawn(self, spec: TaskSpec, stdout: int, stderr: int, control: int) -> Child:
        """Raises OSError where no process can be started."""
        chosen: Spawner = self._fresh if spec.python else self._usual
        return chosen.spawn(spec, stdout, stderr, control)


class ForkHere(_Closing):
    """Forks this very process, for a Pod's runner: it has loaded no user code and started no threads."""

    def __enter__(self) -> ForkHere:
        return self

    def spawn(self, spec: TaskSpec, stdout: int, stderr: int, control: int) -> DirectChild:
        """The child loads the script itself."""
        from reflow.task.child import finish, run_task
        from reflow.task.terminal import ready

        def work() -> None:
            if spec.packages:
                from reflow.task.packages import enter

                enter(spec.packages)
            ready(spec, control)
            finish(run_task(spec, None, control=control), control)

        return DirectChild(fork_task(work, stdout, stderr))


def own_group() -> None:
    """Make this process the head of a process group of its own."""
    os.setpgid(0, 0)


def fork(
    work: Callable[[], None],
    stdout: int,
    stderr: int,
    closing: tuple[int, ...] = (),
    detach: Callable[[], object] = own_group,
) -> int:
    """Fork; the child calls `detach`, then `work`, and never returns. The child's pid.

    `closing`: Reflow's own descriptors that the child has no use for. The user's stay open.
    """
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    pid = os.fork()
    if pid:
        return pid
    try:
        detach()
        _become_child(stdout, stderr, closing)
        work()
    except BaseException as error:
        os.write(2, f"The task's process failed: {type(error).__name__}: {error}\n".encode())
    finally:
        os._exit(1)


def _become_child(stdout: int, stderr: int, closing: tuple[int, ...]) -> None:
    from reflow.task.child import prepare_output

    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    null = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((null, 0), (stdout, 1), (stderr, 2)):
        os.dup2(source, target)
    for descriptor in (null, stdout, stderr, *closing):
        os.close(descriptor)
    prepare_output()


def fork_task(work: Callable[[], None], stdout: int, stderr: int, closing: tuple[int, ...] = ()) -> int:
    """Fork a task's process. It heads a group of its own by the time that anybody can signal it: both sides see to it,
    whoever comes first."""
    pid = fork(work, stdout, stderr, closing)
    with suppress(OSError):
        os.setpgid(pid, pid)
    return pid


def runtime_path(present: str | None) -> dict[str, str]:
    """What a fresh Python needs in its environment to find this Reflow."""
    if any(os.path.realpath(entry or ".") == os.path.realpath(RUNTIME_ROOT) for entry in _site_folders()):
        return {}
    parts = [part for part in (present or "").split(os.pathsep) if part and part != RUNTIME_ROOT]
    return {"PYTHONPATH": os.pathsep.join([RUNTIME_ROOT, *parts])}


_OUTER = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV", "CONDA_PREFIX", "CONDA_DEFAULT_ENV")


def within(python: str, runtime: str, outer: Mapping[str, str]) -> dict[str, str]:
    """The variables of a process in the environment that has this interpreter: its programs first on PATH, and of all
    that is installed outside only what is in the folder `runtime`, Reflow itself."""
    folder = os.path.dirname(python)
    found = {name: value for name, value in outer.items() if name not in _OUTER}
    found["PATH"] = os.pathsep.join(filter(None, (folder, outer.get("PATH"))))
    prefix = os.path.dirname(folder)
    found["VIRTUAL_ENV" if os.path.exists(os.path.join(prefix, "pyvenv.cfg")) else "CONDA_PREFIX"] = prefix
    found["PYTHONNOUSERSITE"] = "1"
    found["PYTHONPATH"] = runtime
    return found


def _site_folders() -> list[str]:
    return [entry for entry in sys.path if entry.endswith(("site-packages", "dist-packages"))]


def exec_python(
    module: str,
    arguments: list[str],
    environment: dict[str, str],
    stdout: int,
    stderr: int,
    passed: dict[int, int],
) -> int:
    """Start `python -P -m module`, in a process group of its own; its pid. `passed`: descriptors by their number."""
    return start_python(["-P", "-m", module, *arguments], environment, stdout, stderr, passed)


def start_python(
    arguments: list[str],
    environment: dict[str, str],
    stdout: int,
    stderr: int,
    passed: dict[int, int],
    python: str = "",
) -> int:
    """As `exec_python`, with all arguments given. `python`: the interpreter; "" for the one that runs here."""
    null = os.open(os.devnull, os.O_RDONLY)
    # Targets may collide with sources, so all sources are moved out of the way first.
    copies = {target: _above(source) for target, source in {0: null, 1: stdout, 2: stderr, **passed}.items()}
    try:
        actions = [(os.POSIX_SPAWN_DUP2, source, target) for target, source in copies.items()]
        python = python or sys.executable
        return os.posix_spawn(python, [python, *arguments], environment, file_actions=actions, setpgroup=0)
    finally:
        for source in (null, *copies.values()):
            os.close(source)


def _above(descriptor: int) -> int:
    import fcntl

    return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 10)


def is_debugged() -> bool:
    """Whether an IDE's debugger runs this process. It follows the Pythons that are started from here, not what a
    server forks."""
    return "pydevd" in sys.modules


def open_spawner(
    script: str | os.PathLike[str],
    *,
    alias: bool = False,
    fresh_process: bool = False,
    detach: Callable[[], object] = os.setsid,
) -> Spawner:
    """The quickest safe way to start this script's tasks here. Raises Unloadable where the script doesn't load.

    `detach`: what takes a forked server out of this process's group; `own_group` leaves it its terminal.
    """
    if fresh_process or is_debugged():
        return FreshProcess()
    from reflow.task.forkserver import ForkServer
    from reflow.task.load import loaded_here
    from reflow.task.serve import forking_forbidden

    loaded = None if forking_forbidden() or sys.platform == "darwin" else loaded_here(script, alias=alias)
    server = ForkServer.branch_off(loaded, detach) if loaded else ForkServer.launch(script, alias=alias)
    if not server.forbidden:
        return server
    server.close()
    return FreshProcess()
