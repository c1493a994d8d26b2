"""Signed requests to an S3 server over kept-alive connections, tried again where that may help.

Connections are a small stack, shared by the threads: one is taken for a request and given back after its
answer was read. A forked child starts with none, since it must not talk over its parent's.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, BinaryIO

from reflow.store import s3_errors
from reflow.store.s3_sign import EMPTY, signed_headers
from reflow.store.s3_url import Credentials, S3Address
from reflow.values.dataclass import dataclass, field
from reflow.values.errors import StoreUnreachable

if TYPE_CHECKING:
    from http.client import HTTPConnection, HTTPResponse

TRIES = 6
FIRST_PAUSE = 0.1  # seconds, doubled each time: about 3 s in all before a store counts as unreachable
CONNECT_TIMEOUT = 5.0  # seconds
READ_TIMEOUT = 60.0  # seconds without a byte
CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Request:
    """`name` is the object's full name in the bucket, empty for the bucket itself. `body`: bytes, or part
    of a file.
    """

    method: str
    name: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | FileBody = b""

    @property
    def what(self) -> str:
        return f"{self.method} {self.name or 'the bucket'}"


@dataclass(frozen=True, slots=True)
class FileBody:
    """`length` bytes of a file from `start`, whose hash is known."""

    file: BinaryIO
    start: int
    length: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is empty where it was streamed."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Wire:
    """Sends requests for one store."""

    def __init__(
        self,
        address: S3Address,
        credentials: Callable[[], Credentials],
        around: Callable[[Callable[[], Answer]], Answer] | None = None,
    ) -> None:
        """`around` is called with what sends a request; it may do so again where that raises StoreUnreachable."""
        from urllib.parse import urlsplit

        self._idle: list[HTTPConnection] = []
        self.address = address
        self._credentials = credentials
        self._around = around
        server = urlsplit(address.endpoint or _amazon(address))
        self._secure = server.scheme == "https"
        self._host = server.netloc
        self._in_path = f"/{address.bucket}" if address.endpoint or "." in address.bucket else ""
        self._pid = os.getpid()

    def close(self) -> None:
        """Close the kept connections; the next request opens a new one."""
        while self._idle:
            self._idle.pop().close()

    def __del__(self) -> None:
        self.close()

    def send(self, request: Request, *, tries: int = TRIES) -> Answer:
        """The answer, whatever its status. Raises StoreUnreachable where there's none after some tries."""
        return self._patiently(lambda: self._retrying(request, None, tries))

    def stream(self, request: Request, target: BinaryIO) -> Answer:
        """As `send`, writing a successful answer's body into `target`. A broken stream goes on where it
        broke.
        """
        sink = _Counted(target)
        return self._patiently(lambda: self._retrying(request, sink, TRIES))

    def _patiently(self, send: Callable[[], Answer]) -> Answer:
        return self._around(send) if self._around else send()

    def _retrying(self, request: Request, sink: _Counted | None, tries: int) -> Answer:
        problem: StoreUnreachable | None = None
        for number in range(tries):
            if number:
                time.sleep(FIRST_PAUSE * 2 ** (number - 1) * (0.5 + os.urandom(1)[0] / 255))
            try:
                answer = self._once(request, sink)
            except StoreUnreachable as error:
                problem = error
                continue
            if answer.status not in s3_errors.RETRIED:
                return answer
            problem = StoreUnreachable(
                f"The store {self.address.url} is busy or in trouble (it answers {answer.status};"
                f" {request.what}). Try again later."
            )
        assert problem
        raise problem

    def _once(self, request: Request, target: _Counted | None) -> Answer:
        """One try. A kept connection that the server has closed meanwhile is replaced at once."""
        from http.client import HTTPException

        while True:
            connection, fresh = self._connect()
            try:
                answer = self._exchange(connection, _resumed(request, target), target)
            except (OSError, HTTPException) as error:
                connection.close()
                if fresh:
                    raise s3_errors.unreachable(self.address, error) from error
                continue
            except BaseException:
                connection.close()
                raise
            if connection.sock is not None:
                self._idle.append(connection)
            return answer

    def _connect(self) -> tuple[HTTPConnection, bool]:
        from http.client import HTTPConnection, HTTPSConnection

        if self._pid != os.getpid():
            self.close()  # the child's copies only: the parent goes on using its own
            self._pid = os.getpid()
        try:
            return self._idle.pop(), False
        except IndexError:
            pass
        if not self._secure:
            return HTTPConnection(self._host, timeout=CONNECT_TIMEOUT, blocksize=CHUNK), True
        import ssl

        trusted = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE") or None)
        return HTTPSConnection(self._host, timeout=CONNECT_TIMEOUT, blocksize=CHUNK, context=trusted), True

    def _exchange(self, connection: HTTPConnection, request: Request, target: _Counted | None) -> Answer:
        path, query = self._path(request)
        headers = {**request.headers, **self._sign(request, path, query)}
        if connection.sock is None:
            connection.connect()
        if connection.sock is not None:
            connection.sock.settimeout(READ_TIMEOUT)
        body = request.body
        if isinstance(body, FileBody):
            headers["content-length"] = str(body.length)
            connection.request(request.method, _target(path, query), _FilePart(body), headers)
        else:
            connection.request(request.method, _target(path, query), body or None, headers)
        return _read_answer(connection.getresponse(), target)

    def _path(self, request: Request) -> tuple[str, str]:
        from urllib.parse import quote

        query = "&".join(f"{quote(n, safe='')}={quote(v, safe='')}" for n, v in sorted(request.query.items()))
        return quote(f"{self._in_path}/{request.name}", safe="/-_.~"), query

    def _sign(self, request: Request, path: str, query: str) -> dict[str, str]:
        body = request.body
        digest = body.sha256 if isinstance(body, FileBody) else sha256(body).hexdigest() if body else EMPTY
        return signed_headers(
            request.method,
            self._host,
            path,
            query,
            digest,
            region=self.address.region,
            credentials=self._credentials(),
            now=time.time(),
            also=self._signed_too(request),
        )

    def _signed_too(self, request: Request) -> dict[str, str]:
        """Headers of the request that the signature covers, besides those that it always does."""
        return {}


