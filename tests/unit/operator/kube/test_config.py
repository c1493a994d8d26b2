"""The way to the API server, from inside a Pod and by a kubeconfig."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from reflow_operator.kube.config import (
    Bearer,
    ClusterAccess,
    NoCluster,
    find_access,
    from_kubeconfig,
    in_cluster,
)


def _kubeconfig(folder: Path, user: dict[str, Any], **cluster: Any) -> Path:
    config = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u", "namespace": "team"}}],
        "clusters": [{"name": "k", "cluster": {"server": "https://k:6443/", **cluster}}],
        "users": [{"name": "u", "user": user}],
    }
    file = folder / "config"
    file.write_text(json.dumps(config))
    return file


def test_a_kubeconfig_gives_server_certificates_and_namespace(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text("CA")
    user = {"client-certificate-data": base64.b64encode(b"CERT").decode(), "client-key-data": "S0VZ"}
    access = from_kubeconfig(_kubeconfig(tmp_path, user, **{"certificate-authority": "ca.crt"}))
    assert access == ClusterAccess(
        server="https://k:6443", ca=b"CA", certificate=b"CERT", private_key=b"KEY", namespace="team"
    )


def test_a_login_program_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(NoCluster, match="logs in by a program"):
        from_kubeconfig(_kubeconfig(tmp_path, {"exec": {"command": "aws"}}))


def test_a_context_that_is_not_there_is_named(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text("current-context: nowhere\n")
    with pytest.raises(NoCluster, match="'nowhere'"):
        from_kubeconfig(file)


def test_no_cluster_at_all_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NoCluster, match="KUBECONFIG"):
        find_access({"HOME": str(tmp_path)})


def test_a_service_accounts_token_is_read_again_when_it_was_refused(tmp_path: Path) -> None:
    for name, text in (("token", "one"), ("ca.crt", "CA"), ("namespace", "system")):
        (tmp_path / name).write_text(text)
    access = in_cluster({"KUBERNETES_SERVICE_HOST": "fd00::1"}, tmp_path)
    assert (access.server, access.namespace) == ("https://[fd00::1]:443", "system")
    bearer = Bearer(access)
    assert bearer.headers() == {"Authorization": "Bearer one"}
    (tmp_path / "token").write_text("two")
    assert bearer.headers() == {"Authorization": "Bearer one"}
    bearer.refused()
    assert bearer.headers() == {"Authorization": "Bearer two"}
