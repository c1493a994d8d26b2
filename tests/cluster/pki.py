"""Keys and certificates, new at every start, and the kubeconfigs made of them."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import settings
from tests.cluster.shell import Arg, run

_DAYS = "3650"
_CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]


@dataclass(frozen=True)
class Identity:
    key: Path
    cert: Path


def folder() -> Path:
    return settings.state() / "pki"


def ca() -> Identity:
    return Identity(folder() / "ca.key", folder() / "ca.crt")


def identity(name: str) -> Identity:
    return Identity(folder() / f"{name}.key", folder() / f"{name}.crt")


def issue(name: str, subject: str, names: str = "") -> Identity:
    """A key and a certificate for it, for a server as well as for a client."""
    made = identity(name)
    request = folder() / f"{name}.csr"
    extensions = folder() / f"{name}.ext"
    extensions.write_text(
        f"subjectAltName={names or f'DNS:{name}'}\nextendedKeyUsage=serverAuth,clientAuth\n"
    )
    run(["openssl", "req", *_CURVE, "-keyout", made.key, "-out", request, "-subj", subject])
    signer: list[Arg] = [
        "-CA",
        ca().cert,
        "-CAkey",
        ca().key,
        "-set_serial",
        f"0x{secrets.token_hex(15)}",
        "-days",
        _DAYS,
    ]
    run(["openssl", "x509", "-req", "-in", request, *signer, "-out", made.cert, "-extfile", extensions])
    made.key.chmod(0o600)
    return made


def kubeconfig(path: Path, who: Identity) -> None:
    """Everything is inside, so that the file can be taken elsewhere."""

    def inline(file: Path) -> str:
        return base64.b64encode(file.read_bytes()).decode()

    path.write_text(
        f"""apiVersion: v1
kind: Config
clusters:
- name: reflow
  cluster:
    server: https://{settings.HOST_IP}:{settings.API_PORT}
    certificate-authority-data: {inline(ca().cert)}
users:
- name: reflow
  user:
    client-certificate-data: {inline(who.cert)}
    client-key-data: {inline(who.key)}
contexts:
- name: reflow
  context: {{cluster: reflow, user: reflow}}
current-context: reflow
"""
    )
    path.chmod(0o600)


def make() -> None:
    """All of the control plane's."""
    folder().mkdir(parents=True, mode=0o700)
    root = ca()
    run(
        [
            "openssl",
            "req",
            "-x509",
            *_CURVE,
            "-keyout",
            root.key,
            "-out",
            root.cert,
            "-days",
            _DAYS,
            "-subj",
            "/CN=reflow-ca",
        ]
    )
    signing = identity("service-accounts")
    run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", signing.key])
    run(["openssl", "ec", "-in", signing.key, "-pubout", "-out", signing.cert])
    service = [
        f"DNS:kubernetes{end}" for end in ("", ".default", ".default.svc", ".default.svc.cluster.local")
    ]
    addresses = ["DNS:localhost", "IP:127.0.0.1", f"IP:{settings.HOST_IP}", f"IP:{settings.API_SERVICE_IP}"]
    issue("apiserver", "/CN=kube-apiserver", ",".join(service + addresses))
    issue("front-proxy", "/CN=front-proxy")
    kubeconfig(settings.kubeconfig(), issue("admin", "/O=system:masters/CN=admin"))
    for name in ("controller-manager", "scheduler", "proxy"):
        kubeconfig(folder() / f"{name}.kubeconfig", issue(name, f"/CN=system:kube-{name}"))


def make_node(name: str, address: str) -> Identity:
    made = issue(name, f"/O=system:nodes/CN=system:node:{name}", f"DNS:{name},IP:{address}")
    kubeconfig(folder() / f"{name}.kubeconfig", made)
    return made
