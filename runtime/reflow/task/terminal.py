"""The terminal in a task's process, for debuggers: taken when one opens, and refused in words where there is none.

A task's output goes through pipes to whoever runs it, and its input is empty. Where the run lends its terminal (one
task at a time, on a terminal), the task asks for it over the control pipe when pdb opens or standard input is read;
the run then makes the task's process group the terminal's foreground group, which is the answer.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from io import BufferedWriter, RawIOBase, TextIOWrapper
from typing import Any

from reflow.task.spec import TaskSpec
from reflow.values.errors import ReflowError

ASKING = b'{"terminal":true}\n'  # over the control pipe, before the outcome
PATIENCE = 10.0  # seconds until the run must have lent its terminal
PAUSE = 0.01  # seconds between two looks


class NoTerminal(ReflowError):
    """A debugger was asked for where nobody can type into it."""


def ready(spec: TaskSpec, control: int) -> None:
    """Make debuggers in this process take the terminal, or say why there's none. Called before the user's code."""
    if "pydevd" in sys.modules:
        return  # an IDE's debugger is here already, and breakpoint() is its own
    if spec.terminal:
        take = Taking(control).take
        sys.stdin = LazyInput(take)
        _when_loaded("IPython.terminal.interactiveshell", lambda ipython: _take_when_made(ipython, take))
    else:
        take = refuse
        sys.breakpointhook = _refusing_hook(sys.breakpointhook)
    _when_loaded("pdb", lambda pdb: _guard(pdb, take))


def refuse() -> None:
    """Raises NoTerminal."""
    raise NoTerminal(
        "a debugger can't be opened here: the step has no terminal. Run it on a terminal with --max-workers 1, "
        "open the task by itself with `debug RUN/STEP`, or use an IDE's debugger"
    )


def _refusing_hook(before: Callable[..., Any]) -> Callable[..., Any]:
    def hook(*arguments: Any, **options: Any) -> Any:
        if os.environ.get("PYTHONBREAKPOINT", "") in ("", "pdb.set_trace"):
            refuse()
        return before(*arguments, **options)  # 0, or a debugger that may do without a terminal

    return hook


class Tee(RawIOBase):
    """Bytes to a descriptor, and once `log` is set, to that too."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.log: int | None = None

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        count = os.write(self._descriptor, data)
        if self.log is not None:
            kept = memoryview(data)[:count]
            while kept:
                kept = kept[os.write(self.log, kept) :]
        return count


class Taking:
    """Takes the terminal once, for the rest of the task. What is printed is still kept as the task's log."""

    def __init__(self, control: int) -> None:
        self._control = control
        self._taken = False
        self._tees = {1: Tee(1), 2: Tee(2)}
        sys.stdout = self._teed(sys.stdout, 1)
        sys.stderr = self._teed(sys.stderr, 2)

    def _teed(self, stream: Any, descriptor: int) -> Any:
        """The stream anew, upon a Tee; one that a script has wrapped stays, and writes to the terminal alone."""
        if type(stream) is not TextIOWrapper:
            return stream
        stream.flush()
        raw = BufferedWriter(self._tees[descriptor])
        return TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace", line_buffering=True)

    def take(self) -> None:
        """Raises NoTerminal where the run doesn't lend it."""
        if self._taken:
            return
        try:
            terminal = os.open("/dev/tty", os.O_RDWR)
        except OSError:
            refuse()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        self._ask(terminal)
        self._taken = True
        for descriptor, tee in self._tees.items():
            tee.log = os.dup(descriptor)
        for descriptor in (0, 1, 2):
            os.dup2(terminal, descriptor)
        os.close(terminal)
        if isinstance(sys.stdin, LazyInput):
            sys.stdin = open(0, encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115

    def _ask(self, terminal: int) -> None:
        signal.signal(
            signal.SIGTSTP, signal.SIG_IGN
        )  # Ctrl-Z would stop the task alone, and the run would wait
        os.write(self._control, ASKING)
        until = time.monotonic() + PATIENCE
        while os.tcgetpgrp(terminal) != os.getpgrp():
            if time.monotonic() > until:
                os.close(terminal)
                raise NoTerminal(f"the run didn't lend its terminal within {PATIENCE:g} seconds")
            time.sleep(PAUSE)


class LazyInput:
    """Standard input that takes the terminal when it's read."""

    encoding = "utf-8"
    errors = "replace"
    closed = False

    def __init__(self, take: Callable[[], None]) -> None:
        self.__dict__["_take"] = take

    def isatty(self) -> bool:
        return True

    def __iter__(self) -> Any:
        self._take()
        return iter(sys.stdin)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        self._take()
        if sys.stdin is self:
            raise AttributeError(name)
        return getattr(sys.stdin, name)


def _guard(pdb: Any, take: Callable[[], None]) -> None:
    """Let pdb call `take` before it opens, unless it talks over streams of its own."""
    kind = pdb.Pdb
    set_trace, interaction = kind.set_trace, kind.interaction

    def guarded_set_trace(self: Any, frame: Any = None, *rest: Any, **options: Any) -> Any:
        if self.use_rawinput:
            take()
        # A step into `print` would lead into our output, where pdb's own printing can't be done.
        self.skip = {*(self.skip or ()), "reflow.*"}
        return set_trace(self, frame or sys._getframe(1), *rest, **options)

    def guarded_interaction(self: Any, *arguments: Any, **options: Any) -> Any:
        if self.use_rawinput:
            take()
            self.stdout = sys.stdout if self.stdout in (sys.__stdout__, None) else self.stdout
        return interaction(self, *arguments, **options)

    kind.set_trace, kind.interaction = guarded_set_trace, guarded_interaction


def _take_when_made(ipython: Any, take: Callable[[], None]) -> None:
    """Let IPython's shell, which ipdb makes, take the terminal first: it looks at once at what its output is."""
    kind = ipython.TerminalInteractiveShell
    make = kind.__init__

    def taking_init(self: Any, *arguments: Any, **options: Any) -> None:
        take()
        make(self, *arguments, **options)

    kind.__init__ = taking_init


def _when_loaded(module: str, do: Callable[[Any], None]) -> None:
    """Now, or once it is imported."""
    found = sys.modules.get(module)
    if found is not None:
        do(found)
    else:
        sys.meta_path.insert(0, _Finder(module, do))


class _Finder:
    """Calls `do` with a module once it's imported: importing pdb for each task would cost more than the task."""

    def __init__(self, module: str, do: Callable[[Any], None]) -> None:
        self._module = module
        self._do = do

    def find_spec(self, name: str, path: object = None, target: object = None) -> Any:
        if name != self._module:
            return None
        sys.meta_path.remove(self)
        from importlib.util import find_spec

        spec = find_spec(name)
        if spec is None or spec.loader is None:
            return spec
        load = spec.loader.exec_module

        def exec_module(module: Any) -> None:
            load(module)
            self._do(module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec
