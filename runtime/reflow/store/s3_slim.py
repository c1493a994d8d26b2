"""S3 by the standard library alone, for a task's process: quick to import, and no clash with the user's
packages.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from reflow.store import s3_errors, s3_files, s3_multipart
from reflow.store.objects import ObjectInfo, checked
from reflow.store.s3_check import check
from reflow.store.s3_identity import Keys
from reflow.store.s3_url import S3Address
from reflow.store.s3_wire import TRIES, Answer, FileBody, Request, Wire
from reflow.values.errors import StoreUnreachable

if TYPE_CHECKING:
    from reflow.store import s3_xml

_CONFLICTS = 50  # times that a conditional put is tried again while the server says that it meets another
_PAGE = 1000  # keys that one request lists or deletes


class SlimS3:
    """A store below a prefix of a bucket. Safe to use from several threads, and after a fork."""

    parallel = 16

    def __init__(
        self, address: S3Address, around: Callable[[Callable[[], Answer]], Answer] | None = None
    ) -> None:
        """`around`: see Wire."""
        self.address = address
        self._wire = Wire(address, Keys(address).current, around)
        self._prefix = f"{address.prefix}/" if address.prefix else ""

    @property
    def url(self) -> str:
        return self.address.url

    @property
    def scratch(self) -> Path:
        return s3_files.scratch()

    # Reading

    def get(self, key: str) -> bytes:
        return self._send(Request("GET", self._name(key))).body

    def get_range(self, key: str, start: int, length: int) -> bytes:
        if length <= 0:
            return b""
        span = {"range": f"bytes={start}-{start + length - 1}"}
        answer = self._wire.send(Request("GET", self._name(key), headers=span))
        return b"" if answer.status == 416 else self._good(answer, f"GET {key}").body

    def get_into(self, key: str, target: BinaryIO) -> None:
        self._good(self._wire.stream(Request("GET", self._name(key)), target), f"GET {key}")

    def open(self, key: str) -> BinaryIO:
        return s3_files.open_object(self, key)

    def stat(self, key: str) -> ObjectInfo | None:
        answer = self._wire.send(Request("HEAD", self._name(key)))
        if answer.status == 404:
            return None
        headers = self._good(answer, f"HEAD {key}").headers
        return ObjectInfo(key, int(headers["content-length"]), _http_time(headers["last-modified"]))

    def list(self, prefix: str, *, after: str = "") -> Iterator[ObjectInfo]:
        query = {"prefix": self._prefix + prefix}
        if after:
            query["start-after"] = self._prefix + after
        cut = len(self._prefix)
        for page in self._pages(query):
            for info in page.objects:
                yield ObjectInfo(info.key[cut:], info.size, info.modified)

    def list_folders(self, prefix: str) -> Iterator[str]:
        cut = len(self._prefix + prefix)
        for page in self._pages({"prefix": self._prefix + prefix, "delimiter": "/"}):
            for folder in page.folders:
                yield folder[cut:-1]

    def _pages(self, query: dict[str, str]) -> Iterator[s3_xml.Page]:
        from reflow.store import s3_xml

        token: str | None = ""
        while token is not None:
            more = {"continuation-token": token} if token else {}
            request = Request("GET", query={"list-type": "2", "max-keys": str(_PAGE), **query, **more})
            page = s3_xml.parse_page(self._send(request).body)
            yield page
            token = page.next

    # Writing

    def put(self, key: str, data: bytes) -> None:
        self._send(Request("PUT", self._name(key), body=data))

    def put_if_absent(self, key: str, data: bytes) -> bool:
        request = Request("PUT", self._name(key), headers={"if-none-match": "*"}, body=data)
        for number in range(_CONFLICTS):
            answer = self._wire.send(request)
            if answer.status == 412:
                return False
            if answer.status != 409:
                self._good(answer, request.what)
                return True
            time.sleep(min(0.01 * 2**number, 0.5))  # two at once: the server lets neither win yet
        raise StoreUnreachable(f"The store {self.url} didn't settle who may write {key}. Try again later.")

    def put_file(self, key: str, path: Path, sha256: str) -> None:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > s3_multipart.SINGLE_LIMIT:
                s3_multipart.upload(self._send, self._name(key), file, size)
            else:
                self._send(Request("PUT", self._name(key), body=FileBody(file, 0, size, sha256)))

    def move_file(self, key: str, path: Path, sha256: str) -> None:
        self.put_file(key, path, sha256)
        path.unlink()

    def delete(self, keys: Iterable[str]) -> None:
        names = [self._name(key) for key in keys]
        for start in range(0, len(names), _PAGE):
            self._delete(names[start : start + _PAGE])

    def _delete(self, names: Iterable[str]) -> None:
        from base64 import b64encode
        from hashlib import md5

        from reflow.store import s3_xml

        body = s3_xml.delete_request(names)
        digest = b64encode(md5(body, usedforsecurity=False).digest()).decode()
        answer = self._send(Request("POST", query={"delete": ""}, headers={"content-md5": digest}, body=body))
        for name, code, message in s3_xml.parse_delete_errors(answer.body):
            raise s3_errors.explain(self.address, 403, code, message, f"DELETE {name}")

    # The store itself

    def now(self) -> float:
        """By the server's clock, which tells whole seconds."""
        answer = self._wire.send(Request("HEAD"))
        return _http_time(answer.headers["date"]) if "date" in answer.headers else time.time()

    def check(self) -> None:
        self._send(Request("GET", query={"list-type": "2", "max-keys": "1", "prefix": self._prefix}), tries=3)
        check(self, self.address)

    def _name(self, key: str) -> str:
        return self._prefix + checked(key)

    def _send(self, request: Request, tries: int = TRIES) -> Answer:
        return self._good(self._wire.send(request, tries=tries), request.what)

    def _good(self, answer: Answer, what: str) -> Answer:
        if answer.status < 300:
            return answer
        from reflow.store import s3_xml

        code, message = s3_xml.parse_error(answer.body)
        raise s3_errors.explain(self.address, answer.status, code, message, what)


def _http_time(text: str) -> float:
    from email.utils import parsedate_to_datetime

    return parsedate_to_datetime(text).timestamp()
