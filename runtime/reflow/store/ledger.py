"""The ledger: a cache of a run's records, so that thousands of tasks are read in a few requests.

Append-only segments, which anyone may delete: whatever they lack is read from the records. Two kinds:

- index segments: JSON, ``{"v": 1, "entries": [[step, foreach, loop, attempt, status, width, case], …]}``;
- packs, per step: whole records. An 8-byte magic, the head's length (4 bytes), the head (JSON,
  ``{"v": 1, "tasks": [[task id, offset, length], …]}``) and the records' JSON one after the other.

Two writers do no harm: their segments' names differ, and an entry that comes twice says the same.
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

from reflow.store import formats
from reflow.store.layout import RunLayout
from reflow.store.objects import ObjectInfo, ObjectStore
from reflow.store.parallel import each
from reflow.store.values import FORMAT, IndexEntry, Record, Status
from reflow.values.errors import CorruptObject, NewerFormat, NotFound
from reflow.values.key import TaskKey

MAGIC = b"RFPACK1\n"
SEGMENT_ENTRIES = 1000
SEGMENT_BYTES = 4 << 20
_HEAD = len(MAGIC) + 4
_FIRST_READ = 64 << 10  # bytes: holds the head of a pack of 1,000 tasks
_DAMAGE = (CorruptObject, NewerFormat, NotFound)  # a segment that can't be used is as good as none


# Index


def encode_index(entries: Iterable[IndexEntry]) -> bytes:
    rows = [
        [e.key.step, e.key.foreach, e.key.loop, e.attempt, e.status.value, e.width, e.case] for e in entries
    ]
    return formats.dumps({"v": FORMAT, "entries": rows})


def decode_index(data: bytes, where: str) -> list[IndexEntry]:
    def build(found: dict[str, Any]) -> list[IndexEntry]:
        status = {s.value: s for s in Status}
        return [
            IndexEntry(TaskKey(step, tuple(foreach), tuple(loop)), attempt, status[state], width, case)
            for step, foreach, loop, attempt, state, width, case in found["entries"]
        ]

    return formats.read(data, where, build)


def read_index(objects: ObjectStore, run: RunLayout) -> list[IndexEntry]:
    """All entries of all segments, in no order, some perhaps twice. Damaged segments count as missing."""

    def segment(info: ObjectInfo) -> list[IndexEntry]:
        try:
            return decode_index(objects.get(info.key), info.key)
        except _DAMAGE:
            return []

    found = each(segment, list(objects.list(run.index)), at_once=objects.parallel)
    return [entry for entries in found for entry in entries]


# Packs


def encode_pack(records: Mapping[str, bytes]) -> bytes:
    """`records`: task id → the record's JSON."""
    tasks, offset = [], 0
    for task, data in records.items():
        tasks.append([task, offset, len(data)])
        offset += len(data)
    head = formats.dumps({"v": FORMAT, "tasks": tasks})
    return b"".join([MAGIC, len(head).to_bytes(4, "big"), head, *records.values()])


def read_packs(objects: ObjectStore, run: RunLayout, step: str, wanted: set[str]) -> Iterator[Record]:
    """The records of the tasks `wanted` (ids) that are in packs, each once. Damaged packs count as
    missing.
    """
    packs = list(objects.list(run.packs(step)))
    parts = each(lambda pack: read_pack(objects, pack, wanted), packs, at_once=objects.parallel)
    seen: set[TaskKey] = set()
    for record in (record for part in parts for record in part):
        if record.key.step == step and record.status.finished and record.key not in seen:
            seen.add(record.key)
            yield record


def read_pack(objects: ObjectStore, pack: ObjectInfo, wanted: Container[str]) -> list[Record]:
    """The records of the tasks `wanted` (ids) that are in one pack; none where it's damaged."""
    try:
        first = objects.get_range(pack.key, 0, _FIRST_READ)
        tasks, start = _read_head(objects, pack.key, first)
        spans = [(start + offset, length) for task, offset, length in tasks if task in wanted]
        return formats.decode_records(list(_read_spans(objects, pack, first, spans)), pack.key)
    except _DAMAGE:
        return []


