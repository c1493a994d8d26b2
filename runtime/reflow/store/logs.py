"""A task's output: frames of (time, stream, bytes), inline in the record where it's little, else in parts.

A frame is the time (8 bytes, a big-endian float), the stream (`o` or `e`), the length (4 bytes) and the
bytes. A part holds whole frames, up to 1 MiB of them. The last part is written again as it grows, so that
a log can be followed while its task runs; what a reader sees is always whole frames.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from reflow.store.objects import ObjectStore
from reflow.store.values import LOG_INLINE_LIMIT, LogRef
from reflow.values.dataclass import dataclass
from reflow.values.errors import CorruptObject

PART_SIZE = 1 << 20
FIRST_WAIT, LONGEST_WAIT = 2.0, 30.0  # seconds between two writings of the last part: doubled each time
LOG_LIMIT = 256 << 20  # bytes of one attempt's output that are kept
_HEAD = struct.Struct("!dcI")


@dataclass(frozen=True, slots=True)
class Frame:
    """Some bytes of output. `stream`: `o` or `e`; `time`: seconds since the epoch."""

    time: float
    stream: str
    data: bytes


class LogWriter:
    """Takes a task's output in bounded memory. For one thread; times are handed in."""

    def __init__(self, objects: ObjectStore, folder: str) -> None:
        """`folder`: the key prefix of the parts, which ends in `/`."""
        self._objects = objects
        self._folder = folder
        self._buffer = bytearray()
        self._full_parts = 0
        self._written = 0  # bytes of the buffer that are in the store already
        self._kept = 0
        self._cut = False
        self._wait = FIRST_WAIT
        self._due: float | None = None

    def write(self, time: float, stream: str, data: bytes) -> None:
        """Add output. Never waits for the store, unless a part is full."""
        if self._cut or not data:
            return
        if self._kept + len(data) > LOG_LIMIT:
            self._cut = True
            stream, data = "e", f"[output past {LOG_LIMIT >> 20} MiB is not kept]\n".encode()
        self._kept += len(data)
        for start in range(0, len(data), PART_SIZE // 2):
            self._add(time, stream, data[start : start + PART_SIZE // 2])
        if self._due is None:
            self._due = time + self._wait

    def _add(self, time: float, stream: str, data: bytes) -> None:
        if self._buffer and len(self._buffer) + len(data) + _HEAD.size > PART_SIZE:
            self._put()
            self._full_parts += 1
            self._buffer, self._written = bytearray(), 0
        self._buffer += _HEAD.pack(time, stream.encode("ascii"), len(data))
        self._buffer += data

    @property
    def due(self) -> float | None:
        """When `tick` has something to write next."""
        return self._due

    def tick(self, now: float) -> None:
        """Write what has waited long enough."""
        if self._due is None or now < self._due:
            return
        self._put()
        self._due = None
        self._wait = min(self._wait * 2, LONGEST_WAIT)

    def close(self) -> LogRef:
        """Write the rest. What is little, and not in the store yet, travels in the record."""
        if not self._buffer:
            return LogRef()
        if not self._full_parts and not self._written and len(self._buffer) <= LOG_INLINE_LIMIT:
            return LogRef(inline=bytes(self._buffer))
        self._put()
        return LogRef(parts=self._full_parts + 1)

    def _put(self) -> None:
        if len(self._buffer) > self._written:
            self._objects.put(part_key(self._folder, self._full_parts), bytes(self._buffer))
            self._written = len(self._buffer)


def part_key(folder: str, number: int) -> str:
    return f"{folder}{number:06d}"


def read(objects: ObjectStore, folder: str, log: LogRef) -> Iterator[Frame]:
    """A finished attempt's output, a part at a time."""
    if log.inline is not None:
        yield from frames(log.inline, f"{folder} (inline)")
    for number in range(log.parts):
        key = part_key(folder, number)
        yield from frames(objects.get(key), key)


def read_so_far(objects: ObjectStore, folder: str) -> Iterator[Frame]:
    """What is in the store of an attempt that still runs, or that died."""
    for part in objects.list(folder):
        yield from frames(objects.get(part.key), part.key)


def frames(data: bytes, where: str) -> Iterator[Frame]:
    """Raises CorruptObject where it isn't whole frames."""
    at = 0
    while at < len(data):
        try:
            time, stream, length = _HEAD.unpack_from(data, at)
        except struct.error:
            length = len(data)
        at += _HEAD.size
        if at + length > len(data):
            raise CorruptObject(f"The log {where} in the store is damaged or was cut short.")
        yield Frame(time, stream.decode("ascii", "replace"), data[at : at + length])
        at += length
