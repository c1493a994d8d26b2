"""Bare Pods of the same base image: the floor below anything that runs a Pod per task."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from benchmarks.installed import NODE, Installation
from benchmarks.kube import Json, PodTimes, PodWatch

PASS = ("python3", "-c", "pass")
LABEL = "bench.reflow.dev/bare"
CREATORS = 8  # requests under way at once


def pod(name: str, image: str, command: Sequence[str], volumes: Sequence[Json] = ()) -> Json:
    """As little as possible, and each of `volumes` mounted under its name."""
    mounts = [{"name": volume["name"], "mountPath": f"/mnt/{volume['name']}"} for volume in volumes]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {LABEL: "true"}},
        "spec": {
            "restartPolicy": "Never",
            "nodeSelector": NODE,
            "volumes": list(volumes),
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "containers": [
                {
                    "name": "task",
                    "image": image,
                    "imagePullPolicy": "IfNotPresent",
                    "command": list(command),
                    "volumeMounts": mounts,
                }
            ],
        },
    }


def one_after_another(
    there: Installation,
    watch: PodWatch,
    commands: Sequence[Sequence[str]],
    prefix: str,
    volumes: Sequence[Json] = (),
) -> list[PodTimes]:
    """Create each Pod as soon as the watch tells of the one before that it has succeeded. They are gone afterwards."""
    found = []
    for number, command in enumerate(commands):
        name = f"{prefix}-{number:03d}"
        there.api.request("POST", watch.path, pod(name, there.image, command, volumes))
        watch.wait(lambda pods, n=name: any(p.name == n and p.ended for p in pods), f"Pod {name}'s end", 120)  # type: ignore[misc]
        found.append(watch.pods[name])
    remove(there, watch)
    return found


def at_once(
    there: Installation, watch: PodWatch, count: int, prefix: str, volumes: Sequence[Json] = ()
) -> list[PodTimes]:
    """Create all of them, then wait until all have succeeded. They are gone afterwards."""

    def create(number: int) -> None:
        body = pod(f"{prefix}-{number:03d}", there.image, PASS, volumes)
        there.api.request("POST", watch.path, body)

    with ThreadPoolExecutor(CREATORS) as creators:
        list(creators.map(create, range(count)))
    watch.wait(lambda pods: sum(1 for each in pods if each.ended) >= count, f"the end of {count} Pods", 300)
    found = list(watch.pods.values())
    remove(there, watch)
    return found


def seconds_to_create(there: Installation, watch: PodWatch, name: str) -> float:
    """From the request for a Pod until the watch tells of it. It is gone afterwards."""
    begin = time.time()
    there.api.request("POST", watch.path, pod(name, there.image, PASS))
    watch.wait(lambda pods: any(each.name == name for each in pods), f"Pod {name}", 30)
    seconds = watch.pods[name].created - begin
    watch.wait(lambda pods: any(each.name == name and each.ended for each in pods), f"Pod {name}'s end", 60)
    remove(there, watch)
    return seconds


def remove(there: Installation, watch: PodWatch) -> None:
    there.api.request("DELETE", f"{watch.path}?labelSelector={LABEL}=true&gracePeriodSeconds=0")
    watch.clear()
