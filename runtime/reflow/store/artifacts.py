"""Values as artifacts: pickled once, on the way into a blob or a record, and verified before they are
unpickled.
"""

from __future__ import annotations

import copyreg
import pickle
import sys
from collections.abc import Callable, Iterable
from hashlib import sha256
from operator import methodcaller
from typing import Any, BinaryIO

from reflow.store import layout
from reflow.store.content import Content
from reflow.store.errors import Unpicklable
from reflow.store.objects import ObjectStore
from reflow.store.values import ArtifactRef, Record
from reflow.values.errors import CorruptObject, NotFound, ReflowError, UnloadableValue

PROTOCOL = 5
_CHUNK = 1 << 20


def dump(objects: ObjectStore, flow: str, value: Any, *, budget: int) -> ArtifactRef:
    """Pickle `value`: inline where it fits `budget` bytes, else streamed into a blob. Raises Unpicklable."""
    with Content(objects) as content:
        packages = write_pickle(value, content)
        data = content.bytes() if content.size <= budget else None
        if data is None:
            content.store(flow)
        return ArtifactRef(content.sha256, content.size, type_name(value), data, packages)


def write_pickle(value: Any, target: Content) -> tuple[str, ...]:
    """Pickle into `target`; the top-level packages, outside the standard library, whose types it met.

    Raises Unpicklable for whatever the value's own code raises, but not for what the store does.
    """
    types = _TypesMet(value)
    pickler = pickle.Pickler(target, PROTOCOL)
    pickler.dispatch_table = types
    try:
        pickler.dump(value)
    except (ReflowError, MemoryError):
        raise
    except Exception as error:  # pickling runs the value's own code, which may raise anything
        raise Unpicklable(
            f"A value of type {type_name(value)} can't be pickled, and so can't be kept:"
            f" {type(error).__name__}: {error}"
        ) from error
    return types.packages()


class _TypesMet(dict[type, Callable[[Any], Any]]):
    """A pickler's dispatch table that answers as the default would, and remembers the types it is asked for.

    The pickler asks for each object whose type isn't built in. A dict's `__missing__` makes that one call
    per type in Python, and a look-up in C for every further object.
    """

    def __init__(self, value: Any) -> None:
        named = value if isinstance(value, type) or callable(value) else type(value)
        self._modules = {getattr(named, "__module__", None) or ""}

    def __missing__(self, kind: type) -> Callable[[Any], Any]:
        self._modules.add(kind.__module__)
        if kind in copyreg.dispatch_table:
            self[kind] = copyreg.dispatch_table[kind]
        elif issubclass(kind, type):
            raise KeyError(kind)  # a class of a metaclass: pickled by name, which isn't for us to do
        else:
            self[kind] = methodcaller("__reduce_ex__", PROTOCOL)
        return self[kind]

    def packages(self) -> tuple[str, ...]:
        tops = {str(module).partition(".")[0] for module in self._modules}
        ours = {"", "__main__", "__mp_main__"}  # the script itself is no package
        return tuple(sorted(top for top in tops if top not in ours and top not in sys.stdlib_module_names))


def load(objects: ObjectStore, flow: str, ref: ArtifactRef, *, name: str, made_by: Record | None) -> Any:
    """Verify, then unpickle. Raises UnloadableValue, CorruptObject, NotFound."""
    if ref.inline is not None:
        verify(ref.inline, ref.sha256, f"artifact {name}")
        return _unpickle(lambda: pickle.loads(ref.inline or b""), ref, name, made_by)
    key = layout.blob(flow, ref.sha256)
    try:
        file = objects.open(key)
    except NotFound:
        raise NotFound(f"The content of artifact {name} is gone from the store: there is no {key}.") from None
    with file:
        verify_file(file, ref.sha256, f"artifact {name} ({key})")
        return _unpickle(lambda: pickle.load(file), ref, name, made_by)


def verify(data: bytes, expected: str, what: str) -> None:
    """Raises CorruptObject where the content isn't what was written."""
    if sha256(data).hexdigest() != expected:
        raise CorruptObject(f"The content of {what} in the store isn't what was written: its hash differs.")


def verify_file(file: BinaryIO, expected: str, what: str) -> None:
    """As `verify`, by chunks; leaves the file at its start."""
    digest = sha256()
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
    if digest.hexdigest() != expected:
        raise CorruptObject(f"The content of {what} in the store isn't what was written: its hash differs.")
    file.seek(0)


def _unpickle(read: Callable[[], Any], ref: ArtifactRef, name: str, made_by: Record | None) -> Any:
    try:
        return read()
    except MemoryError:
        raise
    except Exception as error:  # unpickling runs any code, which may raise anything
        raise UnloadableValue(_why(error, ref, name, made_by)) from error


def _why(error: Exception, ref: ArtifactRef, name: str, made_by: Record | None) -> str:
    here = f"Python {sys.version.split()[0]}"
    text = f"Artifact {name} (a {ref.type}) can't be loaded here: {type(error).__name__}: {error}."
    if made_by:
        theirs = [f"{top} {made_by.packages[top]}" for top in ref.packages if top in made_by.packages]
        text += f" It was made by {_with(f'Python {made_by.python}', theirs)};"
        ours = versions(ref.packages)
        text += f" here is {_with(here, [_found(top, ours) for top in ref.packages])}."
    if "__main__" in str(error):
        text += " Its class is defined in the flow's script: import it here first, from that script."
    return text


def _found(top: str, versions: dict[str, str]) -> str:
    return f"{top} {versions[top]}" if top in versions else f"no {top}"


def _with(python: str, packages: list[str]) -> str:
    return f"{python} with {' and '.join(packages)}" if packages else python


def versions(packages: Iterable[str]) -> dict[str, str]:
    """The versions of top-level packages here. One that isn't here, or doesn't tell its version, is left
    out.
    """
    found = {}
    for top in packages:
        version = getattr(sys.modules.get(top), "__version__", None) or _installed_version(top)
        if version:
            found[top] = str(version)
    return found


def _installed_version(top: str) -> str | None:
    from importlib import metadata, util  # slow to import, and rarely needed

    try:
        return metadata.version(top)
    except metadata.PackageNotFoundError:
        pass
    except ValueError:
        return None
    try:
        return "of unknown version" if util.find_spec(top) else None
    except (ImportError, ValueError):  # made in memory, as what several of Cython's modules share is
        return None


def type_name(value: Any) -> str:
    """A type's name for people: `int`, `numpy.ndarray`, `__main__.Model`."""
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
