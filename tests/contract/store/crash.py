"""Run as a process of its own: the work of one task, killed at each point in turn, then checked and done again.

A point is the moment before a system call that writes (for a file, also after half of the bytes), or before and after
each request to a server. Prints how many points there were; an AssertionError names the point that broke a promise.

Usage: crash.py URL (an empty store)
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from reflow.store import formats, ledger, logs
from reflow.store.flowstore import FlowStore
from reflow.store.open import open_store
from reflow.store.s3_wire import Wire
from reflow.store.values import INLINE_LIMIT, RunEnd
from tests.contract.store.samples import START, manifest, record

CALLS = ("open", "write", "close", "link", "replace", "unlink", "mkdir")
RUN = "k8s-crash"
BIG, SMALL = b"b" * 400_000, "small"
LOG = b"some output\n" * 1000


class Killer:
    """Kills this process at the point with a number."""

    def __init__(self, point: int) -> None:
        self.left = point

    def pass_point(self) -> bool:
        """Whether this is the point, just before it kills."""
        self.left -= 1
        return self.left < 0

    def kill(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def arm_files(self) -> None:
        for name in CALLS:
            setattr(os, name, self._deadly(name, getattr(os, name)))

    def _deadly(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **options: Any) -> Any:
            if self.pass_point():
                self.kill()
            if name == "write" and self.pass_point():
                call(args[0], bytes(args[1])[: len(args[1]) // 2])
                self.kill()
            return call(*args, **options)

        return wrapped

    def arm_requests(self) -> None:
        send = Wire.send

        def wrapped(wire: Wire, *args: Any, **options: Any) -> Any:
            if self.pass_point():
                self.kill()
            answer = send(wire, *args, **options)
            if self.pass_point():
                self.kill()
            return answer

        Wire.send = wrapped  # type: ignore[method-assign, assignment]


def work(flow: FlowStore, nonce: str) -> None:
    """All that a task and its run write, in the order that the runner writes it."""
    flow.claim(manifest("uid-1"), RUN)
    artifacts = {"big": flow.dump(BIG, budget=0), "small": flow.dump(SMALL, budget=INLINE_LIMIT)}
    items = flow.dump_items("xs", range(2000), budget=0, limit=9999)
    writer = flow.log_writer(RUN, START, 0)
    writer.write(0.0, "o", LOG)
    mine = record(START, nonce=nonce, artifacts=artifacts, items=items, log=writer.close(), width=2000)
    won = flow.commit(RUN, mine)
    book = flow.ledger(RUN)
    book.add(won)
    book.flush()
    flow.finish(RUN, RunEnd(True, 1.0))
    flow.set_tags(RUN, ["done"])


def check(flow: FlowStore) -> None:
    """Whatever was killed where: every object is whole, and what is referred to is there."""
    for info in flow.objects.list(""):
        data = flow.objects.get(info.key)
        part = info.key.split("/")
        if part[1] == "blobs":
            assert sha256(data).hexdigest() == part[-1], info
        elif part[-1] == "manifest":
            assert formats.decode_manifest(data, info.key).owner == "uid-1"
        elif "tasks" in part:
            _check_task(flow)
        elif "logs" in part:
            assert list(logs.frames(data, info.key))
        elif "index" in part:
            assert ledger.decode_index(data, info.key)
        elif "packs" in part:
            assert data.startswith(ledger.MAGIC)
    if flow.objects.stat(f"{flow.flow}/runs/{RUN}/manifest"):
        assert len(flow.index(RUN)) == flow.result_exists(RUN, START)


def _check_task(flow: FlowStore) -> None:
    found = flow.result(RUN, START)
    assert found
    assert found.items
    table = flow.table(RUN, found)
    assert (flow.load(table["big"], name="big"), flow.load(table["small"], name="small")) == (BIG, SMALL)
    assert flow.load_item(found.items, 1999) == 1999
    assert b"".join(frame.data for frame in flow.log(RUN, found)) == LOG
    assert flow.records(RUN, "start", [START] * 3) == [found] * 3


def survive(url: str, point: int) -> bool:
    """Whether the work was killed at this point; either way, what it left is checked, and the work is done again."""
    name = f"Flow{point}"
    child = os.fork()
    if not child:
        flow, killer = FlowStore(open_store(url), name), Killer(point)
        killer.arm_requests() if url.startswith("s3:") else killer.arm_files()
        work(flow, "first")
        os._exit(0)
    _, status = os.waitpid(child, 0)
    killed = os.WIFSIGNALED(status)
    assert killed or status == 0, (point, status)
    flow = FlowStore(open_store(url), name)
    check(flow)
    committed = flow.result(RUN, START) if flow.objects.stat(f"{name}/runs/{RUN}/manifest") else None
    work(flow, "second")
    check(flow)
    won = flow.result(RUN, START)
    assert won
    assert won.nonce == (committed.nonce if committed else "second"), point
    assert flow.end(RUN)
    assert flow.tags(RUN) == ("done",)
    flow.objects.delete([info.key for info in flow.objects.list("")])
    return killed


def main(url: str) -> None:
    point = 0
    while survive(url, point):
        point += 1
    print(point)


if __name__ == "__main__":
    main(sys.argv[1])
