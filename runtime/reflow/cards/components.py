"""The components of cards, by Metaflow's names. Each is made of plain values and renders itself when it's asked to."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from reflow.cards import markdown
from reflow.cards.parts import (
    MetaflowCardComponent,
    escape,
    failure,
    fold,
    pairs,
    rendered,
    shortened,
    text_of,
)

MOST_ROWS = 1000  # of a table that are shown


class UserComponent(MetaflowCardComponent):
    """What users append to a card."""

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Shows itself as it's made now: takes what the component is made of."""
        self.__init__(*args, **kwargs)  # type: ignore[misc]


class Markdown(UserComponent):
    """A text in Markdown. What its lines are indented by in common doesn't count."""

    REALTIME_UPDATABLE = True

    def __init__(self, text: str | None = None) -> None:
        self._text = "" if text is None else str(text)

    def render(self) -> str:
        from textwrap import dedent

        return f'<div class="markdown">{markdown.html_of(dedent(self._text))}</div>'


class Table(UserComponent):
    """Rows of values or components under headers."""

    REALTIME_UPDATABLE = True

    def __init__(
        self,
        data: Sequence[Sequence[Any]] | None = None,
        headers: Sequence[Any] | None = None,
        disable_updates: bool = False,
    ) -> None:
        self._rows = _listed(data)
        self._headers = _listed(headers)
        self._length = len(self._rows)
        self._why = ""

    @classmethod
    def from_dataframe(
        cls, dataframe: Any = None, truncate: bool = True, disable_updates: bool = False
    ) -> Table:
        """A table of a pandas DataFrame, or of another that has `columns`: the first thousand rows, after its index."""
        try:
            return cls._of_frame(dataframe, truncate)
        except Exception as error:
            made = cls()
            made._why = f"{type(dataframe).__qualname__} isn't a data frame: {type(error).__name__}: {error}"
            return made

    @classmethod
    def _of_frame(cls, dataframe: Any, truncate: bool) -> Table:
        shown = dataframe.head(MOST_ROWS) if truncate else dataframe
        if not hasattr(dataframe, "itertuples"):  # polars, say
            made = cls([list(row) for row in shown.iter_rows()], list(map(str, shown.columns)))
        else:
            made = cls([list(row) for row in shown.itertuples(name=None)], ["", *map(str, shown.columns)])
        made._length = len(dataframe)
        return made

    def render(self) -> str:
        if self._why:
            return failure("The table can't be shown", self._why)
        rows = self._rows
        head = "".join(f"<th>{_cell(one)}</th>" for one in self._headers)
        body = "".join(f"<tr>{''.join(f'<td>{_cell(one)}</td>' for one in row)}</tr>" for row in rows)
        table = f"<table>{f'<tr>{head}</tr>' if head else ''}{body}</table>"
        left = self._length - len(rows)
        note = f'<p class="note">{left:,} more rows aren\'t shown.</p>' if left > 0 else ""
        return f'<div class="wide">{table}{note}</div>'


def _listed(data: Any) -> Sequence[Any]:
    if data is None:
        return ()
    return data if hasattr(data, "__len__") else list(data)


def _cell(value: Any) -> str:
    if isinstance(value, MetaflowCardComponent):
        return rendered(value)
    return escape(shortened(value) if isinstance(value, str) else _plain(value))


def _plain(value: Any) -> str:
    try:
        return shortened(str(value))
    except Exception:
        return text_of(value)


class Artifact(UserComponent):
    """A value's name and text. `compressed` is taken as in Metaflow, and changes nothing."""

    REALTIME_UPDATABLE = True

    def __init__(self, artifact: Any, name: str | None = None, compressed: bool = True) -> None:
        self._value, self._name = artifact, name

    def update(self, artifact: Any) -> None:
        """Show another value."""
        self._value = artifact

    def render(self) -> str:
        text = f"<pre>{escape(text_of(self._value))}</pre>"
        kind = f'<span class="kind">{escape(type(self._value).__qualname__)}</span>'
        return pairs([(escape(self._name) if self._name else kind, text)])


class Error(UserComponent):
    """An exception, with its traceback where it has one."""

    def __init__(self, exception: Any, title: str | None = None) -> None:
        self._exception, self._title = exception, title

    def render(self) -> str:
        error = self._exception
        if isinstance(error, BaseException):
            from traceback import format_exception

            text = "".join(format_exception(error)).rstrip()
            return failure(self._title or type(error).__name__, shortened(text, 50_000))
        return failure(self._title or "Error", error if isinstance(error, str) else text_of(error))


