"""`apply --local` of one manifest by several processes at once, and again after it was stopped."""

from __future__ import annotations

import signal

import pytest

from tests.integration.faults import harmed
from tests.integration.faults.site import Site
from tests.integration.faults.test_together import ended_all
from tests.integration.faults.waiting import begun_by
from tests.integration.local.test_apply import flowrun, write


@pytest.fixture
def applying(here: Site) -> tuple[str, ...]:
    """The command that applies the flow's manifest."""
    write(here, flowrun("one", harmed.FLOW, harmed.begin(here).read_text()))
    return "-m", "reflow", "apply", "--local", "-f", "m.yaml"


def test_one_manifest_applied_by_several_at_once_has_one_run(here: Site, applying: tuple[str, ...]) -> None:
    ended = ended_all({f"{n}": here.start(*applying) for n in range(4)})
    assert here.runs(harmed.FLOW) == ["k8s-one"]
    assert any(one.code == 0 for one in ended.values()), [one.all for one in ended.values()]
    for one in ended.values():
        said = ("still running", "Another process", "unchanged: its run k8s-one succeeded", "Done!")
        assert any(word in one.all for word in said), one.all
    ran = [path.name.split()[1] for path in (here.folder / "witness").iterdir()]
    assert len(ran) == len(set(ran)) == harmed.WIDTH + 3
    assert "unchanged" in here.play(*applying).out


def test_a_run_that_was_stopped_has_no_end_while_it_goes_on(here: Site, applying: tuple[str, ...]) -> None:
    going = begun_by(here, *applying)
    going.signal(signal.SIGINT)
    played = going.end()
    end = here.end(harmed.FLOW, "k8s-one")
    if played.code == 0:
        pytest.skip("it was done before the signal came")
    assert end is not None
    assert not end.succeeded
    known = len(list((here.folder / "witness").iterdir()))
    going = begun_by(here, *applying, witnesses=known + 1)
    assert here.end(harmed.FLOW, "k8s-one") is None or going.process.poll() is not None
    assert going.end().code == 0
    end = here.end(harmed.FLOW, "k8s-one")
    assert end is not None
    assert end.succeeded
    harmed.nothing_twice(here)
