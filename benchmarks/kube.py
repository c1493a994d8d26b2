"""A Kubernetes API server, spoken to with the standard library: requests, and a watch that stamps what it hears."""

from __future__ import annotations

import http.client
import json
import ssl
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from benchmarks.commands import Broken
from reflow_operator.kube.config import ClusterAccess, from_kubeconfig

Json = dict[str, Any]


@dataclass(slots=True)
class PodTimes:
    """One Pod as the watch heard of it; seconds since the epoch. `container`: its first container's id."""

    name: str
    labels: Mapping[str, str]
    created: float
    ended: float | None = None
    phase: str = "Pending"
    container: str = ""
    gone: bool = False


class Api:
    """One connection per thread to the API server."""

    def __init__(self, access: ClusterAccess) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            self._tls = access.ssl_context(Path(scratch))
        self._server = urlsplit(access.server)
        self._local = threading.local()

    @staticmethod
    def of(kubeconfig: str) -> Api:
        return Api(from_kubeconfig(Path(kubeconfig)))

    def connect(self) -> http.client.HTTPConnection:
        host, port = self._server.hostname or "", self._server.port or 443
        if isinstance(self._tls, ssl.SSLContext):
            return http.client.HTTPSConnection(host, port, context=self._tls, timeout=120)
        return http.client.HTTPConnection(host, port, timeout=120)

    def request(self, verb: str, path: str, body: Json | None = None, ignore: int = 0) -> Json:
        """The answer. Raises Broken for a refusal, but for the status code `ignore`."""
        status, text = self._exchange(verb, path, None if body is None else json.dumps(body).encode())
        if status >= 400 and status != ignore:
            told = text[:500].decode(errors="replace")
            raise Broken(f"{verb} {path}: the API server answers {status}: {told}")
        found: Json = json.loads(text)
        return found

    def _exchange(self, verb: str, path: str, data: bytes | None) -> tuple[int, bytes]:
        """Over this thread's connection, or over a new one where the server has closed that meanwhile."""
        kept: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if kept is not None:
            try:
                return _exchange(kept, verb, path, data)
            except (OSError, http.client.HTTPException):
                kept.close()
        self._local.connection = None
        fresh = self.connect()
        answer = _exchange(fresh, verb, path, data)
        self._local.connection = fresh
        return answer


def _exchange(
    connection: http.client.HTTPConnection, verb: str, path: str, data: bytes | None
) -> tuple[int, bytes]:
    connection.request(verb, path, data, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    return answer.status, answer.read()


@dataclass
class PodWatch:
    """Hears of a namespace's Pods as they come about and end; a context. Its stamps are this machine's clock."""

    api: Api
    namespace: str
    pods: dict[str, PodTimes] = field(default_factory=dict)
    _news: threading.Condition = field(default_factory=threading.Condition)
    _problem: str = ""
    _ending: bool = False
    _connection: http.client.HTTPConnection | None = None

    @property
    def path(self) -> str:
        return f"/api/v1/namespaces/{self.namespace}/pods"

    def __enter__(self) -> PodWatch:
        listed = self.api.request("GET", self.path)
        version = listed["metadata"]["resourceVersion"]
        query = urlencode({"watch": "1", "resourceVersion": version, "timeoutSeconds": "3600"})
        self._connection = self.api.connect()
        self._connection.timeout = 3700
        self._connection.request("GET", f"{self.path}?{query}")
        answer = self._connection.getresponse()
        threading.Thread(target=self._listen, args=(answer,), daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._ending = True
        if self._connection is not None and self._connection.sock is not None:
            self._connection.sock.close()

    def wait(self, enough: Callable[[list[PodTimes]], bool], what: str, timeout: float) -> float:
        """Wait until what was heard of is `enough`; the time then. Raises Broken past `timeout` seconds."""
        deadline = time.monotonic() + timeout
        with self._news:
            while not enough(list(self.pods.values())):
                if self._problem or not self._news.wait(max(0.0, deadline - time.monotonic())):
                    raise Broken(
                        f"{what} did not come about within {timeout:.0f} s; {self._problem}{self._seen()}"
                    )
            return time.time()

    def forget(self) -> dict[str, PodTimes]:
        """What was heard of, and a clean slate."""
        with self._news:
            found, self.pods = self.pods, {}
            return found

    def clear(self, timeout: float = 180) -> None:
        """Wait until the namespace has no Pods, and forget them all."""
        deadline = time.monotonic() + timeout
        while self.api.request("GET", f"{self.path}?limit=1")["items"]:
            if time.monotonic() > deadline:
                raise Broken(f"the Pods of {self.namespace} don't go away")
            time.sleep(0.5)
        self.forget()

    def _seen(self) -> str:
        phases: dict[str, int] = {}
        for pod in self.pods.values():
            phases[pod.phase] = phases.get(pod.phase, 0) + 1
        return f"Pods seen: {phases or 'none'}"

    def _listen(self, answer: http.client.HTTPResponse) -> None:
        try:
            while line := answer.readline():
                self._hear(time.time(), json.loads(line))
            problem = "the watch ended; "
        except (OSError, ValueError, http.client.HTTPException, AttributeError) as error:
            problem = f"the watch broke ({error}); "
        if not self._ending:
            with self._news:
                self._problem = problem
                self._news.notify_all()

    def _hear(self, now: float, event: Json) -> None:
        obj = event["object"]
        with self._news:
            if event["type"] == "ERROR":
                self._problem = f"the watch said {obj.get('message')}; "
            else:
                self._take(now, event["type"], obj)
            self._news.notify_all()

    def _take(self, now: float, kind: str, obj: Json) -> None:
        name, status = obj["metadata"]["name"], obj.get("status") or {}
        pod = self.pods.get(name)
        if pod is None:
            if kind != "ADDED":
                return  # of a Pod that was forgotten
            pod = self.pods[name] = PodTimes(name, obj["metadata"].get("labels") or {}, now)
        pod.phase = status.get("phase", "Pending")
        for container in status.get("containerStatuses") or ():
            pod.container = container.get("containerID", "").rpartition("/")[2] or pod.container
        if pod.ended is None and pod.phase in ("Succeeded", "Failed"):
            pod.ended = now
        pod.gone = pod.gone or kind == "DELETED"
