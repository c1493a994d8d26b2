"""Settings, metrics, and what kopf's events become."""

from __future__ import annotations

import pytest

from reflow_operator.constants import FLOWRUNS, RESUMES
from reflow_operator.handlers import hear, operator_settings
from reflow_operator.metrics import Metrics
from reflow_operator.objects import ObjectCache, ObjectKey
from reflow_operator.settings import parse_settings
from reflow_operator.workqueue import WorkQueue


def test_flags_win_over_the_environment_and_that_over_defaults() -> None:
    environ = {
        "REFLOW_NAMESPACES": "a, b",
        "REFLOW_QPS": "7",
        "REFLOW_DEFAULT_RESOURCES": '{"limits": {"cpu": "1"}}',
    }
    settings = parse_settings(["--qps", "9"], environ)
    assert settings.namespaces == ("a", "b")
    assert not settings.clusterwide
    assert (settings.qps, settings.burst) == (9.0, 200)
    assert settings.default_resources == {"limits": {"cpu": "1"}}


def test_wrong_settings_end_with_a_usage_message(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_settings(["--default-resources", "cpu=1"], {})
    assert "not JSON" in capsys.readouterr().err


def test_metrics_are_told_in_prometheus_format_without_names_of_objects() -> None:
    metrics = Metrics()
    metrics.request("POST", "/api/v1/namespaces/team/pods", 201)
    metrics.request("PATCH", "/apis/reflow.dev/v1alpha1/namespaces/team/flowruns/debug-1/status", 200)
    metrics.took("reflow_reconcile_seconds", 0.02)
    metrics.gauge("reflow_queue_length", lambda: 3)
    text = metrics.text()
    assert 'reflow_api_requests_total{code="201",resource="pods",verb="POST"} 1' in text
    assert 'resource="flowruns/status"' in text
    assert "debug-1" not in text
    assert 'reflow_reconcile_seconds_bucket{le="0.025"} 1' in text
    assert "reflow_queue_length 3" in text


async def _nothing(key: ObjectKey) -> None:
    return None


def _object(version: str, **owner: object) -> dict[str, object]:
    owners = [{"kind": "Resume", "name": "r", "controller": True}] if owner else []
    meta = {
        "namespace": "team",
        "name": "f",
        "uid": "u",
        "resourceVersion": version,
        "ownerReferences": owners,
    }
    return {"metadata": meta}


def test_an_event_updates_the_cache_and_enqueues_the_object_and_the_resume_that_owns_it() -> None:
    objects = ObjectCache()
    queue: WorkQueue[ObjectKey] = WorkQueue(_nothing, name="test")
    hear(FLOWRUNS, {"type": "ADDED", "object": _object("5", owned=True)}, objects, queue)
    key = ObjectKey(FLOWRUNS, "team", "f")
    assert objects.get(key) is not None
    assert list(queue._ready) == [key, ObjectKey(RESUMES, "team", "r")]
    hear(FLOWRUNS, {"type": "DELETED", "object": _object("6")}, objects, queue)
    assert objects.get(key) is None


def test_an_older_object_does_not_replace_a_newer_one_nor_its_successor_of_the_same_name() -> None:
    objects = ObjectCache()
    key = ObjectKey(FLOWRUNS, "team", "f")
    objects.put(key, _object("12"))
    objects.put(key, _object("9"))
    assert objects.get(key) == _object("12")
    successor = {"metadata": {"uid": "v", "resourceVersion": "15"}}
    objects.put(key, successor)
    objects.put(key, _object("14"))
    assert objects.get(key) == successor


def test_kopf_leaves_no_traces_on_objects() -> None:
    settings = operator_settings()
    assert settings.persistence.diffbase_storage.fetch() is None  # type: ignore[call-arg]
    assert not settings.posting.enabled
    assert settings.persistence.finalizer.startswith("reflow.dev/")
