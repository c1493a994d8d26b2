from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from reflow.store.s3_identity import Keys
from reflow.store.s3_url import Credentials, S3Address
from reflow.values.errors import StoreRefused, StoreUnreachable

ADDRESS = S3Address("b")
STS = """<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><R><Credentials>
<AccessKeyId>key{n}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken>
<Expiration>1970-01-01T01:00:00Z</Expiration></Credentials></R></AssumeRoleWithWebIdentityResponse>"""
CONTAINER = """{{"AccessKeyId": "key{n}", "SecretAccessKey": "secret", "Token": "token",
"Expiration": "1970-01-01T01:00:00Z"}}"""


class Service(HTTPServer):
    """Hands out numbered keys that expire an hour after the epoch."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str]] = []
        self.status = 200

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Service

    def answer(self) -> None:
        self.server.asked.append((self.path, self.headers.get("authorization", "")))
        text = STS if "Action=" in self.path else CONTAINER
        body = text.format(n=len(self.server.asked)).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = answer

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def service() -> Iterator[Service]:
    with Service() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(params=["web identity", "container"])
def environ(request: pytest.FixtureRequest, service: Service, tmp_path: Path) -> dict[str, str]:
    (tmp_path / "token").write_text("a-token\n")
    if request.param == "container":
        return {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{service.url}/v1/credentials",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(tmp_path / "token"),
        }
    return {
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token"),
        "AWS_ROLE_ARN": "arn:aws:iam::1:role/flows",
        "AWS_ENDPOINT_URL_STS": service.url,
    }


def test_keys_of_the_address_come_first(environ: dict[str, str], service: Service) -> None:
    keys = Credentials("k", "s")
    assert Keys(S3Address("b", credentials=keys), environ).current() == keys
    assert service.asked == []


def test_an_identitys_keys_are_fetched_once_and_again_before_they_expire(
    environ: dict[str, str], service: Service
) -> None:
    now = [0.0]
    keys = Keys(ADDRESS, environ, lambda: now[0])
    assert keys.current() == Credentials("key1", "secret", "token")
    now[0] = 3000.0
    assert keys.current().access_key == "key1"
    now[0] = 3400.0
    assert keys.current().access_key == "key2"
    path, authorization = service.asked[0]
    assert "a-token" in path + authorization


@pytest.mark.parametrize(("status", "error"), [(403, StoreRefused), (503, StoreUnreachable)])
def test_a_refusal_is_final_and_trouble_is_not(
    environ: dict[str, str], service: Service, status: int, error: type[Exception]
) -> None:
    service.status = status
    with pytest.raises(error, match=str(status)):
        Keys(ADDRESS, environ).current()


def test_a_missing_token_is_named(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "token").unlink()
    with pytest.raises(StoreRefused, match="token can't be read"):
        Keys(ADDRESS, environ).current()


def test_without_any_keys_it_says_which_to_set() -> None:
    with pytest.raises(StoreRefused, match="AWS_ACCESS_KEY_ID"):
        Keys(ADDRESS, {}).current()
