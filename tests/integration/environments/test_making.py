"""Environments are made at the same time, once, whole, whoever is killed; what can't be made is told first."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest

from tests.integration.environments.conftest import Bench
from tests.integration.environments.wheelhouse import wheel

BODY = """
    @pypi(packages={"alpha": "1.0"})
    @step
    def start(self):
        import alpha
        self.next(self.end)

    @pypi(packages={"gamma": "1.0"})
    @step
    def end(self):
        import gamma
        self.version = gamma.VERSION
"""
# The first who comes here waits for the second: if one came after the other had ended, both would wait for ever.
MEET = """
if [ "$2" = compile ]; then
    if mkdir {folder}/first 2>/dev/null; then read x < {folder}/meeting; else echo x > {folder}/meeting; fi
fi
"""
# Leave a half-made environment, say so, and wait to be let go.
STALL = """
if [ "$1" = venv ]; then
    for last; do case "$last" in {cache}*) mkdir -p "$last/lib"; echo half > "$last/lib/half";; esac; done
    echo stalled > {folder}/stalled
    read x < {folder}/go
fi
"""


def test_environments_are_made_at_the_same_time(bench: Bench) -> None:
    os.mkfifo(bench.tools / "meeting")
    bench.before_uv(MEET.format(folder=bench.tools))
    script = bench.flow("Two", BODY)
    played = bench.run(script)
    assert played.code == 0, played.all
    assert len(bench.environments) == 2


def test_two_runs_at_the_same_time_make_each_environment_once(bench: Bench) -> None:
    script = bench.flow("Twice", BODY)
    going = [bench.start(str(script), "run") for _ in range(2)]
    ended = [one.end() for one in going]
    assert [one.code for one in ended] == [0, 0], ended[0].all + ended[1].all
    assert len([call for call in bench.calls if call.startswith("venv")]) == 2
    first, second = (bench.manifest("Twice", run).environments for run in ("1", "2"))
    assert first == second


def test_a_run_killed_while_it_makes_one_leaves_nothing_that_is_taken_for_whole(bench: Bench) -> None:
    for name in ("stalled", "go"):
        os.mkfifo(bench.tools / name)
    bench.before_uv(STALL.format(folder=bench.tools, cache=bench.cache))
    script = bench.flow(
        "Killed",
        BODY.replace('    @pypi(packages={"gamma": "1.0"})\n', "").replace("import gamma", "gamma = None")
        .replace("gamma.VERSION", "'none'"),
    )  # fmt: skip
    going = bench.start(str(script), "run")
    assert (bench.tools / "stalled").read_text() == "stalled\n"
    going.kill()
    assert going.end().code == -signal.SIGKILL
    halves = list((bench.cache / "reflow" / "environments").glob("*/lib/half"))
    assert len(halves) == 1
    assert bench.environments == []

    # What it started still works on that environment, so the next run waits for its end, and makes it anew.
    bench.before_uv("")
    bench.forget_calls()
    second = bench.start(str(script), "run")
    first_line = second.process.stdout.readline()  # type: ignore[union-attr]
    assert "Making the environment of step start" in first_line
    (bench.tools / "go").write_text("go\n")
    ended = second.end()
    assert ended.code == 0, ended.all
    assert not halves[0].exists()
    assert bench.runs("Killed") == ["1"]


def test_ctrl_c_while_environments_are_made_ends_it_all(bench: Bench) -> None:
    for name in ("stalled", "go"):
        os.mkfifo(bench.tools / name)
    bench.before_uv(STALL.format(folder=bench.tools, cache=bench.cache))
    script = bench.flow("Stopped", BODY)
    going = bench.start(str(script), "run")
    assert (bench.tools / "stalled").read_text().startswith("stalled\n")
    going.signal(signal.SIGINT)
    ended = going.end()
    assert ended.code == 1
    assert "Traceback" not in ended.all
    assert bench.files() == []


def test_ctrl_c_while_another_process_makes_the_same_ends_it_at_once(bench: Bench) -> None:
    for name in ("stalled", "go"):
        os.mkfifo(bench.tools / name)
    bench.before_uv(STALL.format(folder=bench.tools, cache=bench.cache))
    script = bench.flow(
        "Waits", BODY.replace('    @pypi(packages={"gamma": "1.0"})\n', "").replace("gamma", "sys")
    )
    first = bench.start(str(script), "run")
    assert (bench.tools / "stalled").read_text() == "stalled\n"

    second = bench.start(str(script), "run")
    lines = [second.process.stdout.readline() for _ in range(2)]  # type: ignore[union-attr]
    assert "Making the environment of step start" in lines[0]
    assert "Waiting for another process that makes the environment of step start." in lines[1]
    second.signal(signal.SIGINT)
    ended = second.end()
    assert ended.code == 1
    assert "Traceback" not in ended.all
    assert "Waiting" not in ended.all, "it is said once"
    assert first.process.poll() is None, "the first was still at it"

    first.signal(signal.SIGINT)
    assert first.end().code == 1


REFUSED = {
    "wrong version": (
        '@pypi(packages={"alpha": "9.9"})',
        "start (@pypi: alpha==9.9) can't be made: No solution found",
        "alpha==9.9",
    ),
    "unknown package": ('@pypi(packages={"nosuch": ""})', "start (@pypi: nosuch) can't be made", "nosuch"),
    "nonsense": ('@pypi(packages={"alpha": "not a version"})', "start (@pypi: alpha==not a version)", "not a version"),
    "no conda": ('@conda(packages={"alpha": "1.0"})', "none of conda, mamba, micromamba is on PATH", "Install one"),
    "both": (
        '@conda(packages={"alpha": "1.0"})\n    @pypi(packages={"gamma": ""})',
        "Step 'start': has packages by @pypi and by @conda",
        "Take one of the two",
    ),
    "no such Python": ('@pypi(python="3.99")', "start (@pypi: no packages with Python 3.99) can't be made", "3.99"),
}  # fmt: skip


@pytest.mark.parametrize(("decorator", "said", "also"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_made_is_told_before_the_run_starts(
    bench: Bench, decorator: str, said: str, also: str
) -> None:
    script = bench.flow("Refused", BODY.replace('@pypi(packages={"alpha": "1.0"})', decorator))
    played = bench.run(script)
    assert played.code == 1
    assert said in played.err
    assert also in played.err
    line = next(n for n, text in enumerate(script.read_text().splitlines(), 1) if "def start" in text)
    assert f"refused.py:{line}:" in played.err
    assert "Traceback" not in played.err
    assert bench.runs("Refused") == []
    if "Take one" in also:
        checked = bench.play(str(script), "check")
        assert (checked.code, said in checked.err) == (1, True)


def test_without_uv_it_is_said_how_to_get_it(bench: Bench) -> None:
    (bench.tools / "bin" / "uv").unlink()
    played = bench.run(bench.flow("NoUv", BODY))
    assert played.code == 1
    assert "pip install 'reflow[pypi]'" in played.err
    assert "nouv.py:" in played.err
    assert bench.runs("NoUv") == []


def test_an_attribute_that_makes_no_sense_is_told_with_its_line(bench: Bench) -> None:
    for decorator, said in (
        ('@pypi(packages=["alpha"])', "@pypi: packages=['alpha']: this is a dictionary"),
        ('@pypi(python="3.9")', "@pypi: python='3.9': a task needs Python 3.11 or newer"),
        ('@pypi(package={"alpha": "1.0"})', "@pypi takes no 'package'; it takes disabled, packages, python"),
    ):
        script = bench.flow("Nonsense", BODY.replace('@pypi(packages={"alpha": "1.0"})', decorator))
        played = bench.run(script)
        assert played.code == 1
        assert said in played.err


def test_a_resume_has_the_versions_of_its_origin_wherever_they_were_made(bench: Bench) -> None:
    body = """
        @pypi(packages={"alpha": "<2", "gamma": ""})
        @step
        def start(self):
            import alpha
            self.first = alpha.VERSION
            self.next(self.middle)

        @pypi(packages={"alpha": "<2"})
        @step
        def middle(self):
            import alpha
            self.second = alpha.VERSION
            if not os.path.exists("fixed"):
                raise ValueError("not yet")
            self.next(self.end)

        @step
        def end(self):
            pass
    """
    script = bench.flow("Locked", body)
    assert bench.run(script).code == 1
    origin = bench.manifest("Locked", "1").environments

    # Another machine, and a newer release that the range lets in.
    shutil.rmtree(bench.cache)
    wheel(bench.packages, "alpha", "1.9")
    (bench.folder / "fixed").touch()
    bench.forget_calls()
    resumed = bench.resume(script)
    assert resumed.code == 0, resumed.all
    assert bench.value("Locked", "2", "end/0", "second") == "1.1"
    assert [call for call in bench.calls if "compile" in call.split()[:2]] == []
    assert len(bench.environments) == 1  # what is cloned needs none
    assert bench.manifest("Locked", "2").environments == origin

    # A resume of the resume still knows those of the step that was cloned; changed pins make a new one.
    script = bench.flow("Locked", body.replace('{"alpha": "<2"}', '{"alpha": "<2", "beta": ""}'))
    again = bench.resume(script, "start")
    assert again.code == 0, again.all
    assert bench.value("Locked", "3", "end/0", "first") == "1.1"
    assert bench.value("Locked", "3", "end/0", "second") == "1.9"
    assert "Making the environment of step middle, once: alpha<2, beta" in again.out


def other_python() -> str | None:
    """A Python of another version that Reflow's runtime knows."""
    import sys

    kept = sorted(Path(os.path.expanduser("~/.pyenv/versions")).glob("3.1[1-9].*/bin"))
    folders = [*os.environ["PATH"].split(os.pathsep), *map(str, kept)]
    for number in range(11, 20):
        if number != sys.version_info.minor:
            for folder in folders:
                path = Path(folder, f"python3.{number}")
                if os.access(path, os.X_OK) and "shims" not in path.parts:
                    return str(path)
    return None


