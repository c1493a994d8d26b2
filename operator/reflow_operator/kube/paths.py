"""URL paths of the objects that the operator touches."""

from __future__ import annotations

from urllib.parse import quote

from reflow_operator.constants import API_VERSION


def pods(namespace: str | None) -> str:
    """All Pods of a namespace, or of the cluster."""
    return f"/api/v1/namespaces/{quote(namespace)}/pods" if namespace else "/api/v1/pods"


def pod(namespace: str, name: str) -> str:
    """One Pod."""
    return f"{pods(namespace)}/{quote(name)}"


def pod_log(namespace: str, name: str) -> str:
    """A Pod's output."""
    return f"{pod(namespace, name)}/log"


def secret(namespace: str, name: str) -> str:
    """One Secret."""
    return f"/api/v1/namespaces/{quote(namespace)}/secrets/{quote(name)}"


def events(namespace: str) -> str:
    """The Events of a namespace."""
    return f"/api/v1/namespaces/{quote(namespace)}/events"


def custom(plural: str, namespace: str, name: str | None = None) -> str:
    """A FlowRun or Resume, or all of them in a namespace."""
    path = f"/apis/{API_VERSION}/namespaces/{quote(namespace)}/{plural}"
    return f"{path}/{quote(name)}" if name else path


def status(plural: str, namespace: str, name: str) -> str:
    """The status of a FlowRun or Resume."""
    return f"{custom(plural, namespace, name)}/status"
