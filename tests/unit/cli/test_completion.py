from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from reflow.cli.completion import SHELLS, completion
from reflow.cli.toplevel import all_levels

TRY_IN_BASH = """
source "$1"
shift
COMP_WORDS=("$@"); COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
_reflow
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "completion.bash"
    path.write_text(completion("bash", list(all_levels())))
    (tmp_path / "flow.py").touch()
    return path


def offered(script: Path, *words: str) -> set[str]:
    """What bash offers for the last of the words."""
    found = subprocess.run(
        ["bash", "-c", TRY_IN_BASH, "bash", str(script), "reflow", *words],
        cwd=script.parent,
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    )
    assert not found.stderr
    return set(found.stdout.split())


def test_bash_offers_the_commands(script: Path) -> None:
    assert {"run", "resume", "list", "logs", "dump", "tag", "gc", "apply"} <= offered(script, "")
    assert offered(script, "dum") == {"dump"}


def test_bash_offers_a_command_s_own_commands_and_options(script: Path) -> None:
    assert {"add", "remove", "replace", "list"} <= offered(script, "tag", "")
    assert offered(script, "tag", "list", "--hi") == {"--hide-system-tags"}
    assert {"--max-workers"} == offered(script, "run", "flow.py", "--max-w")


def test_bash_offers_files_and_choices_where_they_belong(script: Path) -> None:
    assert offered(script, "run", "fl") == {"flow.py"}
    assert offered(script, "dump", "--file", "fl") == {"flow.py"}
    assert {"bash", "zsh", "fish"} <= offered(script, "completion", "")
    assert offered(script, "run", "flow.py", "--max-workers", "") == set()


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_can_parse_its_script(shell: str, tmp_path: Path) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"no {shell} here: apt-get install {shell}")
    path = tmp_path / "script"
    path.write_text(completion(shell, list(all_levels())))
    subprocess.run([program, "-n", str(path)], check=True, timeout=20)


@pytest.mark.parametrize("shell", SHELLS)
def test_every_command_is_known_to_each_shell(shell: str) -> None:
    levels = list(all_levels())
    text = completion(shell, levels)
    assert all(level.path in text for level in levels)
