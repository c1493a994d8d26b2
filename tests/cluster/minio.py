"""MinIO in the cluster: its keys, its Pod, and an empty bucket in it."""

from __future__ import annotations

import datetime
import hashlib
import hmac
import http.client
import json
import secrets
import urllib.parse
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.cluster import settings
from tests.cluster.control import kubectl
from tests.cluster.shell import ClusterError, wait_for

_REGION = "us-east-1"


@dataclass(frozen=True)
class Access:
    """What is needed to use it."""

    key: str
    secret: str
    bucket: str
    pods: str  # its address for Pods
    here: str  # its address for this machine


def _file() -> Path:
    return settings.state() / "minio.json"


def access() -> Access | None:
    return Access(**json.loads(_file().read_text())) if _file().exists() else None


def deploy() -> tuple[str, str]:
    """Hand it to the cluster, which goes on starting it."""
    key, secret = secrets.token_hex(10), secrets.token_hex(20)
    manifest = (settings.HERE / "minio.yaml").read_text().replace("@IMAGE@", settings.MINIO_IMAGE)
    keys = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "minio", "namespace": settings.MINIO_NAMESPACE},
        "stringData": {"user": key, "password": secret},
    }
    kubectl("apply", "-f", "-", stdin=f"{manifest}---\n{json.dumps(keys)}\n")
    return key, secret


def finish(key: str, secret: str, here: str | None = None) -> Access:
    """Wait until it serves, and make the bucket. `here`: its address for this machine, if another one."""
    get = ["-n", settings.MINIO_NAMESPACE, "get", "service", "minio", "-o", "jsonpath={.spec.clusterIP}"]
    pods = f"http://{kubectl(*get)}:9000"
    made = Access(key, secret, settings.BUCKET, pods, here or pods)

    def answers() -> bool:
        try:
            return put_bucket(made) in (200, 409)
        except OSError:
            return False

    wait_for("MinIO", answers, timeout=90)
    _file().write_text(json.dumps(asdict(made), indent=2))
    _file().chmod(0o600)
    return made


def put_bucket(to: Access) -> int:
    """A PUT of the bucket, signed by hand (AWS signature version 4): 200 made, 409 there already."""
    address = urllib.parse.urlsplit(to.here)
    now = datetime.datetime.now(datetime.UTC)
    stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    empty = hashlib.sha256(b"").hexdigest()
    headers = {"host": address.netloc, "x-amz-content-sha256": empty, "x-amz-date": stamp}
    names = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    request = f"PUT\n/{to.bucket}\n\n{lines}\n{names}\n{empty}"
    scope = f"{day}/{_REGION}/s3/aws4_request"
    digest = hashlib.sha256(request.encode()).hexdigest()
    to_sign = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}"
    signing = f"AWS4{to.secret}".encode()
    for part in (day, _REGION, "s3", "aws4_request"):
        signing = hmac.digest(signing, part.encode(), "sha256")
    signature = hmac.new(signing, to_sign.encode(), "sha256").hexdigest()
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={to.key}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    if address.hostname is None:
        raise ClusterError(f"{to.here} names no host")
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=3)
    try:
        connection.request("PUT", f"/{to.bucket}", headers=headers)
        return connection.getresponse().status
    except http.client.HTTPException as error:
        raise OSError(str(error)) from error
    finally:
        connection.close()
