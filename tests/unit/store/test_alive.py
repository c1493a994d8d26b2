from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from reflow.store import alive, keepalive, layout
from reflow.store.folder import FolderStore
from reflow.values.errors import ReflowError

RUNTIME = Path(__file__).parents[3] / "runtime"
RUN = layout.run("F", "1")


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


def grow_old(store: FolderStore, seconds: float) -> None:
    past = store.now() - seconds
    os.utime(store.root / RUN.alive, (past, past))


def test_a_run_that_is_renewed_by_another_process_is_alive_for_a_minute(store: FolderStore) -> None:
    alive.renew(store, RUN, "uid")
    assert alive.liveness(store, RUN).alive
    grow_old(store, 59)
    found = alive.liveness(store, RUN)
    assert found.alive
    assert 58 < found.age < 61
    grow_old(store, 61)
    assert not alive.liveness(store, RUN).alive


def test_leaving_says_at_once_that_nobody_works_on_the_run(store: FolderStore) -> None:
    with keepalive.KeepAlive(store, RUN, "uid"):
        assert alive.liveness(store, RUN).alive
    assert not alive.liveness(store, RUN).alive
    assert list(store.list("")) == []


def test_a_run_whose_process_was_killed_on_this_host_is_dead_at_once(store: FolderStore) -> None:
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from reflow.store import keepalive, layout\n"
        "from reflow.store.folder import FolderStore\n"
        "with keepalive.KeepAlive(FolderStore(Path(sys.argv[1])), layout.run('F', '1'), 'uid'):\n"
        "    child = os.fork()\n"
        "    if not child:\n"
        "        print('alive', flush=True)\n"
        "        sys.stdin.read()\n"
        "        os._exit(0)\n"
        "    os.waitpid(child, 0)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(store.root)],
        env={"PYTHONPATH": str(RUNTIME)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as owner:
        assert owner.stdout
        assert owner.stdout.readline() == b"alive\n"
        assert alive.liveness(store, RUN).alive
        owner.kill()
        owner.wait()
        found = alive.liveness(store, RUN)  # its forked child is still there, and doesn't count
        assert not found.alive
        assert (found.owner, found.pid) == ("uid", owner.pid)


def test_a_run_on_another_host_is_judged_by_its_age_alone(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = Path(store.lock_path(RUN.alive))
    lock.parent.mkdir(parents=True)
    lock.touch()
    alive.renew(store, RUN, "uid")
    assert not alive.liveness(store, RUN).alive
    store.put(RUN.alive, store.get(RUN.alive).replace(os.uname().nodename.encode(), b"elsewhere"))
    assert alive.liveness(store, RUN).alive


def test_the_thread_renews_until_it_is_told_to_stop(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    renewed: list[str] = []
    monkeypatch.setattr(keepalive, "RENEW", 0.001)
    monkeypatch.setattr(keepalive, "renew", lambda *_: renewed.append("again"))
    with keepalive.KeepAlive(store, RUN, "uid") as kept:
        while len(renewed) < 5:
            kept._thread.join(0.001)
    count = len(renewed)
    assert not kept._thread.is_alive()
    assert len(renewed) == count


def test_two_processes_cannot_work_on_one_run(store: FolderStore) -> None:
    with keepalive.KeepAlive(store, RUN, "uid"):
        with pytest.raises(ReflowError, match="Another process"), keepalive.KeepAlive(store, RUN, "uid"):
            pass
        assert alive.liveness(store, RUN).alive, "the one that is there goes on"
    with keepalive.KeepAlive(store, RUN, "uid"):
        pass
