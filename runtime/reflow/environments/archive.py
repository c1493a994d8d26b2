"""An environment's packages for Pods: one archive in the store for each Python and platform that images have.

A Pod can't install packages at its start: it has no index, and its root can't be written. So they're unpacked there
from an archive that was made where the flow was packaged. A run's manifest, and a code package, say which there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reflow.values.dataclass import dataclass
from reflow.values.errors import ReflowError

ANY = "any"  # the platform of packages that have no machine code
FILE = ".reflow-environments.json"  # in a code package, beside the script


@dataclass(frozen=True, slots=True)
class Archive:
    """`platform`: `linux-x86_64`, or ANY; `python`: `3.12`; `sha256`: of the blob that holds it; `size`: its bytes."""

    platform: str
    python: str
    sha256: str
    size: int

    def fits(self, platform: str, version: str) -> bool:
        return self.platform in (ANY, platform) and f"{version}.".startswith(f"{self.python}.")

    def to_json(self) -> list[Any]:
        return [self.platform, self.python, self.sha256, self.size]

    @staticmethod
    def from_json(found: Sequence[Any]) -> Archive:
        return Archive(str(found[0]), str(found[1]), str(found[2]), int(found[3]))


def with_archives(kept: Mapping[str, Any], archives: Mapping[str, Iterable[Archive]]) -> dict[str, Any]:
    """What a manifest keeps of environments (`lock.to_json`), with the archives of each lock by its digest."""
    if not kept:
        return {}
    return {
        **kept,
        "archives": {digest: [one.to_json() for one in found] for digest, found in archives.items()},
    }


def archives_of(kept: Mapping[str, Any], step: str) -> tuple[Archive, ...]:
    """Those of the step's environment."""
    digest = kept.get("steps", {}).get(step)
    return tuple(Archive.from_json(found) for found in kept.get("archives", {}).get(digest, ()))


def choose(archives: Sequence[Archive], platform: str, version: str, step: str) -> Archive:
    """The one that this Python can import. Raises ReflowError that says what the others are for."""
    for archive in archives:
        if archive.fits(platform, version):
            return archive
    there = ", ".join(f"Python {archive.python} on {archive.platform}" for archive in archives)
    raise ReflowError(
        f"The packages of step '{step}' were archived for {there}, and this image has Python {version} on {platform}. "
        "Take an image with that Python, or archive them for this one: `reflow package FILE --python … --platform …`."
    )
