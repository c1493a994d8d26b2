"""What a Vega-Lite specification asks for: layers of marks, and for each mark's point a value per channel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from reflow.cards.charts.aggregates import AGGREGATES, Point, aggregated, put_in_bins
from reflow.values.dataclass import dataclass, field

MARKS = {
    "area": "area",
    "arc": "arc",
    "bar": "bar",
    "circle": "point",
    "line": "line",
    "point": "point",
    "rect": "rect",
    "rule": "rule",
    "text": "text",
    "square": "point",
    "tick": "tick",
    "trail": "line",
}
"""Marks that are drawn, by how."""
FACETS = ("row", "column", "facet")
CHANNELS = ("x", "y", "x2", "y2", "xOffset", "yOffset", "color", "theta", "size", "order", "text", *FACETS)
_IGNORED = frozenset(
    ("tooltip", "opacity", "shape", "href", "key", "description", "strokeDash", "strokeWidth", "fillOpacity")
)
_SAME = {"fill": "color", "stroke": "color"}
_APART = frozenset(
    ("shape", "strokeDash", "opacity", "key")
)  # what tells groups apart is drawn as lines of their own
_KINDS = {"Q": "quantitative", "N": "nominal", "O": "ordinal", "T": "temporal"}
_UNITS = {
    "year": 1,
    "yearmonth": 2,
    "yearmonthdate": 3,
    "yearmonthdatehours": 4,
    "yearmonthdatehoursminutes": 5,
}
_GUIDES = ("axis", "legend", "header")
_FORMATS = ("%b %d %Y", "%Y/%m/%d", "%m/%d/%Y", "%d %b %Y")


class NotDrawn(Exception):
    """What a chart asks for and isn't drawn here, as the end of a sentence."""


@dataclass(frozen=True, slots=True)
class Channel:
    """What a channel shows. `value`: a fixed one, such as a colour."""

    kind: str = "nominal"
    by: str = ""  # the data's field
    title: str = ""
    aggregate: str = ""
    bins: int = 0
    stack: Any = True
    sort: Any = "ascending"
    scale: Mapping[str, Any] = field(default_factory=dict)
    value: Any = None
    datum: Any = None
    unit: str = ""  # of time
    name: str = ""  # what it shows, in a mark's tooltip: there even where no title is wanted

    @property
    def is_discrete(self) -> bool:
        """Whether it shows names rather than amounts."""
        return self.kind in ("nominal", "ordinal")


@dataclass(frozen=True, slots=True)
class Layer:
    """Marks of one sort. `how`: one of the values of MARKS."""

    how: str
    look: Mapping[str, Any]
    channels: Mapping[str, Channel]
    points: Sequence[Point]


def layers_of(spec: Mapping[str, Any]) -> list[Layer]:
    """The layers, the lowest first. Raises NotDrawn."""
    spec = _of_one_plot(spec)
    found = list(_layers(spec, {}, None, spec.get("datasets") or {}))
    if not any(layer.points for layer in found):
        raise NotDrawn("there are no data in it (data by an address isn't fetched)")
    return found


def _of_one_plot(spec: Mapping[str, Any]) -> Mapping[str, Any]:
    """Facets around a plot are channels of it."""
    facet, inner = spec.get("facet"), spec.get("spec")
    if not isinstance(facet, Mapping) or not isinstance(inner, Mapping):
        return spec
    around = facet if {"row", "column"} & set(facet) else {"facet": facet}
    shared = {name: spec[name] for name in ("data", "transform") if name in spec}
    return {**shared, **inner, "encoding": {**(inner.get("encoding") or {}), **around}}


def _layers(
    spec: Mapping[str, Any], encoding: Mapping[str, Any], data: Any, sets: Mapping[str, Any]
) -> Iterable[Layer]:
    if spec.get("transform"):
        raise NotDrawn("it transforms its data")
    for part in ("repeat", "marks"):
        if part in spec:
            raise NotDrawn(f"it has {part!r}")
    encoding = {**encoding, **(spec.get("encoding") or {})}
    data = spec.get("data") or data
    for inner in spec.get("layer") or ():
        yield from _layers(inner, encoding, data, sets)
    if "layer" in spec:
        return
    look = spec.get("mark")
    look = {"type": look} if isinstance(look, str) else look
    if not isinstance(look, Mapping) or look.get("type") not in MARKS:
        named = look.get("type") if isinstance(look, Mapping) else look
        raise NotDrawn(f"its mark is {named!r}" if named else "it has no mark")
    rows = _rows(data, sets)
    channels = dict(_channels(encoding, rows))
    yield Layer(MARKS[str(look["type"])], look, channels, _points(channels, rows))


def _rows(data: Any, sets: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    data = data or {}
    values = data.get("values") if "values" in data else sets.get(data.get("name", ""))
    if isinstance(values, Mapping):
        values = [values]
    if values is None or isinstance(values, str):
        return []
    return [row if isinstance(row, Mapping) else {"data": row} for row in values]


# Channels


def _channels(
    encoding: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]
) -> Iterable[tuple[str, Channel]]:
    for given, about in encoding.items():
        name = _SAME.get(given, given)
        several = about if isinstance(about, list) else [about]
        if name == "detail" or (name in _APART and isinstance(about, Mapping) and "field" in about):
            for number, one in enumerate(several):
                yield f"detail {name} {number}", _channel("detail", one, rows)
        elif name in CHANNELS and about is not None:
            if len(several) > 1:
                raise NotDrawn(f"it has several fields for {given!r}")
            yield name, _channel(name, _settled(several[0]), rows)
        elif name not in _IGNORED and about is not None:
            raise NotDrawn(f"it has a channel {given!r}")


