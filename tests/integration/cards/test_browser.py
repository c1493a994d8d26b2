"""A card in a real browser, with its network off: it's whole, its picture is painted, and nothing runs."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.integration.local.laptop import Laptop

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
BROWSER = next((found for name in NAMES if (found := shutil.which(name))), None)


@pytest.mark.skipif(BROWSER is None, reason="no Chromium here: apt-get install chromium-headless-shell")
@pytest.mark.parametrize("options", [("--type", "default"), ("--id", "numbers")], ids=["default", "numbers"])
def test_a_browser_shows_it_without_a_network_and_runs_nothing_of_the_values(
    reported: Laptop, tmp_path: Path, options: tuple[str, ...]
) -> None:
    file = tmp_path / "card.html"
    assert reported.reflow("card", "report.py", "get", "1/start", str(file), *options).code == 0
    title = f"<title>{'Report/1/start/0' if options[1] == 'default' else 'Numbers &lt;b&gt;'}</title>"
    shown = subprocess.run(
        [
            BROWSER or "",
            *("--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"),
            *(
                "--host-resolver-rules=MAP * ~NOTFOUND",
                "--enable-logging=stderr",
                "--dump-dom",
                file.as_uri(),
            ),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert title in shown.stdout  # a script of a value would have changed it
    assert "CONSOLE" not in shown.stderr, shown.stderr
    assert shown.stdout.count("<svg") == (1 if options[1] == "numbers" else 0)
