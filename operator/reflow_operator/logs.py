"""The operator's own log: lines for people, or JSON for a collector."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

QUIET = (
    "kopf",
    "asyncio",
    "urllib3",
    "aiohttp",
)  # told from WARNING on: their INFO is of no use to an operator's user


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def set_up(form: str, level: str) -> None:
    """Log to stderr. `form`: text or json."""
    handler = logging.StreamHandler(sys.stderr)
    plain = logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    handler.setFormatter(JsonFormatter() if form == "json" else plain)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    # It warns of each try; that a store can't be reached is told once, by us.
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)
