from __future__ import annotations

import pytest

from reflow.store.s3_url import Credentials, S3Address
from reflow.values.errors import UsageError


def test_an_address_names_bucket_prefix_endpoint_and_region() -> None:
    address = S3Address.parse("s3://bucket/a/prefix/?endpoint=http://h:9000/&region=eu-west-1", {})
    assert address == S3Address("bucket", "a/prefix", "http://h:9000", "eu-west-1")
    assert address.url == "s3://bucket/a/prefix?endpoint=http://h:9000&region=eu-west-1"
    assert S3Address.parse(address.url, {}) == address


def test_what_the_address_leaves_out_comes_from_the_environment() -> None:
    environ = {
        "AWS_ENDPOINT_URL": "https://s3.example.org",
        "AWS_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SESSION_TOKEN": "token",
    }
    address = S3Address.parse("s3://bucket", environ)
    assert (address.endpoint, address.region) == ("https://s3.example.org", "eu-central-1")
    assert address.credentials == Credentials("key", "secret", "token")
    assert "secret" not in address.url + repr(address)


def test_without_an_endpoint_it_is_amazons_own() -> None:
    assert S3Address.parse("s3://bucket/p", {}).url == "s3://bucket/p?region=us-east-1"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("s3://", "isn't an address"),
        ("s3://key:secret@b", "Keys belong into"),
        ("s3://bucket?endpiont=http://h", "unknown part 'endpiont'"),
        ("s3://bucket?endpoint=h:9000", "endpoint 'h:9000' isn't"),
        ("s3://bucket?endpoint=http://h/path", "isn't an address"),
    ],
)
def test_a_wrong_address_says_what_is_wrong(url: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        S3Address.parse(url, {})
