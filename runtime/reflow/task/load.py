"""Loading a flow's script as `__main__`, so that its classes have the names that pickles know, without running it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import TYPE_CHECKING

from reflow.sdk.entry import FlowEntered, entered_flow, expecting_entry
from reflow.task.trace import describe
from reflow.values.dataclass import dataclass
from reflow.values.errors import FlowError

if TYPE_CHECKING:
    from reflow.sdk.flowspec import FlowSpec


class Unloadable(FlowError):
    """The script can't be loaded: it has an error, ends early, or holds no flow. Trying again is pointless.

    `traceback`: the user's frames, "" where it didn't raise; `missing`: the module that it imports and that isn't
    installed, "" where that isn't why.
    """

    def __init__(
        self,
        message: str,
        *,
        file: str | None = None,
        line: int | None = None,
        traceback: str = "",
        missing: str = "",
    ) -> None:
        super().__init__(message, file=file, line=line)
        self.traceback = traceback
        self.missing = missing


@dataclass(frozen=True, slots=True)
class LoadedScript:
    """A script that is this process's `__main__`. `script`: the file as the user gave it."""

    flow_class: type[FlowSpec]
    script: str
    alias: bool


def load_script(
    script: str | os.PathLike[str], *, alias: bool = False, flow_class: str | None = None
) -> LoadedScript:
    """Run the script's module code, up to its `MyFlow()`. Once per process. Raises Unloadable.

    `flow_class`: the flow that is wanted, where the script holds several and calls none.
    """
    shown = os.fspath(script)
    path = os.path.abspath(shown)
    source = _read(path, shown)
    if alias:
        from reflow.sdk.alias import install_alias

        install_alias()
    module = _become_main(path)
    with expecting_entry() as entry:
        _guarded(lambda: exec(compile(source, path, "exec", dont_inherit=True), module.__dict__), shown)
    found = entry.flow if entry.flow is not None else _only_flow(module, shown, flow_class)
    if flow_class is not None and found.__name__ != flow_class:
        raise Unloadable(f"the script's flow is {found.__name__}, not {flow_class}", file=shown)
    return LoadedScript(found, shown, alias)


def loaded_here(script: str | os.PathLike[str], *, alias: bool = False) -> LoadedScript | None:
    """The script, where this process has loaded it as `__main__` already: it was started with it, or `load_script` was
    called. None where it hasn't, or where random numbers were seeded, of which nobody took notice."""
    shown = os.fspath(script)
    main, flow = sys.modules.get("__main__"), entered_flow()
    file = getattr(main, "__file__", None)
    if file is None or flow is None or os.path.abspath(file) != os.path.abspath(shown):
        return None
    if any(b"seed" in text or b"setstate" in text for text in _users_sources(os.path.abspath(shown))):
        return None
    return LoadedScript(flow, shown, alias)


def _users_sources(script: str) -> Iterator[bytes]:
    """The texts of the script and of the modules beside and below it that are loaded, but no packages' of others."""
    folder = os.path.dirname(script) + os.sep
    files = [getattr(module, "__file__", None) or "" for module in list(sys.modules.values())]
    beside = {file for file in files if file.startswith(folder) and "-packages" not in file}
    for path in {script, *(file for file in beside if file.endswith(".py"))}:
        yield _read(path, path)


def _read(path: str, shown: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise Unloadable(f"the script can't be read: {error.strerror or error}", file=shown) from None


def _become_main(path: str) -> ModuleType:
    module = ModuleType("__main__")
    module.__file__ = path
    module.__dict__["__builtins__"] = __builtins__
    module.__dict__["__cached__"] = None
    sys.modules["__main__"] = module
    sys.argv[:] = [path]
    folder = os.path.dirname(path)
    if not sys.path or sys.path[0] != folder:
        sys.path.insert(0, folder)
    return module


def _guarded(run: Callable[[], None], shown: str) -> None:
    """Run module code; what it raises becomes Unloadable, with the user's own line."""
    try:
        run()
    except FlowEntered:
        pass
    except SystemExit as error:
        raise Unloadable(
            f"the script ended itself with sys.exit({error.code!r}) before its flow was called", file=shown
        ) from None
    except SyntaxError as error:
        told = describe(error, shown)
        inside = error.filename is None or os.path.abspath(error.filename) == os.path.abspath(shown)
        where = "" if inside else f" in {error.filename}"
        raise Unloadable(
            f"the script doesn't import: SyntaxError{where}: {error.msg}",
            file=shown,
            line=error.lineno if inside else None,
            traceback=told.traceback,
        ) from None
    except BaseException as error:
        told = describe(error, shown)
        raise Unloadable(
            f"the script doesn't import: {told.line}{_hint(error)}",
            file=shown,
            line=_line_in(error, shown),
            traceback=told.traceback,
            missing=(error.name or "") if isinstance(error, ModuleNotFoundError) else "",
        ) from None


def _hint(error: BaseException) -> str:
    if not isinstance(error, ImportError):
        return ""
    if isinstance(error, ModuleNotFoundError) and error.name == "metaflow":
        return ". Run it with `reflow run FILE`, and metaflow means Reflow"
    from reflow.sdk.alias import lacking

    said = lacking(error).rstrip(".")
    return f". {said}" if said else ""


def _line_in(error: BaseException, shown: str) -> int | None:
    """The line of the script itself that led to the error: the last of its frames."""
    path, line, trace = os.path.abspath(shown), None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == path:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _only_flow(module: ModuleType, shown: str, wanted: str | None) -> type[FlowSpec]:
    """The flow of a script that doesn't call one, such as a module with nothing below its classes."""
    from reflow.sdk.flowspec import FlowSpec

    here = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, FlowSpec) and value is not FlowSpec
    ]
    flows = list(dict.fromkeys(flow for flow in here if wanted is None or flow.__name__ == wanted))
    leaves = [flow for flow in flows if not any(issubclass(o, flow) and o is not flow for o in flows)]
    if len(leaves) == 1:
        return leaves[0]
    if not leaves:
        what = f"no flow {wanted}" if wanted else "no flow: no class in it derives from FlowSpec"
        raise Unloadable(f"the script holds {what}", file=shown)
    names = ", ".join(flow.__name__ for flow in leaves)
    raise Unloadable(
        f"the script holds several flows ({names}) and doesn't say which to run: end it with "
        f"`if __name__ == '__main__': {leaves[0].__name__}()`",
        file=shown,
    )
