"""Where an S3 store is, and with which keys, from its address and the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping

from reflow.values.dataclass import dataclass, field
from reflow.values.errors import UsageError


@dataclass(frozen=True, slots=True)
class Credentials:
    """An access key. `token` goes with temporary ones."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class S3Address:
    """A bucket, a prefix in it (no slash at either end) and the server. No endpoint means Amazon's own."""

    bucket: str
    prefix: str = ""
    endpoint: str | None = None
    region: str = "us-east-1"
    credentials: Credentials | None = None

    @staticmethod
    def parse(url: str, environ: Mapping[str, str]) -> S3Address:
        """`s3://bucket/prefix?endpoint=http://host:port&region=…`. Raises UsageError saying what is wrong."""
        from urllib.parse import parse_qsl, urlsplit

        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        unknown = sorted(set(query) - {"endpoint", "region"})
        if unknown:
            raise UsageError(
                f"The store {url!r} has an unknown part {unknown[0]!r}: only endpoint and region are known."
            )
        if not parts.netloc or "@" in parts.netloc or ":" in parts.netloc:
            raise UsageError(
                f"The store {url!r} isn't an address like s3://bucket/prefix?endpoint=http://host:9000."
                " Keys belong into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
            )
        if not _BUCKET.fullmatch(parts.netloc):
            raise UsageError(
                f"The store {url!r}: {parts.netloc!r} can't be a bucket's name, which has 3 to 63 lower-case letters,"
                " digits, dots and hyphens."
            )
        endpoint = (
            query.get("endpoint") or environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL")
        )
        if endpoint:
            server = urlsplit(endpoint)
            if server.scheme not in ("http", "https") or not server.hostname or server.path not in ("", "/"):
                raise UsageError(f"The store's endpoint {endpoint!r} isn't an address like http://host:9000.")
            endpoint = f"{server.scheme}://{server.netloc}"
        return S3Address(
            parts.netloc,
            parts.path.strip("/"),
            endpoint,
            query.get("region")
            or environ.get("AWS_REGION")
            or environ.get("AWS_DEFAULT_REGION")
            or "us-east-1",
            _from_environment(environ),
        )

    @property
    def url(self) -> str:
        """The address without keys."""
        from urllib.parse import quote

        query = f"?endpoint={quote(self.endpoint, safe=':/')}&region={self.region}" if self.endpoint else ""
        path = f"/{self.prefix}" if self.prefix else ""
        return f"s3://{self.bucket}{path}{query or f'?region={self.region}'}"


_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


def _from_environment(environ: Mapping[str, str]) -> Credentials | None:
    key, secret = environ.get("AWS_ACCESS_KEY_ID"), environ.get("AWS_SECRET_ACCESS_KEY")
    if not key or not secret:
        return None
    return Credentials(key, secret, environ.get("AWS_SESSION_TOKEN") or None)
