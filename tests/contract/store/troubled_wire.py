"""A proxy of one's own in front of a server, which can do to the traffic what networks and lesser servers do."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import BinaryIO


@dataclass
class Trouble:
    """What happens to the next requests. Counts are used up one by one; `cut` is bytes of an answer let through."""

    lost_answers: int = 0  # the server does it, and the client never hears
    busy: int = 0  # answered with 503 instead
    cut: int | None = None
    conflicts: int = 0  # conditional puts answered with 409 instead
    ignore_conditions: bool = False  # as a server that doesn't know If-None-Match
    requests: list[bytes] = field(default_factory=list)


@contextmanager
def proxy(endpoint: str) -> Iterator[tuple[str, Trouble]]:
    """The proxy's own endpoint, and the trouble that it makes: none at first."""
    trouble = Trouble()
    host, _, port = endpoint.rpartition("//")[2].partition(":")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stopping = threading.Event()
        thread = threading.Thread(
            target=_accept, args=(listener, (host, int(port)), trouble, stopping), daemon=True
        )
        thread.start()
        address = listener.getsockname()
        try:
            yield f"http://127.0.0.1:{address[1]}", trouble
        finally:
            stopping.set()
            socket.create_connection(address).close()
            thread.join()


def _accept(
    listener: socket.socket, server: tuple[str, int], trouble: Trouble, stopping: threading.Event
) -> None:
    while True:
        client, _ = listener.accept()
        if stopping.is_set():
            client.close()
            return
        threading.Thread(target=_serve, args=(client, server, trouble), daemon=True).start()


def _serve(client: socket.socket, server: tuple[str, int], trouble: Trouble) -> None:
    with client, socket.create_connection(server) as upstream:
        incoming, answers = client.makefile("rb"), upstream.makefile("rb")
        with incoming, answers:
            while request := _message(incoming):
                if not _exchange(client, upstream, answers, request, trouble):
                    return


def _exchange(
    client: socket.socket, upstream: socket.socket, answers: BinaryIO, request: bytes, trouble: Trouble
) -> bool:
    """Whether the connection stays."""
    trouble.requests.append(request)
    conditional = b"if-none-match" in request.lower()
    if trouble.busy > 0:
        trouble.busy -= 1
        client.sendall(_plain(503, b"SlowDown"))
        return True
    if trouble.conflicts > 0 and conditional:
        trouble.conflicts -= 1
        client.sendall(_plain(409, b"ConditionalRequestConflict"))
        return True
    upstream.sendall(request)
    answer = _message(answers, head_only=request.startswith(b"HEAD"))
    if trouble.lost_answers > 0:
        trouble.lost_answers -= 1
        return False
    if trouble.cut is not None and len(answer) > trouble.cut:
        client.sendall(answer[: trouble.cut])
        return False
    if trouble.ignore_conditions and answer.startswith(b"HTTP/1.1 412"):
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    client.sendall(answer)
    return True


def _message(stream: BinaryIO, *, head_only: bool = False) -> bytes:
    """One whole request or answer, empty at the end."""
    head, length = b"", 0
    while line := stream.readline():
        head += line
        if line.lower().startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
        if line == b"\r\n":
            return head if head_only else head + stream.read(length)
    return b""


def _plain(status: int, code: bytes) -> bytes:
    body = b"<?xml version='1.0'?><Error><Code>" + code + b"</Code><Message>made by a test</Message></Error>"
    head = (
        f"HTTP/1.1 {status} Trouble\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
