"""`NBRunner`: a flow that is defined in a notebook's cell."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reflow.client.run import Run
from reflow.runner.executing import ExecutingRun
from reflow.runner.runner import Runner
from reflow.values.errors import UsageError


class NBRunner(Runner):
    """Runs a flow of this notebook: its cell, whole, becomes a script, so what the flow imports stands in that cell.

    run = NBRunner(MyFlow).nbrun(alpha=0.5)
    """

    def __init__(
        self,
        flow: type,
        show_output: bool = True,
        profile: str | None = None,
        env: Mapping[str, str] | None = None,
        base_dir: str | Path | None = None,
        **options: Any,
    ) -> None:
        """`base_dir`: where the script is written, else a folder that goes with `cleanup`. `options`: as Runner's.

        Raises UsageError outside of a notebook.
        """
        self._script_folder = tempfile.TemporaryDirectory(
            prefix="reflow-notebook-", ignore_cleanup_errors=True
        )
        folder = Path(base_dir) if base_dir is not None else Path(self._script_folder.name)
        script = folder / f"{flow.__name__.lower()}.py"
        script.write_text(as_script(cell_of(flow.__name__, cells()), flow.__name__), "utf-8")
        environment = {**(env or {}), "JPY_PARENT_PID": ""}  # the run is no kernel of the notebook's
        super().__init__(script, show_output, profile, environment, **options)

    def nbrun(self, **options: Any) -> Run:
        """Run to the end, and clean up."""
        return self._only_run(self.run(**options))

    def nbresume(self, step_to_rerun: str | None = None, **options: Any) -> Run:
        """Resume to the end, and clean up."""
        return self._only_run(self.resume(step_to_rerun, **options))

    def _only_run(self, ended: ExecutingRun) -> Run:
        try:
            return ended.run
        finally:
            self.cleanup()

    def cleanup(self) -> None:
        """Stop what still runs, and remove the script and the files of its output."""
        super().cleanup()
        self._script_folder.cleanup()


def cells() -> Sequence[str]:
    """The notebook's cells, in the order in which they ran. Raises UsageError where this is no notebook."""
    try:
        from IPython import get_ipython  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        shell = None
    else:
        shell = get_ipython()
    if shell is None:
        raise UsageError("NBRunner works in a notebook; for a flow in a file, use Runner.")
    found: Sequence[str] = shell.user_ns["In"]
    return found


def cell_of(flow: str, ran: Sequence[str]) -> str:
    """The last cell that defined the class. Raises UsageError."""
    wanted = re.compile(rf"^class\s+{re.escape(flow)}\b", re.M)
    for cell in reversed(ran):
        if wanted.search(cell):
            return cell
    raise UsageError(f"No cell of this notebook defines the class {flow}.")


def as_script(cell: str, flow: str) -> str:
    """A script of the cell: without the notebook's own commands, and with the flow's command line at its end."""
    lines = ["" if line.startswith(("%", "!")) else line for line in cell.splitlines()]
    return "\n".join(lines) + f"\n\n\nif __name__ == '__main__':\n    {flow}()\n"
