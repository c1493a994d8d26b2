"""The seed's story, played on this machine: a flow fails, is resumed, is fixed, and is resumed to its end.

Each command is shown before its output. Exit code 0 only if each step did what it should.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
BIN = Path(sys.executable).parent


class Unexpected(Exception):
    """A step of the story went otherwise."""


class Story:
    """Commands played in one folder, each shown, run and checked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("REFLOW_", "METAFLOW_"))
            },
            "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}",
            "PYTHONUNBUFFERED": "1",
        }

    def say(self, text: str) -> None:
        print(f"\n# {text}", flush=True)

    def play(
        self, command: str, *, exit_code: int, shows: Sequence[str] = (), hides: Sequence[str] = ()
    ) -> None:
        """Run it; its output must hold each of `shows` and none of `hides`."""
        print(f"\n$ {command}", flush=True)
        process = subprocess.Popen(
            shlex.split(command),
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line)
        output = "".join(lines)
        code = process.wait(timeout=60)
        if code != exit_code:
            raise Unexpected(f"`{command}` ended with {code}, not {exit_code}")
        for text in shows:
            if text not in output:
                raise Unexpected(f"`{command}` did not print {text!r}")
        for text in hides:
            if text in output:
                raise Unexpected(f"`{command}` printed {text!r}")

    def fix(self, file: str) -> None:
        """The fix: `int('2fail')` becomes `int('2')`."""
        print(f"\n$ sed -i \"s/int('2fail')/int('2')/\" {file}", flush=True)
        path = self.folder / file
        path.write_text(path.read_text().replace("int('2fail')", "int('2')"))


FAILURE = (
    "line 16, in b",
    "ValueError: invalid literal for int() with base 10: '2fail'",
    "Step failure:",
    "Step b (task-id 0) failed.",
)
REUSED = ("Cloning previously run task", "/start/0", "/a/0")


def on_a_script(story: Story, command: str, script: str) -> None:
    """Fail, resume (fails again), fix, resume."""
    story.play(command.format("run"), exit_code=1, shows=("Workflow starting (run-id", *FAILURE))
    story.say("Nothing was changed: the same error under the next run id, with start and a reused.")
    story.play(command.format("resume"), exit_code=1, shows=(*REUSED, *FAILURE), hides=("total is",))
    story.say("The fix, and on from the step that failed.")
    story.fix(script)
    story.play(command.format("resume"), exit_code=0, shows=(*REUSED, "total is 3", "Done!"))


def on_manifests(story: Story) -> None:
    """The same from manifests, in the foreground: what `kubectl apply -f` does on a cluster."""
    story.play("reflow apply --local -f flowrun.yaml", exit_code=1, shows=FAILURE)
    story.play("reflow apply --local -f resume.yaml", exit_code=0, shows=(*REUSED, "total is 3", "Done!"))


def main() -> int:
    folder = Path(tempfile.mkdtemp(prefix="reflow-demo-"))
    story = Story(folder)
    try:
        for name in ("debug.py", "debug_metaflow.py", "flowrun.yaml", "resume.yaml"):
            shutil.copy(HERE / "debug" / name, folder)
        story.say("A flow with an error in step b.")
        on_a_script(story, "python debug.py {}", "debug.py")
        story.say("The same file as written for Metaflow, unmodified.")
        on_a_script(story, "reflow {} debug_metaflow.py", "debug_metaflow.py")
        story.say("The same from a FlowRun's and a Resume's manifests.")
        on_manifests(story)
    except Unexpected as problem:
        print(f"\nThe demo did not do what it should: {problem}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print("\nThe demo did what it should.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
