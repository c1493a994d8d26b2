"""A proxy before an S3 server that counts the requests which pass through it, by verb. Bytes go on unchanged."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from urllib.parse import urlsplit

CHUNK = 1 << 16


class CountingProxy:
    """Listens on a free port of this machine; a context. `counts` may be read, and cleared, at any time."""

    def __init__(self, endpoint: str, host: str = "127.0.0.1") -> None:
        parts = urlsplit(endpoint)
        self._server = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._listener = socket.create_server((host, 0), backlog=256)
        self.endpoint = f"http://{host}:{self._listener.getsockname()[1]}"
        self.counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __enter__(self) -> CountingProxy:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._listener.close()

    def take(self) -> Counter[str]:
        """What was counted since the last time."""
        with self._lock:
            found, self.counts = self.counts, Counter()
        return found

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._server, timeout=60) as server:
            back = threading.Thread(target=_pass_back, args=(server, client), daemon=True)
            back.start()
            try:
                self._pass_on(client, server)
                server.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # the client went away in the middle: no request to count
            back.join(60)

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        """Request by request: the head is read whole, the body is passed on by its length."""
        buffer = b""
        while True:
            while b"\r\n\r\n" not in buffer:
                data = client.recv(CHUNK)
                if not data:
                    return
                buffer += data
            head, _, buffer = buffer.partition(b"\r\n\r\n")
            self._count(head)
            server.sendall(head + b"\r\n\r\n")
            left = body_length(head)
            while left > 0:
                data = buffer[:left] or client.recv(min(left, CHUNK))
                if not data:
                    return
                buffer = buffer[len(data) :]
                left -= len(data)
                server.sendall(data)

    def _count(self, head: bytes) -> None:
        verb = verb_of(head)
        with self._lock:
            self.counts[verb] += 1


def _pass_back(server: socket.socket, client: socket.socket) -> None:
    try:
        while data := server.recv(CHUNK):
            client.sendall(data)
        client.shutdown(socket.SHUT_WR)
    except OSError:
        return


def verb_of(head: bytes) -> str:
    """PUT, GET, HEAD, DELETE, POST; LIST where a bucket's content is asked for."""
    verb, target, *_ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
    return "LIST" if verb == "GET" and "list-type=" in target else verb


def body_length(head: bytes) -> int:
    """Bytes of the request's body."""
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    return 0