def _settled(about: Mapping[str, Any]) -> Mapping[str, Any]:
    """Of what depends on what its reader selects, what is shown at first, when all counts as selected."""
    condition = about.get("condition")
    if condition is None:
        return about
    if not isinstance(condition, Mapping) or not {"param", "selection"} & set(condition):
        raise NotDrawn("it depends on a test of its values")
    return about if condition.get("empty") is False else condition


def _channel(name: str, about: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Channel:
    unit = about.get("timeUnit")
    if unit and unit not in _UNITS:
        raise NotDrawn(f"it has the time unit {unit!r}")
    by, bins, aggregate = str(about.get("field") or ""), about.get("bin"), about.get("aggregate") or ""
    if not isinstance(aggregate, str) or aggregate not in ("", *AGGREGATES):
        raise NotDrawn(f"it aggregates by {aggregate!r}")
    kind = _KINDS.get(str(about.get("type"))[:1].upper()) if about.get("type") else None
    kind = "temporal" if unit else kind
    kind = kind or ("quantitative" if bins or aggregate else _guessed(by, rows, name, about))
    guide: Mapping[str, Any] = next((about[one] for one in _GUIDES if about.get(one)), {})
    titles = [one["title"] for one in (guide, about) if "title" in one]  # null: none is wanted
    named = next((one for one in titles if one), _title(by, aggregate, bool(bins)))
    count = (bins.get("maxbins") if isinstance(bins, Mapping) else 10) or 10 if bins else 0
    return Channel(
        "quantitative" if aggregate and aggregate not in ("min", "max") else kind,
        by,
        _line("" if titles[0] is None else titles[0]) if titles else _line(named),
        aggregate,
        int(count),
        about.get("stack", True),
        about.get("sort", "ascending"),
        about.get("scale") or {},
        about.get("value"),
        about.get("datum"),
        str(unit or ""),
        _line(named),
    )


def _line(title: Any) -> str:
    return ", ".join(map(str, title)) if isinstance(title, list) else str(title)


def _guessed(by: str, rows: Sequence[Mapping[str, Any]], name: str, about: Mapping[str, Any]) -> str:
    sample = (
        about.get("datum") if "datum" in about else next((r[by] for r in rows if r.get(by) is not None), None)
    )
    is_amount = isinstance(sample, int | float) and not isinstance(sample, bool)
    return "quantitative" if is_amount or name in ("theta", "size") else "nominal"


def _title(by: str, aggregate: str, is_binned: bool) -> str:
    if aggregate == "count":
        return "Count of records"
    if aggregate:
        return f"{aggregate.capitalize()} of {by}"
    return f"{by} (binned)" if is_binned else by


# Points


def _points(channels: Mapping[str, Channel], rows: Sequence[Mapping[str, Any]]) -> list[Point]:
    shown = {name: one for name, one in channels.items() if one.value is None}
    if shown and all(one.datum is not None for one in shown.values()):
        rows = [{}]
    points = [{name: _value(one, row) for name, one in shown.items()} for row in rows]
    for name, one in shown.items():
        if one.bins:
            put_in_bins(points, name, one.bins)
    if how := {name: one.aggregate for name, one in shown.items() if one.aggregate}:
        points = aggregated(points, how)
    needed = [name for name in ("x", "y", "theta") if name in shown]
    return [point for point in points if all(point[name] is not None for name in needed)]


def _value(channel: Channel, row: Mapping[str, Any]) -> Any:
    found = channel.datum if channel.datum is not None else _inner(row, channel.by)
    if found is None or channel.aggregate == "distinct":
        return found
    if channel.kind == "quantitative":
        return _number(found)
    if channel.kind == "temporal":
        seconds = _seconds(found)
        return _begun(seconds, channel.unit) if channel.unit and seconds is not None else seconds
    return str(found)


def _inner(row: Mapping[str, Any], path: str) -> Any:
    if path in row or "." not in path:
        return row.get(path.replace("\\", ""), row.get(path))
    found: Any = row
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if number - number == 0 else None  # neither infinite nor NaN


def _seconds(value: Any) -> float | None:
    """Of a time, since the epoch. Numbers are milliseconds, as in Vega."""
    if isinstance(value, int | float):
        return value / 1000
    if isinstance(value, date) and not isinstance(value, datetime):
        value = value.isoformat()
    moment = value if isinstance(value, datetime) else _moment(str(value).strip())
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _begun(seconds: float, unit: str) -> float:
    """When the year, month … began in which the moment is."""
    parts = datetime.fromtimestamp(seconds, UTC).timetuple()[: _UNITS[unit]]
    year, month, day, hour, minute = (*parts, *(1, 1, 1, 0, 0)[len(parts) :])
    return datetime(year, month, day, hour, minute, tzinfo=UTC).timestamp()


def _moment(text: str) -> datetime | None:
    if len(text) == 4 and text.isdigit():
        return datetime(int(text), 1, 1)
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    for form in _FORMATS:
        try:
            return datetime.strptime(text, form)
        except ValueError:
            pass
    return None
