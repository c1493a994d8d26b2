"""Values that must not be shown: out of a stream of output, and out of a text."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable

SHOWN = "***"
TELLING = b'{"hide":'  # how a line over the control pipe begins that says what to hide


def tell_hidden(secrets: Iterable[str], control: int) -> None:
    """In the task's process, before the user's code runs: have the parent hide these in the output."""
    os.write(control, json.dumps({"hide": list(secrets)}, separators=(",", ":")).encode() + b"\n")


class Hider:
    """Takes a stream in pieces and gives it back without the secrets, even where one is cut in two."""

    def __init__(self) -> None:
        self._secrets: tuple[bytes, ...] = ()
        self._held: dict[str, bytes] = {}

    def heard(self, said: bytes) -> bytes:
        """What came over the control pipe, without the line that says what to hide, which is learnt."""
        if not said.startswith(TELLING) or b"\n" not in said:
            return said
        line, _, rest = said.partition(b"\n")
        self.learn(json.loads(line)["hide"])
        return rest

    def learn(self, secrets: Iterable[str]) -> None:
        """From now on these are hidden."""
        self._secrets = tuple(sorted((one.encode() for one in secrets if one), key=len, reverse=True))
        self._pattern = re.compile(b"|".join(map(re.escape, self._secrets)) or b"(?!)")

    def feed(self, stream: str, data: bytes) -> bytes:
        """What can be shown by now: all but an end that may be the beginning of a secret."""
        if not self._secrets:
            return data
        whole = self._held.pop(stream, b"") + data
        safe = len(whole) - max(_overlap(whole, secret) for secret in self._secrets)
        shown, done = [], 0
        for found in self._pattern.finditer(whole):
            if found.start() >= safe:
                break
            shown += [whole[done : found.start()], SHOWN.encode()]
            done = found.end()
        safe = max(safe, done)
        if safe < len(whole):
            self._held[stream] = whole[safe:]
        return b"".join([*shown, whole[done:safe]])

    def rest(self, stream: str) -> bytes:
        """What was held back, at the stream's end."""
        held = self._held.pop(stream, b"")
        return self._pattern.sub(SHOWN.encode(), held) if held else held


def _overlap(text: bytes, secret: bytes) -> int:
    """How many bytes at the text's end are the secret's beginning."""
    for length in range(min(len(secret) - 1, len(text)), 0, -1):
        if text.endswith(secret[:length]):
            return length
    return 0


def hidden(text: str, secrets: Iterable[str]) -> str:
    """The text without the secrets."""
    for secret in secrets:
        text = text.replace(secret, SHOWN)
    return text
