"""An environment settled to exact versions, and what a run's manifest keeps of all its environments. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from reflow.environments.spec import EnvironmentSpec, Kind
from reflow.values.dataclass import dataclass
from reflow.values.errors import CorruptObject, NewerFormat

FORMAT = 1
_PIN = re.compile(r"[A-Za-z0-9][\w.-]*==[\w.!+-]+( ; [^#\\]+)?( \\)?|    --hash=sha256:[0-9a-f]+( \\)?|")
_CONDA_PIN = re.compile(r"#.*|@EXPLICIT|(https?|file)://\S+|")
_HEX = 32  # of a digest's digits: it's part of a folder's name


@dataclass(frozen=True, slots=True)
class Lock:
    """`python`: its version, as asked for, else the first two numbers of the one that started the run; `pins`: the
    resolver's own words for each package, its version and hashes; `platform`: where they hold, "" for everywhere."""

    spec: EnvironmentSpec
    python: str
    pins: str
    platform: str = ""

    @property
    def digest(self) -> str:
        """The same for the same packages, whoever asked for them and in which words."""
        return _digest([FORMAT, self.spec.kind, self.python, self.platform, self.pins])

    @property
    def versions(self) -> dict[str, str]:
        """Package → version, for people."""
        found = {}
        for line in self.pins.splitlines():
            words = line.split(";")[0].strip().rstrip("\\").strip()
            if self.spec.kind is Kind.CONDA:
                name, version = _of_url(words)
            else:
                name, _, version = words.partition("==")
            if name and version and not name.startswith(("-", "#")):
                found[name] = version
        return found

    def fits(self, spec: EnvironmentSpec, python: str, platform: str) -> bool:
        """Whether these versions answer the same wish again, here. `python`: the version of the one that starts the
        run."""
        here = not self.platform or self.platform == platform
        return here and self.spec == spec and self.python == (spec.python or minor(python))


def _of_url(words: str) -> tuple[str, str]:
    """Name and version of a conda package's address: `…/linux-64/six-1.16.0-pyh6c4a22f_0.conda#<md5>`."""
    parts = words.partition("#")[0].rpartition("/")[2].rsplit("-", 2)
    return (parts[0], parts[1]) if len(parts) == 3 else ("", "")


def minor(version: str) -> str:
    """`3.11` of `3.11.7`."""
    return ".".join(version.split(".")[:2])


def wish_digest(spec: EnvironmentSpec, python: str, platform: str) -> str:
    """Of what is asked for: by this it's found again without asking a resolver."""
    return _digest([FORMAT, spec.kind, list(spec.requirements), spec.python or minor(python), platform])


def folder_digest(lock: Lock, platform: str) -> str:
    """Of the environment as it is on one platform: a home folder may be shared by several."""
    return _digest([lock.digest, platform])


def _digest(parts: list[Any]) -> str:
    text = json.dumps(parts, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:_HEX]


# As a manifest keeps them


def to_json(locks: Mapping[str, Lock]) -> dict[str, Any]:
    """`locks`: of each step that has one. Steps that share an environment share what is kept of it."""
    if not locks:
        return {}
    kept = {lock.digest: _lock_to_json(lock) for lock in locks.values()}
    return {"v": FORMAT, "steps": {step: lock.digest for step, lock in locks.items()}, "locks": kept}


def from_json(found: Mapping[str, Any]) -> dict[str, Lock]:
    """Step → its lock. Raises NewerFormat, CorruptObject."""
    if found.get("v", FORMAT) > FORMAT:
        raise NewerFormat(
            f"The run's environments are kept in format {found['v']}; this Reflow reads up to {FORMAT}. "
            "Use the version of Reflow that started it, or a later one."
        )
    try:
        locks = {digest: lock_from_json(kept) for digest, kept in found.get("locks", {}).items()}
        return {step: locks[digest] for step, digest in found.get("steps", {}).items() if digest in locks}
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise CorruptObject(f"What the run keeps of its environments can't be read: {error!r}.") from error


def told(kept: Mapping[str, Any], step: str) -> dict[str, Any] | None:
    """What the step runs with, for people: its packages' versions, its Python, who resolves them. None where it has no
    environment of its own. Raises NewerFormat."""
    lock = from_json(kept).get(step)
    if lock is None:
        return None
    return {"type": str(lock.spec.kind), "python": lock.python, "packages": lock.versions, "pins": lock.pins}


def _lock_to_json(lock: Lock) -> dict[str, Any]:
    spec = lock.spec
    found = {
        "kind": str(spec.kind),
        "packages": dict(spec.packages),
        "asked": spec.python,
        "python": lock.python,
        "pins": lock.pins,
    }
    return {**found, "platform": lock.platform} if lock.platform else found


def lock_to_text(lock: Lock) -> str:
    """As the cache keeps it."""
    return json.dumps({"v": FORMAT, **_lock_to_json(lock)}, indent=1)


def lock_from_json(found: Mapping[str, Any]) -> Lock:
    """Raises KeyError, ValueError where it's none."""
    spec = EnvironmentSpec(Kind(found["kind"]), tuple(sorted(found["packages"].items())), found["asked"])
    for line in found["pins"].splitlines():
        if not _is_pin(line, spec):
            raise ValueError(f"{line!r} is no package's exact version")
    return Lock(spec, found["python"], found["pins"], found.get("platform", ""))


def _is_pin(line: str, spec: EnvironmentSpec) -> bool:
    """Whether a resolver may be given the line: it comes from a store, and must say which package to take and nothing
    else. No option, no other index, and no address but those that the step itself names."""
    if spec.kind is Kind.CONDA:
        return _CONDA_PIN.fullmatch(line) is not None
    if "://" in line:
        return any(address in line for address in _addresses(spec)) and not line.lstrip().startswith("-")
    return _PIN.fullmatch(line) is not None


def _addresses(spec: EnvironmentSpec) -> list[str]:
    """What comes before a commit or a hash in the addresses of packages that have one in the place of a version."""
    words = [word for wanted in spec.requirements for word in wanted.split() if "://" in word]
    return [word.lstrip("@").rpartition("@")[0] or word.lstrip("@") for word in words]