def _read_head(objects: ObjectStore, key: str, first: bytes) -> tuple[list[tuple[str, int, int]], int]:
    if not first.startswith(MAGIC):
        raise CorruptObject(f"The object {key} in the store is no pack of records.")
    length = int.from_bytes(first[len(MAGIC) : _HEAD], "big")
    head = first[_HEAD : _HEAD + length]
    if len(head) < length:
        head = objects.get_range(key, _HEAD, length)
    return formats.read(head, key, lambda found: [(t, o, n) for t, o, n in found["tasks"]]), _HEAD + length


def _read_spans(
    objects: ObjectStore, pack: ObjectInfo, first: bytes, spans: list[tuple[int, int]]
) -> Iterator[bytes]:
    """The spans' bytes, in one read from the first wanted record to the last."""
    if not spans:
        return
    begin, end = min(start for start, _ in spans), max(start + length for start, length in spans)
    data = first[begin:] if end <= len(first) else objects.get_range(pack.key, begin, end - begin)
    for start, length in spans:
        yield data[start - begin : start - begin + length]


# Writing


class LedgerWriter:
    """Gathers a run's records and writes segments as they fill up, in bounded memory. For one thread at a
    time.

    See `ledger_thread.BackgroundLedger` for a scheduler that must not wait for the store.
    """

    def __init__(self, objects: ObjectStore, run: RunLayout) -> None:
        self._objects = objects
        self._run = run
        self._nonce = os.urandom(6).hex()
        self._sequence = 0
        self._entries: dict[TaskKey, IndexEntry] = {}
        self._packs: dict[str, dict[str, bytes]] = {}
        self._pack_bytes: dict[str, int] = {}

    def add(self, record: Record) -> None:
        """A record that won (see `FlowStore.commit`): into the index and, where it's a result, into its
        pack.
        """
        self.add_entry(entry_of(record))
        if record.status.finished:
            step, data = record.key.step, formats.encode_record(record)
            self._packs.setdefault(step, {})[record.key.id] = data
            self._pack_bytes[step] = self._pack_bytes.get(step, 0) + len(data)
            if len(self._packs[step]) >= SEGMENT_ENTRIES or self._pack_bytes[step] >= SEGMENT_BYTES:
                self._write_pack(step)
            elif sum(self._pack_bytes.values()) >= 2 * SEGMENT_BYTES:
                self._write_pack(max(self._pack_bytes, key=self._pack_bytes.__getitem__))

    def add_entry(self, entry: IndexEntry) -> None:
        """Into the index alone."""
        self._entries[entry.key] = entry
        if len(self._entries) >= SEGMENT_ENTRIES:
            self._write_index()

    @property
    def waiting(self) -> int:
        """How many entries are not in the store yet."""
        return len(self._entries) + sum(map(len, self._packs.values()))

    def flush(self) -> None:
        """Write all that waits. Raises StoreError; nothing is lost then, and a later flush writes it."""
        if self._entries:
            self._write_index()
        for step in list(self._packs):
            self._write_pack(step)

    def _write_index(self) -> None:
        self._objects.put(f"{self._run.index}{self._name()}", encode_index(self._entries.values()))
        self._entries.clear()

    def _write_pack(self, step: str) -> None:
        self._objects.put(f"{self._run.packs(step)}{self._name()}", encode_pack(self._packs[step]))
        del self._packs[step], self._pack_bytes[step]

    def _name(self) -> str:
        self._sequence += 1
        return f"{self._sequence:08d}-{self._nonce}"


def entry_of(record: Record) -> IndexEntry:
    """What the index keeps of a record."""
    return IndexEntry(record.key, record.attempt, record.status, record.width, record.case)
