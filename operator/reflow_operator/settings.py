"""What the operator is told at its start: flags, and environment variables of the same names."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

RUNTIME_MODES = ("imageVolume", "initContainer", "image", "auto")


@dataclass(frozen=True, slots=True)
class Settings:
    """The operator's settings; each field is described by its flag in `parse_settings`."""

    namespaces: tuple[str, ...] = ()
    runtime_image: str = ""
    runtime_mode: str = "auto"
    default_image: str = ""
    default_resources: Mapping[str, Any] = field(default_factory=dict)
    image_pull_policy: str = "IfNotPresent"
    workers: int = 8
    qps: float = 100.0
    burst: int = 200
    parallel_requests: int = 50
    store_threads: int = 16
    probe_port: int = 8080
    log_format: str = "text"
    log_level: str = "INFO"
    grace_seconds: int = 30
    image_patience: float = 600.0

    @property
    def clusterwide(self) -> bool:
        """Whether all namespaces are watched."""
        return not self.namespaces


def parse_settings(arguments: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """Flags win over `REFLOW_<NAME>` variables, these over defaults. Exits with a usage message where one
    is wrong.
    """
    default = Settings()
    parser = argparse.ArgumentParser(prog="reflow-operator", description="Runs FlowRuns and Resumes as Pods.")

    def flag(
        name: str, fallback: Any, *, kind: Any = str, choices: Sequence[str] | None = None, text: str
    ) -> None:
        value = environ.get("REFLOW_" + name.upper().replace("-", "_"))
        parser.add_argument(
            f"--{name}", type=kind, choices=choices, help=text, default=fallback if value is None else value
        )

    flag("namespaces", "", text="namespaces to watch, separated by commas; empty: all of them")
    flag(
        "runtime-image", "", text="the image that has Reflow's runtime in /reflow, put into every task's Pod"
    )
    flag(
        "runtime-mode",
        default.runtime_mode,
        choices=RUNTIME_MODES,
        text="how the runtime gets into a Pod: imageVolume (Kubernetes 1.33 and newer), initContainer,"
        " image (the flow's own image has it), or auto: an image volume where the cluster has them",
    )
    flag("default-image", "", text="the image of tasks whose FlowRun names none")
    flag("default-resources", "{}", kind=_mapping, text='JSON, as {"requests": {"cpu": "100m"}}')
    flag("image-pull-policy", default.image_pull_policy, text="of the containers that Reflow adds")
    flag("workers", default.workers, kind=int, text="how many runs are reconciled at once")
    flag("qps", default.qps, kind=float, text="requests a second to the API server, on the average")
    flag("burst", default.burst, kind=int, text="requests that may be sent at once beyond that")
    flag("parallel-requests", default.parallel_requests, kind=int, text="requests under way at once")
    flag("store-threads", default.store_threads, kind=int, text="requests to stores under way at once")
    flag("probe-port", default.probe_port, kind=int, text="port of /healthz, /readyz and /metrics; 0: none")
    flag("log-format", default.log_format, choices=("text", "json"), text="how log lines look")
    flag("log-level", default.log_level, text="DEBUG, INFO, WARNING or ERROR")
    flag("grace-seconds", default.grace_seconds, kind=int, text="a task's time between SIGTERM and SIGKILL")
    flag(
        "image-patience",
        default.image_patience,
        kind=float,
        text="seconds that an image may fail to be pulled before its task fails",
    )
    options = parser.parse_args(list(arguments))
    namespaces = tuple(name.strip() for name in options.namespaces.split(",") if name.strip())
    if isinstance(options.default_resources, str):
        options.default_resources = _mapping(options.default_resources)
    return Settings(**{**vars(options), "namespaces": namespaces})


def _mapping(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}")
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"not JSON: {error}") from None
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError("not a JSON object")
    return value
