"""`IncludeFile`: a parameter whose value is a file's content, kept once in the store, the same in all steps."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from reflow.sdk.parameters import Parameter
from reflow.store.included import kept, reference
from reflow.values.errors import UsageError

if TYPE_CHECKING:
    from reflow.sdk.flowspec import FlowSpec
    from reflow.store.flowstore import FlowStore


class FileContent:
    """A content that has been read and isn't in the store yet."""

    __slots__ = ("value",)

    def __init__(self, value: str | bytes) -> None:
        self.value = value


IncludedFile = FileContent  # under the name that scripts written for Metaflow import


class IncludeFile(Parameter):
    """`data = IncludeFile('data', default='data.csv')`: `self.data` is the file's content.

    `is_text`: text in `encoding` (the default), else bytes. `parser`: a function of the content, or the name of
    one; `self.data` is then what it gives. `required`: a run without it is refused.
    """

    def __init__(
        self,
        name: str,
        default: Any = None,
        is_text: bool = True,
        encoding: str = "utf-8",
        required: bool | None = None,
        help: str | None = None,
        parser: str | Callable[[Any], Any] | None = None,
        show_default: bool = True,
        **unknown: Any,
    ) -> None:
        super().__init__(
            name,
            default=default,
            type=str,
            help=help,
            required=required,
            show_default=show_default,
            **unknown,
        )
        self.is_text = is_text
        self.encoding = encoding or "utf-8"
        self.parser = parser

    @property
    def type_name(self) -> str:
        return "a file's name"

    def parse(self, text: str) -> Any:
        """Reads the file. Raises UsageError."""
        return self._read(text)

    def check(self, value: Any) -> Any:
        """A manifest's value: a file's name, or a content that's kept already."""
        if value is None or isinstance(value, FileContent) or reference(value):
            return value
        if not isinstance(value, str):
            raise UsageError(f"The parameter {self.name} is a file's name, and {value!r} isn't.")
        return self._read(value)

    def _read(self, path: str) -> FileContent:
        try:
            with open(os.path.expanduser(path), "rb") as file:
                data = file.read()
        except OSError as error:
            raise UsageError(
                f"The parameter {self.name} is a file, and {path} can't be read: {error.strerror or error}. "
                f"Name another with --{self.name}."
            ) from None
        if not self.is_text:
            return FileContent(data)
        try:
            return FileContent(data.decode(self.encoding))
        except (UnicodeDecodeError, LookupError) as error:
            raise UsageError(
                f"The parameter {self.name}: {path} isn't text in {self.encoding} ({error}). "
                f"Declare it with is_text=False, or with another encoding=."
            ) from None

    def __get__(self, flow: FlowSpec | None, owner: type | None = None) -> Any:
        if flow is None:
            return self
        state = flow._reflow
        if self.name in state.included:
            return state.included[self.name]
        ref = reference(state.parameters.get(self.name))
        if ref is None:
            return None
        value = state.load_kept(self.attribute, ref)
        state.included[self.name] = self.parsed(value)
        return state.included[self.name]

    def parsed(self, content: Any) -> Any:
        """What the parser makes of the content."""
        if self.parser is None:
            return content
        if callable(self.parser):
            return self.parser(content)
        from importlib import import_module

        module, _, name = self.parser.rpartition(".")
        return getattr(import_module(module), name)(content)


def keep_files(store: FlowStore, values: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters' values as a manifest has them: contents are put into the store."""
    return {
        name: kept(store.dump(value.value, budget=0)) if isinstance(value, FileContent) else value
        for name, value in values.items()
    }
