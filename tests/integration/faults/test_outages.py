"""The store gives no answer for a while: runs wait for it, say so, and go on; told to stop, they don't wait."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contract.store import minio_server
from tests.contract.store.minio_server import Server
from tests.integration.faults import harmed
from tests.integration.faults.conftest import BUCKET, ended, in_bucket
from tests.integration.faults.relay import Relay, answering, relay
from tests.integration.faults.site import Site
from tests.integration.faults.waiting import begun
from tests.integration.local.laptop import Played

pytestmark = pytest.mark.minio
LONG = 5.0  # seconds, more than the store's own quick tries take
BUSY, BROKEN = answering(503, "SlowDown"), b""


@pytest.fixture
def way(minio: Server) -> Iterator[Relay]:
    with relay(minio.endpoint) as found:
        yield found


@pytest.fixture
def site(tmp_path: Path, minio: Server, way: Relay) -> Iterator[Site]:
    """Its commands reach the bucket by the relay alone."""
    yield from ended(Site(tmp_path, in_bucket(minio, way.endpoint)))


def ended_well(site: Site, played: Played, said: str) -> None:
    assert played.code == 0, played.all
    assert said in played.all
    assert "Traceback" not in played.all
    assert site.value(harmed.FLOW, "1", "end/0", "total") == sum(range(harmed.WIDTH))
    ran = [path.name.split()[1] for path in (site.folder / "witness").iterdir()]
    assert sorted(ran) == sorted(set(ran)), "a task ran twice although its process could have waited"
    harmed.nothing_twice(site)


def test_a_server_that_is_killed_and_started_again_costs_a_run_nothing_but_time(
    tmp_path: Path, dice: random.Random
) -> None:
    program = minio_server.program()
    if program is None:
        pytest.skip(minio_server.HOW_TO_GET)
    (tmp_path / "minio").mkdir()
    server = minio_server.start(program, tmp_path / "minio")
    server.make_bucket(BUCKET)
    try:
        with relay(server.endpoint) as way:
            for site in ended(Site(tmp_path, in_bucket(server, way.endpoint))):
                going = begun(site)
                time.sleep(dice.uniform(0, 0.3))
                server.stop()
                time.sleep(LONG)
                server = minio_server.start(program, tmp_path / "minio")
                way.to(server.endpoint)
                ended_well(site, going.end(), "Done!")
    finally:
        server.stop()


@pytest.mark.parametrize("answer", [BUSY, BROKEN], ids=["busy", "broken"])
def test_a_server_in_trouble_for_a_while_is_waited_for(
    site: Site, way: Relay, dice: random.Random, answer: bytes
) -> None:
    going = begun(site)
    time.sleep(dice.uniform(0, 0.3))
    way.answer = lambda request: answer
    way.reset()
    time.sleep(LONG)
    way.answer = lambda request: None
    ended_well(site, going.end(), "Waiting for it")


def test_connections_that_break_again_and_again_are_not_even_noticed(
    site: Site, way: Relay, dice: random.Random
) -> None:
    going = begun(site)
    over = threading.Event()

    def harm() -> None:
        while not over.wait(dice.uniform(0.02, 0.2)):
            way.reset()

    harming = threading.Thread(target=harm)
    harming.start()
    try:
        played = going.end()
    finally:
        over.set()
        harming.join()
    ended_well(site, played, "Done!")


def test_ctrl_c_ends_a_run_whose_store_is_away_and_with_the_store_it_goes_on(
    site: Site, way: Relay, dice: random.Random
) -> None:
    going = begun(site)
    time.sleep(dice.uniform(0, 0.3))
    way.answer = lambda request: BROKEN
    way.reset()
    time.sleep(LONG)
    asked = time.monotonic()
    going.signal(signal.SIGINT)
    played = going.end(40)
    assert time.monotonic() - asked < 12
    harmed.told(played, "gives no answer")
    site.nothing_stays()
    way.answer = lambda request: None
    harmed.goes_on(site, site.folder / "harmed.py")


def only(methods: tuple[bytes, ...]) -> Callable[[bytes], bytes | None]:
    """As a bucket whose key may do no more than this."""
    heads = tuple(method + b" /" for method in (b"GET", b"HEAD", b"PUT", b"POST", b"DELETE"))
    denied = answering(403, "AccessDenied")
    return lambda data: (
        denied if data.startswith(heads) and not data.startswith(tuple(m + b" " for m in methods)) else None
    )


def test_a_key_that_may_only_read_is_told_before_and_within_a_run_and_reading_goes_on(
    site: Site, way: Relay, dice: random.Random
) -> None:
    going = begun(site)
    time.sleep(dice.uniform(0, 0.2))
    way.answer = only((b"GET", b"HEAD"))
    harmed.told(going.end(), "the access key may not do this")
    site.nothing_stays()
    harmed.told(site.run("harmed.py"), "the access key may not do this")
    listed = site.reflow("list", harmed.FLOW)
    assert listed.code == 0, listed.all
    assert site.runs(harmed.FLOW) == ["1"], "a run that can't begin uses no id"
    way.answer = lambda request: None
    harmed.goes_on(site, site.folder / "harmed.py")


def test_wrong_keys_are_told_before_a_run_begins(site: Site) -> None:
    script = harmed.begin(site)
    right = dict(site.environ)
    site.environ["AWS_SECRET_ACCESS_KEY"] = "wrong"
    harmed.told(site.run(script), "the secret key is wrong")
    site.environ["AWS_ACCESS_KEY_ID"] = "nobody"
    harmed.told(site.run(script), "doesn't know the access key")
    site.environ = right
    assert site.runs(harmed.FLOW) == []
