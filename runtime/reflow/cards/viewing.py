"""Showing a card in a browser."""

from __future__ import annotations

import os
import tempfile
import webbrowser
from hashlib import sha256
from pathlib import Path


def view(html: str, name: str) -> Path | None:
    """Write it into a file of one's own and open that in a browser. None where there is no browser to open."""
    folder = Path(tempfile.gettempdir()) / f"reflow-cards-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        folder = Path(tempfile.mkdtemp(prefix="reflow-cards-"))
    file = folder / f"{sha256(name.encode()).hexdigest()[:16]}.html"
    file.write_text(html, encoding="utf-8")
    return file if webbrowser.open(file.as_uri()) else None
