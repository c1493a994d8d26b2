"""A way to a server that a test can close, break and fill up: connections go through it byte by byte."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

RESET = struct.pack("ii", 1, 0)  # closing tells the other side that it was no orderly end


class Relay:
    """Listens on a port of its own. `answer`: None lets everything through, else what each request gets instead (b"" is
    a connection that breaks), by the request's first line."""

    def __init__(self, endpoint: str) -> None:
        self.to(endpoint)
        self.answer: Callable[[bytes], bytes | None] = lambda request: None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._live: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def to(self, endpoint: str) -> None:
        """The server may have another port after it was started again."""
        host, _, port = endpoint.rpartition("//")[2].partition(":")
        self._server = host, int(port)

    def reset(self) -> None:
        """Break all connections, in the middle of whatever they carry."""
        for one in list(self._live):
            _break(one)

    def close(self) -> None:
        self._listener.close()
        self.reset()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        self._live.add(client)
        with suppress(OSError), client:
            self._pump(client)
        self._live.discard(client)
        _break(client)

    def _pump(self, client: socket.socket) -> None:
        with socket.socket() as upstream:
            is_connected = False
            while data := client.recv(1 << 16):
                told = self.answer(data)
                if told is not None:
                    _tell(client, told)
                    return
                if not is_connected:
                    upstream.connect(self._server)
                    is_connected = True
                    threading.Thread(target=self._back, args=(upstream, client), daemon=True).start()
                upstream.sendall(data)

    @staticmethod
    def _back(upstream: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while data := upstream.recv(1 << 16):
                client.sendall(data)
        _break(client)


def _tell(client: socket.socket, answer: bytes) -> None:
    if answer:
        client.sendall(answer)
        client.shutdown(socket.SHUT_WR)
        while client.recv(1 << 16):
            pass  # an end with bytes unread would be a reset


def _break(one: socket.socket) -> None:
    with suppress(OSError):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


def answering(status: int, code: str) -> bytes:
    """What an S3 server says with that status."""
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>made by a test</Message></Error>"
    return (
        f"HTTP/1.1 {status} Trouble\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n"
        f"Connection: close\r\n\r\n{body}"
    ).encode()


@contextmanager
def relay(endpoint: str) -> Iterator[Relay]:
    found = Relay(endpoint)
    try:
        yield found
    finally:
        found.close()
