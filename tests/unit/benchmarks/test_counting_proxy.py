"""The proxy that counts requests: nothing is changed, bodies aren't taken for requests."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks.counting_proxy import CountingProxy, body_length, verb_of


class Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(self.path.encode())

    def do_PUT(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def echo() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        serving.join()


def test_requests_of_one_connection_are_counted_by_verb_and_passed_on(echo: str) -> None:
    tricky = b"GET /not-a-request HTTP/1.1\r\n\r\n" * 5000
    with CountingProxy(echo) as proxy:
        client = http.client.HTTPConnection(proxy.endpoint.removeprefix("http://"), timeout=10)
        for _ in range(2):
            client.request("GET", "/bucket/key")
            assert client.getresponse().read() == b"/bucket/key"
        client.request("PUT", "/bucket/key", tricky)
        assert client.getresponse().read() == tricky
        client.close()
        assert proxy.take() == {"GET": 2, "PUT": 1}
        assert proxy.take() == {}


def test_a_listing_is_told_from_a_read() -> None:
    assert verb_of(b"GET /bucket?list-type=2&prefix=a HTTP/1.1\r\nHost: x") == "LIST"
    assert verb_of(b"HEAD /bucket/key HTTP/1.1\r\nHost: x") == "HEAD"


def test_a_body_is_as_long_as_its_head_says() -> None:
    assert body_length(b"PUT /key HTTP/1.1\r\nHost: x\r\ncontent-LENGTH: 12") == 12
    assert body_length(b"GET /key HTTP/1.1\r\nHost: x") == 0
