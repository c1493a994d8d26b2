"""What faulthandler says of a crash, as a traceback of the user's."""

from __future__ import annotations

from pathlib import Path

from reflow.task.crash import traceback_of
from reflow.task.trace import RUNTIME

SAID = """Fatal Python error: Segmentation fault

Thread 0x00007f0000000001 (most recent call first):
  File "/elsewhere/pool.py", line 3 in wait

Current thread 0x00007f0000000000 (most recent call first):
  File "/site/native.py", line 7 in call
  File "{script}", line 2 in start
  File "{runtime}task/execute.py", line 9 in _run
  File "{script}", line 4 in <module>

Extension modules: numpy.core (total: 1)
"""


def test_the_users_frames_of_the_thread_that_crashed_are_shown_the_last_one_last(tmp_path: Path) -> None:
    script = tmp_path / "flow.py"
    script.write_text("def start(self):\n    crash()\n")
    said = SAID.format(script=script, runtime=RUNTIME)
    assert traceback_of(said, str(script), "flow.py").splitlines() == [
        "Traceback (most recent call last):",
        '  File "flow.py", line 2, in start',
        "    crash()",
        '  File "/site/native.py", line 7, in call',
    ]


def test_without_a_word_or_a_frame_of_the_users_there_is_none() -> None:
    assert traceback_of("", "flow.py", "flow.py") == ""
    assert traceback_of('{"record":', "flow.py", "flow.py") == ""
