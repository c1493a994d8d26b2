"""Signing a request to S3: AWS Signature Version 4, by the standard library alone."""

from __future__ import annotations

import hmac
import time
from collections.abc import Mapping
from hashlib import sha256

from reflow.store.s3_url import Credentials

EMPTY = sha256(b"").hexdigest()


def signed_headers(
    method: str,
    host: str,
    path: str,
    query: str,
    payload_sha256: str,
    *,
    region: str,
    credentials: Credentials,
    now: float,
    service: str = "s3",
    also: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The headers that sign this request. `path` and `query` as they are sent: encoded, the query sorted
    by name. `also`: headers of the request that are to be signed too: those that begin with `x-amz-`.
    """
    moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    headers = {"host": host, "x-amz-content-sha256": payload_sha256, "x-amz-date": moment, **(also or {})}
    if credentials.token:
        headers["x-amz-security-token"] = credentials.token
    scope = f"{moment[:8]}/{region}/{service}/aws4_request"
    names = ";".join(sorted(headers))
    request = _canonical(method, path, query, headers, names, payload_sha256)
    text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{sha256(request.encode()).hexdigest()}"
    signature = _hmac(_key(credentials.secret_key, scope), text).hex()
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope},"
        f" SignedHeaders={names}, Signature={signature}"
    )
    return headers


def _canonical(
    method: str, path: str, query: str, headers: Mapping[str, str], names: str, payload_sha256: str
) -> str:
    lines = "".join(f"{name}:{headers[name].strip()}\n" for name in sorted(headers))
    return f"{method}\n{path}\n{query}\n{lines}\n{names}\n{payload_sha256}"


def _key(secret: str, scope: str) -> bytes:
    """The key for one day, region and service."""
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = _hmac(key, part)
    return key


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
