"""JSON messages and descriptors over a Unix socket, between a launcher and its fork server."""

from __future__ import annotations

import json
import os
import socket
import struct
from collections.abc import Mapping, Sequence
from typing import Any

_LENGTH = struct.Struct("!I")
MOST_DESCRIPTORS = 8


class Connection:
    """One end. Messages are whole: four bytes of length, then JSON; descriptors come with a message's first bytes."""

    def __init__(self, own: socket.socket) -> None:
        self._socket = own

    def fileno(self) -> int:
        return self._socket.fileno()

    def send(self, message: Mapping[str, Any], descriptors: Sequence[int] = ()) -> None:
        """Raises OSError where the other end is gone."""
        data = json.dumps(message).encode()
        data = _LENGTH.pack(len(data)) + data
        sent = socket.send_fds(self._socket, [data], list(descriptors))
        self._socket.sendall(data[sent:])

    def receive(self) -> tuple[dict[str, Any], list[int]] | None:
        """Wait for the next message. None once the other end is gone."""
        try:
            head, descriptors, _, _ = socket.recv_fds(self._socket, _LENGTH.size, MOST_DESCRIPTORS)
        except ConnectionError:
            return None
        head += self._exactly(_LENGTH.size - len(head)) if head else b""
        if len(head) < _LENGTH.size:
            return None
        body = self._exactly(_LENGTH.unpack(head)[0])
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)
        return json.loads(body), descriptors

    def _exactly(self, count: int) -> bytes:
        parts = []
        while count:
            part = self._socket.recv(min(count, 1 << 16))
            if not part:
                return b""
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def close(self) -> None:
        self._socket.close()
