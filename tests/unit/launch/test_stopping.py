"""Being told to stop, and told again."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import os, signal, time
from reflow.launch import stopping
stopping.PATIENCE = 0.2
with stopping.StopSignals() as signals:
    os.kill(os.getpid(), signal.SIGINT)
    print(signals.heard(), flush=True)
    os.kill(os.getpid(), signal.SIGINT)  # at once: the same wish
    print("still here", flush=True)
    time.sleep(0.3)
    os.kill(os.getpid(), signal.SIGINT)
    print("never", flush=True)
"""


def test_who_asks_again_after_a_while_is_not_kept_waiting() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert done.stdout == "Ctrl-C\nstill here\n"
    assert "Stopped at once; what still runs ends by itself." in done.stderr
