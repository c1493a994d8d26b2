"""One task's process while it runs: its pipes, its time limit, and what its end means."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from reflow.sdk.exceptions import TimeoutException
from reflow.store.values import ExceptionInfo, Record
from reflow.task import limit
from reflow.task.crash import traceback_of
from reflow.task.death import cause_of_death
from reflow.task.events import Event, OutputLine, TaskStarted, TerminalWanted
from reflow.task.execute import failed
from reflow.task.hiding import Hider
from reflow.task.keeping import Keep
from reflow.task.lines import LineSplitter
from reflow.task.outcome import LIMIT, Outcome
from reflow.task.spawn import Child, signal_group
from reflow.task.spec import TaskSpec
from reflow.task.terminal import ASKING
from reflow.values.dataclass import replace
from reflow.values.errors import CorruptObject

CHUNK = 1 << 16  # bytes read at once
LAST_WORDS = 4 << 20  # bytes read from a pipe after the process's end, which others may still fill
KILL_AFTER = 5.0  # seconds between SIGTERM and SIGKILL


class RunningTask:
    """From its start to its record. `tell` gets the events."""

    def __init__(
        self, spec: TaskSpec, child: Child, keep: Keep, pipes: tuple[int, ...], tell: Callable[[Event], None]
    ) -> None:
        """`pipes`: this side of the child's output, errors and control."""
        self.spec = spec
        self.child = child
        self.deadline: float | None = None  # when `on_time` has something to do; of the monotonic clock
        self.lost = ""
        self.unloadable = False
        self._keep = keep
        self._tell = tell
        self._started = time.time()
        self._is_started = False
        self._early: list[OutputLine] = []  # printed before the child's pid was heard of
        self._wants_terminal = False
        self._on_terminal = False
        self._stopping = False
        self._timed_out = False
        self._outcome = b""
        self._hider = Hider()
        self._open = {pipes[0]: ("stdout", LineSplitter()), pipes[1]: ("stderr", LineSplitter())}
        self._control: int | None = pipes[2]
        for descriptor in pipes:
            os.set_blocking(descriptor, False)

    # Output

    def readers(self) -> dict[int, Callable[[], bool]]:
        """For each pipe that is open, what to call when it's readable; False from it means that it has ended."""
        found: dict[int, Callable[[], bool]] = {}
        for descriptor in self._open:
            found[descriptor] = partial(self._read_in_turn, descriptor)
        if self._control is not None:
            found[self._control] = self._read_control
        return found

    def _read_in_turn(self, descriptor: int) -> bool:
        if self._keep.is_full:
            time.sleep(0.005)  # the store is slower than the task: its pipe fills up, and it waits too
            return True
        return self._read_output(descriptor)

    def _read_output(self, descriptor: int) -> bool:
        if self._control is not None and not self._has_outcome():
            self._read_control()  # what is to be hidden is said there before it can be printed
        data = _read(descriptor)
        stream, _ = self._open[descriptor]
        if data:
            self._take(descriptor, self._hider.feed(stream, data))
        elif data == b"":
            self._take(descriptor, self._hider.rest(stream))
        return data != b""

    def _take(self, descriptor: int, data: bytes) -> None:
        if not data:
            return
        stream, splitter = self._open[descriptor]
        now = time.time()
        self._keep.write(now, "o" if stream == "stdout" else "e", data)
        self._tell_lines(stream, splitter.feed(data, time.monotonic()), now)

    def _tell_lines(self, stream: str, lines: list[str], now: float) -> None:
        if lines and not self._is_started:
            self._begin()
        for line in () if self._on_terminal else lines:
            told = OutputLine(self.spec.key, stream, line, self.child.pid or 0, now)
            if self._is_started or self.child.lost:
                self._tell(told)
            else:
                self._early.append(told)

    def _read_control(self) -> bool:
        assert self._control is not None
        data = _read(self._control)
        if data:
            self._outcome = self._hider.heard(self._outcome + data)
            if self._outcome.startswith(ASKING):
                self._outcome = self._outcome[len(ASKING) :]
                self._wants_terminal = True
                self.look()
        return data != b"" and len(self._outcome) <= LIMIT

    def _lend_terminal(self) -> None:
        """Tell all that the task has printed until now, then that it waits for the terminal. Its time limit is off:
        somebody is thinking."""
        self._wants_terminal = False
        for descriptor, (stream, splitter) in self._open.items():
            while _is_readable(descriptor) and self._read_output(descriptor):
                pass
            self._tell_lines(stream, splitter.flush(), time.time())
        self._on_terminal = True
        if not self._stopping:
            self.deadline = None
        self._tell(TerminalWanted(self.spec.key, self.child.pid or 0))

    def let_go(self, descriptor: int) -> None:
        """Close a pipe that has ended."""
        if descriptor == self._control:
            self._control = None
        else:
            self._take(descriptor, self._hider.rest(self._open[descriptor][0]))
            stream, splitter = self._open.pop(descriptor)
            self._tell_lines(stream, splitter.flush(), time.time())
        os.close(descriptor)

    # Time

    def look(self) -> bool:
        """Ask the child what's new. True once it has ended."""
        self._begin()
        if self.child.status is None:
            self.child.update()
        if self._wants_terminal and self._is_started:
            self._lend_terminal()
        has_ended = self.child.status is not None or bool(self.child.lost)
        if has_ended:
            self._tell_early()
        return has_ended

    def _begin(self) -> None:
        """Once the child's pid is heard of, tell that it runs, and what it has printed until now."""
        if self.child.pid is None:
            self.child.update()
        if self.child.pid is None or self._is_started:
            return
        self._is_started = True
        self._started = time.time()
        if self.spec.timeout is not None and not self._stopping and not self.spec.fallback:
            self.deadline = time.monotonic() + self.spec.timeout
        elif self._stopping:
            self._terminate(time.monotonic())
        self._tell(
            TaskStarted(self.spec.key, self.spec.attempt, self.spec.launch, self.child.pid, self._started)
        )
        self._tell_early()

    def _tell_early(self) -> None:
        for line in self._early:
            self._tell(replace(line, pid=self.child.pid or 0))
        self._early.clear()

    def on_time(self, now: float) -> None:
        """Called again and again: the time limit, and SIGKILL where SIGTERM didn't help."""
        if self.deadline is None or now < self.deadline:
            return
        if self._stopping or self._timed_out:
            self.kill()
        elif not self._has_outcome():
            self._timed_out = True
            self._interrupt()
            self.deadline = now + KILL_AFTER
        else:
            self.deadline = None  # the step was done in time, only the process isn't gone yet

    def stop(self, now: float, kill_after: float = KILL_AFTER) -> None:
        """Tell the process to end, whoever asks. Asking again changes nothing."""
        if not self._stopping or self.deadline is None:
            self._stopping = True
            self._terminate(now, kill_after)

    def _terminate(self, now: float, kill_after: float = KILL_AFTER) -> None:
        signal_group(self.child.pid, signal.SIGTERM)
        self.deadline = now + kill_after

    def _interrupt(self) -> None:
        """Its own process alone: whatever that has started is for its code to end."""
        if self.child.pid:
            with suppress(ProcessLookupError):
                os.kill(self.child.pid, signal.SIGALRM)

    def kill(self) -> None:
        """End the process now."""
        self._stopping = self._stopping or not self._timed_out
        self.deadline = None
        signal_group(self.child.pid, signal.SIGKILL)

    # The end

    def end(self) -> None:
        """The process is gone. Read its last words, and have the record written, or none where it was stopped."""
        if self.child.lost:
            signal_group(self.child.pid, signal.SIGKILL)
        for descriptor in list(self._open):
            self._drain(descriptor, partial(self._read_output, descriptor))
        if self._control is not None:
            self._drain(self._control, self._read_control)
        self.child.close()
        self._keep.finish(self._record())

    def _drain(self, descriptor: int, read: Callable[[], bool]) -> None:
        for _ in range(LAST_WORDS // CHUNK):
            if not _is_readable(descriptor) or not read():
                break
        self.let_go(descriptor)

    def _has_outcome(self) -> bool:
        return self._outcome.endswith(b"}\n")

    def _record(self) -> Record | None:
        outcome = self._decoded()
        if outcome is not None and outcome.record.status.finished and not self._timed_out:
            return outcome.record
        if self._stopping:
            self.lost = "stopped"
            return None
        if self.child.lost or (outcome is not None and outcome.lost):
            self.lost = self.child.lost or (outcome.lost if outcome else "")
            return None
        if outcome is not None and not (self._timed_out and outcome.record.status.finished):
            self.unloadable = outcome.unloadable
            return outcome.record
        return self._died()

    def _decoded(self) -> Outcome | None:
        if not self._has_outcome():
            return None
        try:
            return Outcome.decode(self._outcome[:-1].rpartition(b"\n")[2])
        except CorruptObject:
            return None

    def _died(self) -> Record:
        """The record that the parent writes where the child couldn't."""
        if self._timed_out:
            seconds = self.spec.timeout or 0.0
            told = ExceptionInfo(TimeoutException.__name__, limit.says(seconds), "")
        else:
            told = cause_of_death(self.child.status or 0)
        text = f"{self._crash()}{told.line}\n"
        now = time.time()
        self._keep.write(now, "e", text.encode())
        self._tell_lines("stderr", text.splitlines(), now)
        record = failed(self.spec, replace(told, traceback=text), self._started)
        return replace(record, pid=self.child.pid or 0)

    def _crash(self) -> str:
        """Where the user's code was when native code crashed."""
        said = self._outcome.decode("utf-8", "replace")
        return traceback_of(said, self.spec.script, self.spec.shown or self.spec.script)


def _read(descriptor: int) -> bytes | None:
    """What's there; b"" at the end; None where there's nothing now."""
    try:
        return os.read(descriptor, CHUNK)
    except BlockingIOError:
        return None
    except OSError:
        return b""


def _is_readable(descriptor: int) -> bool:
    import select

    return bool(select.select([descriptor], [], [], 0)[0]) if descriptor < 1024 else True
