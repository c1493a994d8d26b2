"""A foreach's items in one object: each item pickled alone, then a table of where each ends and its hash.

::

item 0 | item 1 | … | table: per item the offset of its end (8 bytes, big-endian) and its sha256 (32
bytes)

The table comes last, so that a generator's items are written as they come, once. The width and the size
are in the record; a child reads its row of the table, then its item, and nothing else.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from typing import Any

from reflow.store import artifacts, layout
from reflow.store.content import Content
from reflow.store.errors import TooManyItems, Unpicklable
from reflow.store.objects import ObjectStore
from reflow.store.values import ArtifactRef, ItemsRef
from reflow.values.errors import CorruptObject, NotFound

_ROW = 40


class _Item:
    """Passes an item's bytes on into the pack, and hashes them on their own."""

    def __init__(self, pack: Content) -> None:
        self._pack = pack
        self._hash = sha256()

    def write(self, data: bytes | bytearray | memoryview) -> int:
        self._hash.update(data)
        return self._pack.write(data)

    def row(self) -> bytes:
        return self._pack.size.to_bytes(8, "big") + self._hash.digest()


def dump_items(
    objects: ObjectStore, flow: str, variable: str, items: Iterable[Any], *, budget: int, limit: int
) -> ItemsRef:
    """Write the items as they come. Raises TooManyItems past `limit`, Unpicklable naming the item."""
    table = bytearray()
    with Content(objects) as content:
        for index, item in enumerate(_at_most(limit, items, variable)):
            table += _write_item(content, item, f"{variable}[{index}]")
        width = len(table) // _ROW
        content.write(table)
        data = content.bytes() if content.size <= budget else None
        if data is None:
            content.store(flow)
        return ItemsRef(variable, width, content.sha256, content.size, data)


def _at_most(limit: int, items: Iterable[Any], variable: str) -> Iterator[Any]:
    for index, item in enumerate(items):
        if index >= limit:
            raise TooManyItems(
                f"The foreach over {variable!r} has more than {limit:,} items, which is this run's limit."
                " Pass fewer items, or raise the limit (--max-num-splits)."
            )
        yield item


def _write_item(content: Content, item: Any, name: str) -> bytes:
    target = _Item(content)
    try:
        pickle.Pickler(target, artifacts.PROTOCOL).dump(item)
    except (
        pickle.PicklingError,
        TypeError,
        AttributeError,
        RecursionError,
        ValueError,
        OverflowError,
    ) as error:
        raise Unpicklable(
            f"The foreach's item {name}, of type {artifacts.type_name(item)}, can't be pickled:"
            f" {type(error).__name__}: {error}"
        ) from error
    return target.row()


def load_item(objects: ObjectStore, flow: str, items: ItemsRef, index: int) -> Any:
    """One item: two ranged reads. Raises NotFound, CorruptObject, UnloadableValue."""
    name = f"{items.variable}[{index}]"
    if not 0 <= index < items.width:
        raise NotFound(
            f"There is no item {name}: the foreach over {items.variable!r} has {items.width} items."
        )
    start, end, digest = _row(_reader(objects, flow, items), items, index)
    data = _reader(objects, flow, items)(start, end - start)
    artifacts.verify(data, digest, f"the foreach's item {name}")
    ref = ArtifactRef(digest, len(data), "foreach item", data)
    return artifacts.load(objects, flow, ref, name=name, made_by=None)


def _reader(objects: ObjectStore, flow: str, items: ItemsRef) -> Callable[[int, int], bytes]:
    inline = items.inline
    if inline is not None:
        return lambda start, length: inline[start : start + length]
    key = layout.blob(flow, items.sha256)
    return lambda start, length: objects.get_range(key, start, length)


def _row(read: Callable[[int, int], bytes], items: ItemsRef, index: int) -> tuple[int, int, str]:
    """Where the item starts and ends, and its hash. Its start is the end in the row before."""
    table = items.size - items.width * _ROW
    first = max(index - 1, 0)
    rows = read(table + first * _ROW, (index - first + 1) * _ROW)
    start = int.from_bytes(rows[:8], "big") if index else 0
    end = int.from_bytes(rows[-_ROW : 8 - _ROW], "big")
    if len(rows) != (index - first + 1) * _ROW or not 0 <= start <= end <= table:
        raise CorruptObject(f"The items of the foreach over {items.variable!r} in the store are damaged.")
    return start, end, rows[8 - _ROW :].hex()
