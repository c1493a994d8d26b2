from __future__ import annotations

from calendar import timegm

from reflow.store.s3_sign import EMPTY, signed_headers
from reflow.store.s3_url import Credentials

# The example credentials and moment of the public documentation of the signature's version 4.
KEYS = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
NOW = float(timegm((2013, 5, 24, 0, 0, 0)))
HOST = "examplebucket.s3.amazonaws.com"


def sign(path: str, query: str, keys: Credentials = KEYS) -> dict[str, str]:
    return signed_headers("GET", HOST, path, query, EMPTY, region="us-east-1", credentials=keys, now=NOW)


def test_a_listing_is_signed_as_in_the_published_example() -> None:
    headers = sign("/", "max-keys=2&prefix=J")
    assert headers["x-amz-date"] == "20130524T000000Z"
    assert headers["authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
        " SignedHeaders=host;x-amz-content-sha256;x-amz-date,"
        " Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
    )


def test_a_temporary_keys_token_is_signed_too() -> None:
    headers = sign("/x", "", Credentials(KEYS.access_key, KEYS.secret_key, "token"))
    assert headers["x-amz-security-token"] == "token"
    assert "x-amz-security-token," in headers["authorization"]


def test_keys_never_show_in_a_representation() -> None:
    assert "wJalr" not in repr(KEYS)
