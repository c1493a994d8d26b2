"""`logs`: what a task wrote, to the same two streams."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import BinaryIO

from reflow.cli.attempts import Shown, shown
from reflow.cli.failures import locals_lines
from reflow.cli.target import Target
from reflow.store.flowstore import FlowStore
from reflow.store.logs import Frame
from reflow.values.dataclass import replace
from reflow.values.untrusted import one_line

_STREAMS = {"o": "stdout", "e": "stderr"}


def show_logs(target: Target, options: argparse.Namespace) -> int:
    """Raises NotFound, UsageError."""
    path = target.tasks(options.path)
    store = target.flow_store(path.flow)
    for one in shown(store, path, options.attempt):
        if path.task is None:
            _say(f"# {path.run}/{one.key.path}")
        frames = (frame for frame in frames_of(store, path.run, one) if frame.stream in options.streams)
        if options.streams == "e":  # it alone is what was asked for, and so is the output
            frames = (replace(frame, stream="o") for frame in frames)
        write(stamped(frames) if options.timestamps else frames)
        if "e" in options.streams and one.record and one.record.exception:
            for line in locals_lines(one.record):
                _say(line)
    return 0


def frames_of(store: FlowStore, run: str, one: Shown) -> Iterator[Frame]:
    """An attempt's output, so far where it still runs."""
    if one.record is None:
        return store.log_so_far(run, one.key, one.launch)
    return store.log(store.holder(run, one.key), one.record)


def write(frames: Iterable[Frame]) -> None:
    """In the order in which they came: each is flushed before one of the other stream."""
    streams: dict[str, BinaryIO] = {"o": sys.stdout.buffer, "e": sys.stderr.buffer}
    sys.stdout.flush()
    last = ""
    for frame in frames:
        if last and frame.stream != last:
            streams[last].flush()
        last = frame.stream
        streams[last].write(frame.data)
    for stream in streams.values():
        stream.flush()


def stamped(frames: Iterable[Frame]) -> Iterator[Frame]:
    """Whole lines, each after the time at which it began."""
    rest: dict[str, tuple[float, bytes]] = {}
    for frame in frames:
        since, begun = rest.pop(frame.stream, (frame.time, b""))
        *whole, last = (begun + frame.data).split(b"\n")
        for line in whole:
            yield _line(since, frame.stream, line)
            since = frame.time
        if last:
            rest[frame.stream] = since, last
    for stream, (since, line) in rest.items():
        yield _line(since, stream, line)


def _line(time: float, stream: str, line: bytes) -> Frame:
    stamp = datetime.fromtimestamp(time).isoformat(" ", "milliseconds")
    return Frame(time, stream, stamp.encode() + b" " + line + b"\n")


def _say(line: str) -> None:
    """About the output, so on stderr: what is piped on is the task's own."""
    sys.stdout.flush()
    print(one_line(line), file=sys.stderr, flush=True)
