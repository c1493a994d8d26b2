"""How a task's Pod ended, in the engine's words. Pure.

A Pod says so itself by its termination message. One that ended without, or is gone, is `Unclear`: the store
may know more (a record that was written before the node died), and only where it doesn't, `fault` decides.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from reflow.engine.events import Failed, Lost, Succeeded
from reflow.values.key import TaskKey
from reflow_operator.podview import PodView

# Reasons of a Pod that failed without its containers' doing: the cluster's fault.
CLUSTER_REASONS = frozenset(
    {
        "NodeLost",
        "NodeShutdown",
        "NodeAffinity",
        "Preempting",
        "Shutdown",
        "Terminated",
        "UnexpectedAdmissionError",
        "OutOfcpu",
        "OutOfmemory",
        "OutOfpods",
        "OutOfephemeral-storage",
    }
)
IMAGE_FAULTS = frozenset({"ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "RegistryUnavailable"})
HOPELESS = frozenset({"InvalidImageName", "ErrImageNeverPull"})
UNREACHABLE_SECONDS = 15.0  # past the end of its grace period, a Pod that is still there is on a dead node
NEVER_STARTED = frozenset({"ContainerCannotRun", "StartError"})
MESSAGE_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class Fault:
    """What went wrong, for people. `cluster`: no fault of the user's. `final`: trying again is pointless."""

    message: str
    cluster: bool = False
    final: bool = False


@dataclass(frozen=True, slots=True)
class Unclear:
    """A launch that ended and didn't say how: the store is asked first, `fault` is what holds otherwise.

    `alive`: its Pod is still there and must be deleted.
    """

    key: TaskKey
    attempt: int
    launch: int
    ended: float
    fault: Fault
    alive: bool = False


@dataclass(frozen=True, slots=True)
class Unloadable:
    """The script can't be loaded, or isn't the flow that the run was claimed for."""

    key: TaskKey
    attempt: int
    launch: int
    ended: float
    message: str


PodEnd = Succeeded | Failed | Lost | Unclear | Unloadable


def read_end(pod: PodView, *, gone: bool, now: float, image_patience: float) -> PodEnd | None:
    """How the Pod's launch ended; None while it goes on. `gone`: the Pod is no longer there.

    `image_patience`: seconds that its image may fail to be pulled.
    """
    if pod.key is None:
        return None
    ended = pod.finished or now
    said = message(pod.termination) if pod.ended else None
    if said is not None:
        return _as_said(said, pod, pod.key, ended)
    found = fault(pod, gone=gone, now=now, image_patience=image_patience)
    if found is None:
        return None
    return Unclear(pod.key, pod.attempt, pod.launch, ended, found, alive=not (gone or pod.ended))


def stuck(pod: PodView) -> str | None:
    """Why a Pod that hasn't ended can't get going, in words; None where nothing is known to be in its way."""
    if pod.ended or pod.deletion is not None:
        return None
    if pod.unschedulable:
        return f"Pod {pod.name} can't be scheduled: {pod.unschedulable}"
    if pod.waiting:
        detail = f": {pod.waiting_message}" if pod.waiting_message else ""
        return f"Pod {pod.name} can't start ({pod.waiting}){detail}"
    return None


def without_record(unclear: Unclear) -> Failed | Lost:
    """What an unclear end counts as where the store has no record of it."""
    why = unclear.fault
    if why.cluster:
        return Lost(unclear.key, unclear.attempt, unclear.launch, message=why.message, ended=unclear.ended)
    return Failed(unclear.key, unclear.attempt, unclear.launch, unclear.ended, why.message, final=why.final)


