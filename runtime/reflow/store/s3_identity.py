"""The keys to sign with: from the environment, or from the identity that a Pod was given.

Two kinds of ambient identity are known, both of which a cluster announces in the environment: a web identity
token (IRSA) and a container's credentials address (Pod Identity). Their keys are temporary: they are fetched
at the first request, and again shortly before they expire.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from reflow.store import s3_errors
from reflow.store.s3_url import Credentials, S3Address
from reflow.values.errors import StoreError, StoreRefused, StoreUnreachable

_TIMEOUT = 10.0  # seconds
_EARLY = 300.0  # seconds before they expire that keys are renewed


class Keys:
    """The credentials to use now. Safe to use from several threads: at worst two of them renew the keys."""

    def __init__(
        self,
        address: S3Address,
        environ: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._address = address
        self._environ = environ
        self._clock = clock
        self._found = address.credentials
        self._expires: float | None = None

    def current(self) -> Credentials:
        """Raises StoreRefused where there are none."""
        if self._found is None or (self._expires is not None and self._clock() > self._expires - _EARLY):
            self._found, self._expires = self._fetch()
        return self._found

    def _fetch(self) -> tuple[Credentials, float | None]:
        if self._environ.get("AWS_WEB_IDENTITY_TOKEN_FILE") and self._environ.get("AWS_ROLE_ARN"):
            return _web_identity(self._address, self._environ)
        if self._environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI"):
            return _container(self._address, self._environ)
        raise s3_errors.no_keys(self._address)


def _web_identity(address: S3Address, environ: Mapping[str, str]) -> tuple[Credentials, float | None]:
    from urllib.parse import urlencode

    from reflow.store import s3_xml

    query = {
        "Action": "AssumeRoleWithWebIdentity",
        "Version": "2011-06-15",
        "RoleArn": environ["AWS_ROLE_ARN"],
        "RoleSessionName": environ.get("AWS_ROLE_SESSION_NAME", "reflow"),
        "WebIdentityToken": _read_token(environ["AWS_WEB_IDENTITY_TOKEN_FILE"]),
    }
    server = environ.get("AWS_ENDPOINT_URL_STS") or f"https://sts.{address.region}.amazonaws.com"
    body = _fetch(address, "POST", f"{server}/?{urlencode(query)}", {})
    names = ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration")
    key, secret, token, expires = s3_xml.parse_texts(body, names)
    return Credentials(key, secret, token), s3_xml.parse_time(expires) if expires else None


def _container(address: S3Address, environ: Mapping[str, str]) -> tuple[Credentials, float | None]:
    from reflow.store import s3_xml

    file = environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
    token = _read_token(file) if file else environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")
    headers = {"authorization": token} if token else {}
    found = json.loads(_fetch(address, "GET", environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"], headers))
    expires = found.get("Expiration")
    keys = Credentials(found["AccessKeyId"], found["SecretAccessKey"], found.get("Token"))
    return keys, s3_xml.parse_time(expires) if expires else None


def _read_token(file: str) -> str:
    try:
        return Path(file).read_text().strip()
    except OSError as error:
        raise StoreRefused(f"The identity token {file} can't be read: {error.strerror}.") from error


def _fetch(address: S3Address, method: str, url: str, headers: Mapping[str, str]) -> bytes:
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    try:
        with urlopen(Request(url, method=method, headers=dict(headers)), timeout=_TIMEOUT) as answer:
            return bytes(answer.read())
    except HTTPError as error:
        raise _refused(address, error.code) from error
    except OSError as error:
        raise StoreUnreachable(f"No keys for the store {address.url} can be had: {error}.") from error


def _refused(address: S3Address, status: int) -> StoreError:
    text = f"No keys for the store {address.url} can be had: the identity service answers {status}."
    return StoreUnreachable(text) if status in s3_errors.RETRIED else StoreRefused(text)
