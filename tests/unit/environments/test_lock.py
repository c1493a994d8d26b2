"""Exact versions: when they're the same, when they may be used again, how a manifest keeps them."""

from __future__ import annotations

import json

import pytest

from reflow.environments.lock import (
    Lock,
    folder_digest,
    from_json,
    lock_from_json,
    lock_to_text,
    to_json,
    wish_digest,
)
from reflow.environments.spec import EnvironmentSpec, Kind
from reflow.values.errors import CorruptObject, NewerFormat

SPEC = EnvironmentSpec(Kind.PYPI, (("alpha", ""),))
PINS = """alpha==1.0 \\
    --hash=sha256:aa
beta==2.1 ; python_full_version < '3.12' \\
    --hash=sha256:bb
"""
LOCK = Lock(SPEC, "3.11", PINS)
EXPLICIT = "@EXPLICIT\nhttps://c/linux-64/py-thing-1.2-h00_1.conda#0123\n"


def test_the_versions_are_told_in_words() -> None:
    assert LOCK.versions == {"alpha": "1.0", "beta": "2.1"}
    conda = Lock(EnvironmentSpec(Kind.CONDA), "3.11", EXPLICIT, "linux-x86_64")
    assert conda.versions == {"py-thing": "1.2"}


def test_the_same_packages_are_the_same_environment_however_they_were_asked_for() -> None:
    other = Lock(EnvironmentSpec(Kind.PYPI, (("alpha", "1.0"), ("beta", ""))), "3.11", PINS)
    assert other.digest == LOCK.digest
    assert Lock(SPEC, "3.12", PINS).digest != LOCK.digest
    assert Lock(SPEC, "3.11", PINS.replace("aa", "cc")).digest != LOCK.digest
    assert folder_digest(LOCK, "linux-x86_64") != folder_digest(LOCK, "darwin-arm64")


@pytest.mark.parametrize(
    ("lock", "spec", "python", "platform", "fits"),
    [
        (LOCK, SPEC, "3.11.9", "darwin-arm64", True),
        (LOCK, SPEC, "3.12.1", "linux-x86_64", False),  # the run has another Python now
        (LOCK, EnvironmentSpec(Kind.PYPI, (("alpha", ">1"),)), "3.11.9", "linux-x86_64", False),
        (Lock(EnvironmentSpec(Kind.PYPI, (), "3.12"), "3.12", ""), EnvironmentSpec(Kind.PYPI, (), "3.12"),
         "3.11.9", "linux-x86_64", True),
        (Lock(SPEC, "3.11", PINS, "linux-x86_64"), SPEC, "3.11.9", "darwin-arm64", False),
    ],
)  # fmt: skip
def test_an_origins_versions_are_used_again_where_they_answer_the_same_wish(
    lock: Lock, spec: EnvironmentSpec, python: str, platform: str, fits: bool
) -> None:
    assert lock.fits(spec, python, platform) == fits


def test_what_is_asked_for_is_found_again_by_its_words_python_and_platform() -> None:
    known = wish_digest(SPEC, "3.11.7", "linux-x86_64")
    assert wish_digest(SPEC, "3.11.9", "linux-x86_64") == known
    assert wish_digest(SPEC, "3.12.0", "linux-x86_64") != known
    assert wish_digest(SPEC, "3.11.7", "darwin-arm64") != known
    assert wish_digest(EnvironmentSpec(Kind.CONDA, SPEC.packages), "3.11.7", "linux-x86_64") != known
    written = [EnvironmentSpec(Kind.PYPI, (("a", version),)) for version in ("1", "==1")]
    assert len({wish_digest(spec, "3.11", "linux") for spec in written}) == 1


def test_a_manifest_keeps_each_lock_once() -> None:
    locks = {"a": LOCK, "b": LOCK, "c": Lock(SPEC, "3.12", PINS, "linux-x86_64")}
    kept = json.loads(json.dumps(to_json(locks)))
    assert len(kept["locks"]) == 2
    assert from_json(kept) == locks
    assert to_json({}) == {}
    assert from_json({}) == {}
    with pytest.raises(NewerFormat):
        from_json({**kept, "v": 2})


@pytest.mark.parametrize(
    ("kind", "packages", "line"),
    [
        (Kind.PYPI, {}, "--index-url http://elsewhere"),
        (Kind.PYPI, {}, "--extra-index-url=http://elsewhere"),
        (Kind.PYPI, {}, "-e ./here"),
        (Kind.PYPI, {}, "-r other.txt"),
        (Kind.PYPI, {}, "alpha @ http://elsewhere/alpha.whl"),
        (Kind.PYPI, {"alpha": "@ http://here/alpha.whl"}, "--index-url http://here/alpha.whl"),
        (Kind.PYPI, {}, "./alpha.whl"),
        (Kind.PYPI, {}, "alpha"),
        (Kind.PYPI, {}, "alpha==1.0 --config-settings=a=b"),
        (Kind.CONDA, {}, "--channel elsewhere"),
        (Kind.CONDA, {}, "alpha=1.0"),
    ],
)
def test_what_a_store_says_is_a_list_of_versions_and_nothing_else(
    kind: Kind, packages: dict[str, str], line: str
) -> None:
    lock = Lock(EnvironmentSpec(kind, tuple(packages.items())), "3.11", f"{line}\n")
    with pytest.raises(CorruptObject, match="is no package's exact version"):
        from_json(to_json({"a": lock}))


@pytest.mark.parametrize(
    ("packages", "line"),
    [
        ({}, "jaraco-x_y.z==1!2.0.post1+local ; python_full_version < '3.12' and sys_platform == 'linux' \\"),
        ({"alpha": "@ http://here/alpha.whl"}, "alpha @ http://here/alpha.whl"),
        ({"git+https://here/alpha": "@main"}, "alpha @ git+https://here/alpha@0123abc"),
        ({"alpha": "@ git+https://here/alpha@main"}, "alpha @ git+https://here/alpha@0123abc"),
    ],
)
def test_what_resolvers_answer_is_taken(packages: dict[str, str], line: str) -> None:
    lock = Lock(EnvironmentSpec(Kind.PYPI, tuple(packages.items())), "3.11", f"{line}\n")
    assert from_json(to_json({"a": lock})) == {"a": lock}


def test_the_cache_keeps_a_lock_as_text() -> None:
    assert lock_from_json(json.loads(lock_to_text(LOCK))) == LOCK
