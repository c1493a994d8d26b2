"""How to reach the API server: from inside a Pod by its service account, from outside by a kubeconfig."""

from __future__ import annotations

import base64
import os
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
TOKEN_SECONDS = 60.0  # a service account's token file is replaced hourly; we look once a minute


class NoCluster(Exception):
    """There's no API server to be found, or the way to it is described wrongly: what and where, in a
    sentence.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterAccess:
    """Where the API server is and how to log in. PEM texts as bytes. `token_file` is read again as it
    changes.
    """

    server: str
    ca: bytes | None = None
    certificate: bytes | None = None
    private_key: bytes | None = None
    token: str | None = None
    token_file: Path | None = None
    insecure: bool = False
    namespace: str = "default"

    def ssl_context(self, scratch: Path) -> ssl.SSLContext | None:
        """TLS settings, None for plain http. Python takes client certificates from files only: `scratch`
        holds them.
        """
        if not self.server.startswith("https"):
            return None
        context = ssl.create_default_context(cadata=self.ca.decode() if self.ca else None)
        if self.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.certificate and self.private_key:
            pair = scratch / "client.pem"
            pair.touch(mode=0o600)
            pair.write_bytes(self.certificate + b"\n" + self.private_key)
            context.load_cert_chain(pair)
            pair.unlink()
        return context


class Bearer:
    """The `Authorization` header of the moment."""

    def __init__(self, access: ClusterAccess) -> None:
        self._access = access
        self._token = access.token
        self._read = -TOKEN_SECONDS

    def headers(self) -> dict[str, str]:
        """Empty where the login is by certificate."""
        file = self._access.token_file
        if file and time.monotonic() - self._read >= TOKEN_SECONDS:
            self._token = file.read_text().strip()
            self._read = time.monotonic()
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}

    def refused(self) -> None:
        """The API server refused the token: read it again at the next request."""
        self._read = -TOKEN_SECONDS


def find_access(environ: Mapping[str, str] = os.environ) -> ClusterAccess:
    """The Pod's own service account where there's one, else the kubeconfig. Raises NoCluster."""
    if "KUBERNETES_SERVICE_HOST" in environ and (SERVICE_ACCOUNT / "token").exists():
        return in_cluster(environ, SERVICE_ACCOUNT)
    paths = environ.get("KUBECONFIG") or str(Path(environ.get("HOME", "/")) / ".kube" / "config")
    file = Path(paths.split(os.pathsep)[0])
    if not file.exists():
        raise NoCluster(
            f"no service account in this process's files and no kubeconfig at {file}: set KUBECONFIG"
        )
    return from_kubeconfig(file)


def in_cluster(environ: Mapping[str, str], account: Path) -> ClusterAccess:
    """By the environment and files that Kubernetes gives every Pod."""
    host, port = environ["KUBERNETES_SERVICE_HOST"], environ.get("KUBERNETES_SERVICE_PORT", "443")
    host = f"[{host}]" if ":" in host else host
    namespace = account / "namespace"
    return ClusterAccess(
        server=f"https://{host}:{port}",
        ca=(account / "ca.crt").read_bytes(),
        token_file=account / "token",
        namespace=namespace.read_text().strip() if namespace.exists() else "default",
    )


def from_kubeconfig(file: Path) -> ClusterAccess:
    """By the current context of a kubeconfig. Login programs (`exec`) aren't run. Raises NoCluster."""
    import yaml

    config = yaml.safe_load(file.read_text()) or {}
    context = _named(config, "contexts", config.get("current-context"), file).get("context", {})
    cluster = _named(config, "clusters", context.get("cluster"), file).get("cluster", {})
    user = _named(config, "users", context.get("user"), file).get("user", {})
    if "exec" in user or "auth-provider" in user:
        raise NoCluster(
            f"{file}: the user logs in by a program, which isn't supported; use a token or a certificate"
        )
    token_file = user.get("tokenFile")
    return ClusterAccess(
        server=str(cluster.get("server", "")).rstrip("/"),
        ca=_pem(cluster, "certificate-authority", file),
        certificate=_pem(user, "client-certificate", file),
        private_key=_pem(user, "client-key", file),
        token=user.get("token"),
        token_file=file.parent / token_file if token_file else None,
        insecure=bool(cluster.get("insecure-skip-tls-verify")),
        namespace=context.get("namespace") or "default",
    )


def _named(config: Mapping[str, Any], kind: str, name: str | None, file: Path) -> dict[str, Any]:
    for entry in config.get(kind) or ():
        if entry.get("name") == name:
            return dict(entry)
    raise NoCluster(f"{file}: there is no {kind[:-1]} named {name!r}")


def _pem(part: Mapping[str, Any], name: str, file: Path) -> bytes | None:
    data = part.get(f"{name}-data")
    if data:
        return base64.b64decode(data)
    path = part.get(name)
    return (file.parent / path).read_bytes() if path else None