def _as_said(said: dict[str, Any], pod: PodView, key: TaskKey, ended: float) -> PodEnd | None:
    """The termination message is control data: what to fold into the engine."""
    error = str(said.get("error") or "")[:MESSAGE_LIMIT]
    attempt = _number(said.get("attempt"))
    attempt = pod.attempt if attempt is None else attempt
    match said.get("status"):
        case "succeeded" | "caught":
            case = said.get("case")
            return Succeeded(key, width=_number(said.get("width")), case=None if case is None else str(case))
        case "failed":
            return Failed(key, attempt, pod.launch, ended, error or "failed", final=bool(said.get("final")))
        case "unloadable":
            words = error.removeprefix("Unloadable: ") or "the script can't be loaded"
            return Unloadable(key, attempt, pod.launch, ended, words)
        case "lost":
            words = error or _disruption_words(pod) or "its Pod was told to stop"
            return Lost(key, attempt, pod.launch, message=words, ended=ended)
    strange = Fault(f"its Pod left a message that isn't Reflow's: {pod.termination[:100]!r}")
    return Unclear(key, pod.attempt, pod.launch, ended, strange)


def message(text: str) -> dict[str, Any] | None:
    """A termination message of Reflow's, None for any other text."""
    try:
        said = json.loads(text)
    except ValueError:
        return None
    return said if isinstance(said, dict) and said.get("v") == 1 else None


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def fault(pod: PodView, *, gone: bool, now: float, image_patience: float) -> Fault | None:
    """Why a Pod without a message is over; None while it isn't."""
    if pod.ended:
        return _ended_fault(pod)
    if gone:
        words = _disruption_words(pod) or "its Pod was deleted or vanished before it ended"
        return Fault(words, cluster=True)
    if pod.deletion is not None and now > pod.deletion + UNREACHABLE_SECONDS:
        return Fault(f"its Pod doesn't end; node {pod.node or '(none)'} doesn't answer", cluster=True)
    return _image_fault(pod, now, image_patience)


def _ended_fault(pod: PodView) -> Fault:
    if pod.exit_reason == "OOMKilled":
        return Fault(
            "Out of memory: the container was killed at its memory limit (OOMKilled). "
            "Give the step more memory, in spec.steps or by @resources."
        )
    words = _disruption_words(pod)
    if words or pod.reason in CLUSTER_REASONS:
        return Fault(words or f"the cluster ended its Pod ({pod.reason}): {pod.message}", cluster=True)
    if pod.reason == "Evicted":
        return Fault(f"its Pod was evicted for using more than it may: {pod.message}")
    if pod.reason == "DeadlineExceeded":
        return Fault("its Pod ran longer than its activeDeadlineSeconds")
    if pod.exit_reason in NEVER_STARTED:
        return Fault(
            f"the container can't start ({pod.exit_reason}): {pod.termination[:300]}. "
            "The image needs python3, version 3.11 or newer, on its PATH.",
            final=True,
        )
    if pod.deletion is not None:
        return Fault("its Pod was deleted while it ran", cluster=True)
    if pod.exit_code is None:
        return Fault(f"its Pod failed{_because(pod)}", cluster=True)
    return Fault(_exit_words(pod.exit_code) + _because(pod))


def _image_fault(pod: PodView, now: float, patience: float) -> Fault | None:
    waited = now - (pod.created or now)
    if pod.waiting in HOPELESS or (pod.waiting in IMAGE_FAULTS and waited >= patience):
        return Fault(f"the image can't be had ({pod.waiting}): {pod.waiting_message}", final=True)
    return None


def _disruption_words(pod: PodView) -> str:
    return f"the cluster took its Pod away ({pod.disruption}){_because(pod)}" if pod.disruption else ""


def _because(pod: PodView) -> str:
    reason = pod.reason or (pod.exit_reason if pod.exit_reason not in ("Error", "Completed") else "")
    detail = ", ".join(part for part in (reason, pod.message) if part)
    return f": {detail}" if detail else ""


def _exit_words(code: int) -> str:
    if code > 128:
        return f"the container was killed by signal {code - 128} and left no message"
    if code == 127:
        return "the container's command wasn't found (exit code 127): the image needs python3 on its PATH"
    return f"the container ended with exit code {code} and left no message"