def test_a_step_may_have_another_python(bench: Bench) -> None:
    python = other_python()
    if python is None:
        pytest.skip("no other Python here")
    version = Path(python).name.removeprefix("python")
    bench.environ["PATH"] = f"{bench.environ['PATH']}:{Path(python).parent}"
    script = bench.flow(
        "Other",
        f"""
        @step
        def start(self):
            self.items = [{{1: "one"}}, {{2, 3}}]
            self.next(self.each, foreach="items")

        @pypi(packages={{"alpha": "1.0"}}, python="{version}")
        @step
        def each(self):
            import alpha
            self.mine = self.input, alpha.VERSION, "%d.%d" % sys.version_info[:2]
            self.next(self.join)

        @step
        def join(self, inputs):
            self.all = [one.mine for one in inputs]
            self.next(self.end)

        @step
        def end(self):
            pass
        """,
    )
    played = bench.run(script)
    assert played.code == 0, played.all
    found = bench.value("Other", "1", "end/0", "all")
    assert found == [({1: "one"}, "1.0", version), ({2, 3}, "1.0", version)]
    assert bench.record("Other", "1", "each/0").python.startswith(f"{version}.")


def test_a_package_may_come_from_an_address(bench: Bench) -> None:
    address = (bench.packages / "alpha-1.0-py3-none-any.whl").as_uri()
    script = bench.flow(
        "Addressed",
        BODY.replace('"alpha": "1.0"', f'"alpha": "@ {address}"').replace(
            "gamma.VERSION", "gamma.VERSION, 1 / 0"
        ),
    )
    assert bench.run(script).code == 1
    bench.forget_calls()
    bench.flow("Addressed", BODY.replace('"alpha": "1.0"', f'"alpha": "@ {address}"'))
    again = bench.resume(script, "start")
    assert again.code == 0, again.all
    assert bench.calls == []
    assert bench.manifest("Addressed", "2").environments == bench.manifest("Addressed", "1").environments
