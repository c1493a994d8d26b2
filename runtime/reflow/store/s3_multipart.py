"""Uploading a big file in parts, each signed and tried again on its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import BinaryIO

from reflow.store.s3_wire import Answer, FileBody, Request

SINGLE_LIMIT = 1 << 30  # bytes: more goes in parts
PART = 256 << 20  # bytes; S3 allows 10,000 parts, so about 2.4 TiB in all
_CHUNK = 1 << 20

Send = Callable[[Request], Answer]


def upload(
    send: Send, name: str, file: BinaryIO, size: int, headers: Mapping[str, str] | None = None
) -> None:
    """`send` raises for an answer that isn't success. What was sent of a failed upload is given up.

    `headers`: what the object is to have besides its content.
    """
    from reflow.store import s3_xml

    started = send(Request("POST", name, {"uploads": ""}, headers or {}))
    upload_id = s3_xml.parse_text(started.body, "UploadId")
    try:
        etags = [
            _send_part(send, name, file, start, min(PART, size - start), upload_id)
            for start in range(0, size, PART)
        ]
        done = send(Request("POST", name, {"uploadId": upload_id}, body=s3_xml.complete_request(etags)))
        _must_be_complete(done)
    except BaseException:
        send(Request("DELETE", name, {"uploadId": upload_id}))
        raise


def _send_part(send: Send, name: str, file: BinaryIO, start: int, length: int, upload_id: str) -> str:
    query = {"partNumber": str(start // PART + 1), "uploadId": upload_id}
    body = FileBody(file, start, length, _hash(file, start, length))
    return send(Request("PUT", name, query, body=body)).headers["etag"]


def _hash(file: BinaryIO, start: int, length: int) -> str:
    digest = sha256()
    file.seek(start)
    while length > 0 and (chunk := file.read(min(length, _CHUNK))):
        digest.update(chunk)
        length -= len(chunk)
    return digest.hexdigest()


def _must_be_complete(done: Answer) -> None:
    """S3 may answer 200 and then say in the body that it failed after all."""
    from reflow.store import s3_xml
    from reflow.values.errors import StoreUnreachable

    code, message = s3_xml.parse_error(done.body)
    if code:
        raise StoreUnreachable(
            f"The store couldn't put the parts of a big object together ({code}: {message})."
        )
