from __future__ import annotations

from pathlib import Path

import pytest

from reflow.store.folder import FolderStore
from reflow.store.open import Found, find_store, open_store
from reflow.values.errors import UsageError


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose configuration names a store, with a script in a folder, and a working directory elsewhere."""
    (tmp_path / "project" / "flows").mkdir(parents=True)
    (tmp_path / "work" / "below").mkdir(parents=True)
    (tmp_path / "project" / "pyproject.toml").write_text('[tool.reflow]\nstore = "s3://bucket/p"\n')
    return tmp_path / "project"


def test_the_option_comes_before_all(project: Path) -> None:
    found = find_store("/x", project / "flows" / "f.py", project, {"REFLOW_STORE": "/y"})
    assert found == Found("/x", "--store")


def test_the_environment_comes_before_the_project(project: Path) -> None:
    found = find_store(None, project / "flows" / "f.py", project, {"REFLOW_STORE": "y"})
    assert found == Found(str(project / "y"), "REFLOW_STORE")


def test_the_project_is_the_one_above_the_script_not_above_the_working_directory(project: Path) -> None:
    work = project.parent / "work"
    found = find_store(None, project / "flows" / "f.py", work, {})
    assert found == Found("s3://bucket/p", str(project / "pyproject.toml"))
    assert find_store(None, work / "f.py", work, {}).url == str(work / ".reflow")


def test_a_pyproject_that_says_nothing_of_a_store_is_passed_over(project: Path) -> None:
    (project / "flows" / "pyproject.toml").write_text("[tool.other]\nx = 1\n")
    assert find_store(None, project / "flows" / "f.py", project, {}).url == "s3://bucket/p"


def test_a_relative_folder_counts_from_the_file_that_names_it(project: Path) -> None:
    (project / "flows" / "reflow.toml").write_text('store = "../data"\n')
    found = find_store(None, project / "flows" / "f.py", project.parent, {})
    assert found == Found(str(project / "flows" / "../data"), str(project / "flows" / "reflow.toml"))


def test_the_nearest_reflow_folder_above_the_working_directory_is_taken(project: Path) -> None:
    work = project.parent / "work"
    (work / ".reflow").mkdir()
    found = find_store(None, work / "f.py", work / "below", {})
    assert found.url == str(work / ".reflow")


def test_where_nothing_is_said_it_is_a_folder_in_the_working_directory(project: Path) -> None:
    work = project.parent / "work" / "below"
    found = find_store(None, work / "f.py", work, {})
    assert found.url == str(work / ".reflow")
    assert "default" in found.where
    assert not (work / ".reflow").exists()


@pytest.mark.parametrize(("text", "why"), [("store = [", "can't be read"), ("store = 3", "must be text")])
def test_a_configuration_that_is_wrong_is_named(project: Path, text: str, why: str) -> None:
    (project / "flows" / "reflow.toml").write_text(text)
    with pytest.raises(UsageError, match=rf"reflow\.toml.*{why}"):
        find_store(None, project / "flows" / "f.py", project, {})


def test_an_unknown_kind_of_store_is_refused() -> None:
    with pytest.raises(UsageError, match="not gs://"):
        open_store("gs://bucket")


def test_a_path_is_a_folder(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "s"))
    assert isinstance(store, FolderStore)
    assert store.url == str(tmp_path / "s")
