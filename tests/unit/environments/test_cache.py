"""The folder of environments: whole or not there at all."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from reflow.environments.cache import MADE, Cache, cache_root
from reflow.environments.lock import Lock
from reflow.environments.spec import EnvironmentSpec, Kind
from reflow.values.errors import ReflowError

LOCK = Lock(EnvironmentSpec(Kind.PYPI), "3.11", "")


def filled(folder: Path) -> None:
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to("/bin/sh")


def never() -> None:
    raise AssertionError("nobody else holds it")


def test_it_is_where_other_caches_are() -> None:
    assert cache_root({"XDG_CACHE_HOME": "/c"}) == Path("/c/reflow/environments")
    assert cache_root({"XDG_CACHE_HOME": "relative"}) == Path.home() / ".cache/reflow/environments"


def test_an_environment_counts_once_it_is_said_to_be_whole(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    with cache.held("d", never):
        filled(cache.clear("d"))
        assert cache.python("d") is None
        python = cache.complete("d", LOCK)
    assert cache.python("d") == python


def test_one_whose_python_has_gone_is_made_again(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    with cache.held("d", never):
        filled(cache.clear("d"))
        cache.complete("d", LOCK)
        (tmp_path / "d" / "bin" / "python").unlink()
        (tmp_path / "d" / "bin" / "python").symlink_to(tmp_path / "nowhere")
        assert cache.python("d") is None
        cache.clear("d")
    assert not (tmp_path / "d").exists()


def test_who_comes_second_waits_until_it_is_let_go_or_has_waited_enough(tmp_path: Path) -> None:
    first, second = Cache(tmp_path), Cache(tmp_path)
    waited = []
    with ExitStack() as stack:
        stack.enter_context(first.held("d", never))
        with pytest.raises(InterruptedError), second.held("d", interrupted):
            pytest.fail("two hold it")
        with first.held("another", never):
            pass

        def wait() -> None:
            waited.append(len(waited))
            if len(waited) == 3:
                stack.close()

        with second.held("d", wait):
            assert waited == [0, 1, 2]


def interrupted() -> None:
    raise InterruptedError


def test_the_first_answer_of_a_resolver_stays(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    second = Lock(LOCK.spec, "3.11", "other")
    assert cache.answer("w") is None
    assert cache.keep_answer("w", LOCK) == LOCK
    assert cache.keep_answer("w", second) == LOCK
    (tmp_path / "wishes" / "w").write_text("{")
    assert cache.answer("w") is None
    assert cache.keep_answer("w", second) == second


def test_an_environment_finds_reflow_alone(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    folder = cache.runtime()
    assert folder == cache.runtime()
    assert [entry.name for entry in folder.iterdir()] == ["reflow"]
    assert (folder / "reflow" / "environments" / "cache.py").exists()


def test_a_folder_that_cannot_be_written_is_told_with_what_to_set(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cache = Cache(tmp_path / "file" / "below")
    with pytest.raises(ReflowError, match="XDG_CACHE_HOME"), cache.held("d", never):
        pass
    assert not (tmp_path / MADE).exists()