class _FilePart:
    """What http.client sends as a body: something to read from, which starts anew with each try."""

    def __init__(self, body: FileBody) -> None:
        self._file = body.file
        self._rest = body.length
        self._file.seek(body.start)

    def read(self, length: int = -1) -> bytes:
        data = self._file.read(self._rest if length < 0 else min(length, self._rest))
        self._rest -= len(data)
        return data


class _Counted:
    """Where a stream goes, and how much of it has arrived."""

    def __init__(self, target: BinaryIO) -> None:
        self._target = target
        self.done = 0

    def write(self, data: bytes) -> None:
        self._target.write(data)
        self.done += len(data)


def _resumed(request: Request, target: _Counted | None) -> Request:
    """The request for what is still missing of a stream."""
    if target is None or not target.done:
        return request
    missing = {**request.headers, "range": f"bytes={target.done}-"}
    return Request(request.method, request.name, request.query, missing)


def _read_answer(response: HTTPResponse, target: _Counted | None) -> Answer:
    headers = {name.lower(): value for name, value in response.getheaders()}
    if target is None or response.status not in (200, 206):
        return Answer(response.status, headers, response.read())
    expected, got = response.length, 0
    while chunk := response.read(CHUNK):
        target.write(chunk)
        got += len(chunk)
    if expected is not None and got < expected:
        raise ConnectionError(f"the answer broke off after {got} of {expected} bytes")
    return Answer(response.status, headers, b"")


def _target(path: str, query: str) -> str:
    return f"{path}?{query}" if query else path


def _amazon(address: S3Address) -> str:
    host = f"s3.{address.region}.amazonaws.com"
    return f"https://{host}" if "." in address.bucket else f"https://{address.bucket}.{host}"
