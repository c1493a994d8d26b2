"""One installation for the whole suite; on a failure, what the cluster says goes into the report."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.cluster import cluster
from tests.cluster.shell import ClusterError
from tests.e2e import site as sites
from tests.e2e.kubectl import Shell
from tests.e2e.laptop import Laptop
from tests.e2e.site import Site, Team


@pytest.fixture(scope="session")
def shell() -> Shell:
    try:
        return Shell(cluster.environment())
    except ClusterError as error:
        pytest.skip(f"No cluster: {error}")


@pytest.fixture(scope="session")
def site(shell: Shell) -> Iterator[Site]:
    # For work on the suite: REFLOW_TEST_KEEP=1 leaves the installation, REFLOW_TEST_SITE=e2e-… takes it up again.
    installed = sites.install(shell, os.environ.get("REFLOW_TEST_SITE"))
    try:
        yield installed
    finally:
        if not os.environ.get("REFLOW_TEST_KEEP"):
            sites.remove(installed)


@pytest.fixture(scope="session")
def keys_at_hand(site: Site) -> None:
    """The bucket's keys in this process's environment, for the client."""
    os.environ.update(sites.team(site, "story").bucket.keys)


@pytest.fixture(scope="module")
def team(site: Site, keys_at_hand: None, request: pytest.FixtureRequest) -> Team:
    """The namespace that the module names as TEAM."""
    found = sites.team(site, request.module.TEAM)
    if os.environ.get("REFLOW_TEST_SITE"):
        sites.empty(found)
    return found


@pytest.fixture
def laptop(team: Team, tmp_path: Path) -> Laptop:
    return Laptop(tmp_path, team.bucket)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The long rounds only by `-m slow`."""
    if config.getoption("markexpr"):
        return
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.skip(reason="takes minutes: run with -m slow"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        arguments = getattr(item, "funcargs", {})
        found = arguments.get("team")
        if isinstance(found, Team):
            report.sections.append((f"namespace {found.namespace}", found.everything()))
        where = arguments.get("site") or (found.site if isinstance(found, Team) else None)
        if isinstance(where, Site):
            report.sections.append(("the operator's log", where.operator_log()))
    return report
