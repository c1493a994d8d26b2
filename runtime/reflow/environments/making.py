"""All environments of a run, before its first task: those that are there already cost two looks, the others are
resolved and made at the same time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from reflow.environments.cache import Cache, cache_root
from reflow.environments.commands import Commands
from reflow.environments.conda import Conda
from reflow.environments.errors import Unmakeable
from reflow.environments.here import Here
from reflow.environments.lock import Lock, folder_digest, wish_digest
from reflow.environments.spec import EnvironmentSpec, Kind
from reflow.environments.uv import Uv
from reflow.values.dataclass import dataclass, field

BETWEEN_LOOKS = 0.1  # seconds, while another process makes the same
AT_ONCE = 8  # environments; they wait for the network more than for this machine


@dataclass(frozen=True, slots=True)
class Environment:
    """One that is whole. `python`: its interpreter."""

    lock: Lock
    python: Path


class Tool(Protocol):
    """What resolves and makes environments of one kind."""

    def resolve(self, spec: EnvironmentSpec) -> Lock: ...

    def make(self, lock: Lock, folder: Path, held: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where environments are made, with what."""

    cache: Cache
    here: Here
    environ: Mapping[str, str]
    commands: Commands

    @staticmethod
    def open(environ: Mapping[str, str]) -> Workshop:
        environ = with_pips_index(environ)
        return Workshop(Cache(cache_root(environ)), Here.find(), environ, Commands(environ))

    def tool(self, kind: Kind) -> Tool:
        """Raises Unmakeable where it isn't installed."""
        if kind is Kind.PYPI:
            return Uv.find(self.here, self.environ, self.commands)
        return Conda.find(self.here, self.environ, self.cache.scratch(), self.commands)

    def known(self, spec: EnvironmentSpec, locks: Sequence[Lock]) -> Lock | None:
        """The exact versions for a wish: one of those that the origin of a resume had, else what was answered here
        before. None where a resolver has to be asked."""
        for lock in locks:
            if lock.fits(spec, self.here.version, self.here.platform):
                return lock
        return self.cache.answer(self._wish(spec))

    def ready(self, lock: Lock) -> Environment | None:
        """The environment, where it's whole already."""
        python = self.cache.python(folder_digest(lock, self.here.platform))
        return Environment(lock, python) if python else None

    def settle(self, spec: EnvironmentSpec) -> Lock:
        """Ask the resolver. Raises Unmakeable."""
        return self.cache.keep_answer(self._wish(spec), self.tool(spec.kind).resolve(spec))

    def make(self, lock: Lock, waits: Callable[[], None]) -> Environment:
        """Make it, or wait for who is making it: `waits` is called once then. Raises Unmakeable, ReflowError."""
        digest = folder_digest(lock, self.here.platform)
        tool = self.tool(lock.spec.kind)
        told = False

        def wait() -> None:
            nonlocal told
            if not told:
                told = True
                waits()
            if self.commands.is_stopped_within(BETWEEN_LOOKS):
                raise Unmakeable("stopped")

        with self.cache.held(digest, wait) as held:
            if (found := self.ready(lock)) is None:
                tool.make(lock, self.cache.clear(digest), held)
                found = Environment(lock, self.cache.complete(digest, lock))
            return found

    def _wish(self, spec: EnvironmentSpec) -> str:
        return wish_digest(spec, self.here.version, self.here.platform)


@dataclass(slots=True)
class Wanted:
    """A wish and who has it: `steps` in the order of the source."""

    spec: EnvironmentSpec
    steps: list[str] = field(default_factory=list)


class Failed(Exception):
    """`steps` can't have what they want; `reason`: why."""

    def __init__(self, wanted: Wanted, error: Unmakeable) -> None:
        super().__init__(str(error))
        self.wanted = wanted
        self.reason = str(error)


def make_all(
    specs: Mapping[str, EnvironmentSpec],
    locks: Sequence[Lock],
    workshop: Workshop,
    tell: Callable[[Wanted], None],
    waits: Callable[[Wanted], None],
) -> dict[str, Environment]:
    """The environment of each step. `locks`: those of the origin of a resume; `tell`: called for each that is made;
    `waits`: for each that another process is making, from any thread.

    Raises Failed with the first step whose environment can't be made, ReflowError where the cache can't be written.
    """
    every = _grouped(specs)
    found: dict[EnvironmentSpec, Environment] = {}
    missing: list[Wanted] = []
    for wanted in every:
        lock = workshop.known(wanted.spec, locks)
        ready = workshop.ready(lock) if lock else None
        if ready is not None:
            found[wanted.spec] = ready
        else:
            missing.append(wanted)
    if missing:
        found.update(_made(missing, locks, workshop, tell, waits))
    return {step: found[spec] for step, spec in specs.items()}


def _grouped(specs: Mapping[str, EnvironmentSpec]) -> list[Wanted]:
    found: dict[EnvironmentSpec, Wanted] = {}
    for step, spec in specs.items():
        found.setdefault(spec, Wanted(spec)).steps.append(step)
    return list(found.values())


def _made(
    missing: Sequence[Wanted],
    locks: Sequence[Lock],
    workshop: Workshop,
    tell: Callable[[Wanted], None],
    waits: Callable[[Wanted], None],
) -> dict[EnvironmentSpec, Environment]:
    from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

    def work(wanted: Wanted) -> Environment:
        try:
            lock = workshop.known(wanted.spec, locks) or workshop.settle(wanted.spec)
            return workshop.make(lock, lambda: waits(wanted))
        except Unmakeable as error:
            raise Failed(wanted, error) from None

    with ThreadPoolExecutor(min(AT_ONCE, len(missing))) as pool:
        try:
            for wanted in missing:
                tell(wanted)
            jobs = [pool.submit(work, wanted) for wanted in missing]
            wait(jobs, return_when=FIRST_EXCEPTION)
            for job in jobs:
                if job.done() and (error := job.exception()):
                    raise error
            return {wanted.spec: job.result() for wanted, job in zip(missing, jobs, strict=True)}
        except (
            BaseException
        ):  # Ctrl-C too, which may come at any instruction here: nobody waits for the tools any more
            workshop.commands.stop()
            raise


def with_pips_index(environ: Mapping[str, str]) -> Mapping[str, str]:
    """uv doesn't read pip's variables: where only they name an index, it's uv's too."""
    found = dict(environ)
    for pips, uvs in (("PIP_INDEX_URL", "UV_DEFAULT_INDEX"), ("PIP_EXTRA_INDEX_URL", "UV_INDEX")):
        known = {uvs, "UV_INDEX_URL" if uvs == "UV_DEFAULT_INDEX" else "UV_EXTRA_INDEX_URL"}
        if environ.get(pips) and not known & environ.keys():
            found[uvs] = environ[pips]
    return found
