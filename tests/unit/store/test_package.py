"""Code packages: one file as it is, several as a zip."""

from __future__ import annotations

from pathlib import Path

import pytest

from reflow.store.package import pack_file, pack_files, read_script, unpack
from reflow.values.errors import CorruptObject


def test_one_file_is_kept_as_it_is_and_unpacked_under_its_name(tmp_path: Path) -> None:
    path = unpack(pack_file(b"x = 1\n"), "flows/debug.py", str(tmp_path))
    assert Path(path) == tmp_path / "flows" / "debug.py"
    assert Path(path).read_bytes() == b"x = 1\n"


def test_the_same_files_give_the_same_package() -> None:
    files = {"flow.py": b"import lib\n", "lib.py": b"y = 2\n"}
    assert pack_files(files) == pack_files(dict(reversed(files.items())))


def test_several_files_are_unpacked_side_by_side(tmp_path: Path) -> None:
    package = pack_files({"flow.py": b"import lib\n", "sub/lib.py": b"y = 2\n"})
    unpack(package, "flow.py", str(tmp_path))
    assert (tmp_path / "sub" / "lib.py").read_bytes() == b"y = 2\n"


def test_a_package_cannot_write_outside_of_its_folder(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    unpack(pack_file(b"x = 1\n"), "../../evil.py", str(inside))
    unpack(pack_files({"../evil.py": b"", "flow.py": b""}), "flow.py", str(inside))
    assert [path.name for path in tmp_path.iterdir()] == ["inside"]


def test_a_truncated_package_is_named_as_such(tmp_path: Path) -> None:
    package = pack_files({"flow.py": b"x = 1\n" * 100, "lib.py": b""})[:-30]
    with pytest.raises(CorruptObject, match="can't be unpacked"):
        unpack(package, "flow.py", str(tmp_path))
    with pytest.raises(CorruptObject, match="can't be read"):
        read_script(package, "flow.py", 1000)


@pytest.mark.parametrize("several", [False, True])
def test_the_script_can_be_read_without_unpacking(several: bool) -> None:
    text = b"x = 1\n"
    package = pack_files({"flow.py": text, "lib.py": b""}) if several else pack_file(text)
    assert read_script(package, "flow.py", 100) == "x = 1\n"
    assert read_script(package, "flow.py", 3) is None


def test_a_package_of_several_files_may_lack_the_script() -> None:
    assert read_script(pack_files({"a.py": b"", "b.py": b""}), "flow.py", 100) is None