class ProgressBar(UserComponent):
    """How far something is: `value` of `max`. A `value` past it is shown as all of it."""

    REALTIME_UPDATABLE = True

    def __init__(
        self,
        max: float = 100,
        label: str | None = None,
        value: float = 0,
        unit: str | None = None,
        metadata: str | None = None,
    ) -> None:
        self._max, self._label, self._value = max, label, value
        self._unit, self._metadata = unit, metadata

    def update(self, new_value: float, metadata: str | None = None) -> None:
        """Move it; `metadata` replaces what is shown beside it, where it's given."""
        self._value = new_value
        if metadata is not None:
            self._metadata = metadata

    def render(self) -> str:
        label = f"<strong>{escape(self._label)}</strong> " if self._label else ""
        unit = f" {escape(self._unit)}" if self._unit else ""
        about = f' <span class="note">{escape(self._metadata)}</span>' if self._metadata is not None else ""
        text = f"{label}{escape(self._value)}/{escape(self._max)}{unit}{about}"
        bar = f'<progress value="{escape(self._value)}" max="{escape(self._max)}"></progress>'
        return f'<div class="progress"><div>{text}</div>{bar}</div>'


class ValueBox(UserComponent):
    """One value, large."""

    REALTIME_UPDATABLE = True
    _shown = ("title", "value", "subtitle", "theme", "change_indicator")

    def __init__(
        self,
        title: str | None = None,
        value: str | float = "",
        subtitle: str | None = None,
        theme: str | None = None,
        change_indicator: str | None = None,
    ) -> None:
        given = (title, value, subtitle, theme, change_indicator)
        self._parts: dict[str, Any] = dict(zip(self._shown, given, strict=True))

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Change the parts that are given, and keep the others."""
        changes = {**dict(zip(self._shown, args, strict=False)), **kwargs}
        self._parts.update((name, value) for name, value in changes.items() if value is not None)

    def render(self) -> str:
        parts = {name: escape(value) if value is not None else "" for name, value in self._parts.items()}
        lines = [f"<div>{parts[one]}</div>" for one in ("subtitle", "change_indicator") if parts[one]]
        title = f"<div>{parts['title']}</div>" if parts["title"] else ""
        return f'<div class="box {parts["theme"]}">{title}<b>{parts["value"]}</b>{"".join(lines)}</div>'


class VegaChart(UserComponent):
    """A chart by its Vega-Lite specification: common ones are drawn here, and all show what they say."""

    REALTIME_UPDATABLE = True

    def __init__(self, spec: Mapping[str, Any], show_controls: bool = False) -> None:
        self._spec = spec
        self._why = ""

    @classmethod
    def from_altair_chart(cls, altair_chart: Any) -> VegaChart:
        """Of a chart of the library Altair."""
        try:
            return cls(altair_chart.to_dict())
        except Exception as error:  # more rows than Altair takes, say
            made = cls({})
            made._why = f"{type(error).__name__}: {error}"
            return made

    def update(self, spec: Mapping[str, Any] | None = None) -> None:
        """Draw another."""
        if spec is not None:
            self._spec, self._why = spec, ""

    def render(self) -> str:
        if self._why:
            return failure("The chart can't be shown", self._why)
        from reflow.cards.charts.draw import figure

        said = json.dumps(self._spec, indent=1, default=text_of)
        return figure(self._spec) + fold("Specification", _block(said))


class PythonCode(UserComponent):
    """The code of a function, or a text of code."""

    def __init__(self, code_func: Callable[..., Any] | None = None, code_string: str | None = None) -> None:
        self._function, self._text = code_func, code_string

    def render(self) -> str:
        if self._function is None:
            return _block(self._text or "")
        from inspect import getsource
        from textwrap import dedent

        return _block(dedent(getsource(self._function)))


class JSONViewer(UserComponent):
    """A value as JSON."""

    REALTIME_UPDATABLE = True

    def __init__(
        self,
        data: Any,
        collapsible: bool = True,
        max_height: str | None = None,
        show_copy_button: bool = True,
        title: str | None = None,
    ) -> None:
        self._data, self._title = data, title

    def _text(self) -> str:
        return json.dumps(self._data, indent=2, default=text_of)

    def render(self) -> str:
        return _titled(self._title, _block(self._text()))


class YAMLViewer(JSONViewer):
    """A value as YAML: a text as it is, another value as JSON, which is YAML too."""

    def _text(self) -> str:
        return self._data if isinstance(self._data, str) else super()._text()


def _block(text: str) -> str:
    return f'<pre class="block">{escape(text)}</pre>'


def _titled(title: str | None, body: str) -> str:
    return f"<h3>{escape(title)}</h3>{body}" if title else body
