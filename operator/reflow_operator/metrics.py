"""Counters, gauges and durations as Prometheus' text. A few lines, so that no library comes in for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

Labels = tuple[tuple[str, str], ...]
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """All of the operator's metrics. In one event loop."""

    def __init__(self) -> None:
        self._counters: dict[tuple[str, Labels], float] = {}
        self._durations: dict[str, list[int]] = {}
        self._sums: dict[str, float] = {}
        self._gauges: dict[str, Callable[[], float]] = {}

    def count(self, name: str, **labels: str) -> None:
        """One more."""
        key = (name, tuple(sorted(labels.items())))
        self._counters[key] = self._counters.get(key, 0) + 1

    def took(self, name: str, seconds: float) -> None:
        """Something lasted so long."""
        counts = self._durations.setdefault(name, [0] * (len(BUCKETS) + 1))
        place = next((place for place, limit in enumerate(BUCKETS) if seconds <= limit), len(BUCKETS))
        counts[place] += 1
        self._sums[name] = self._sums.get(name, 0.0) + seconds

    def gauge(self, name: str, value: Callable[[], float]) -> None:
        """Something that is asked for when it is told."""
        self._gauges[name] = value

    def request(self, verb: str, path: str, status: int) -> None:
        """An answer of the API server."""
        self.count("reflow_api_requests_total", verb=verb, resource=_resource(path), code=str(status))

    def text(self) -> str:
        """In Prometheus' format."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        told: set[str] = set()
        for (name, labels), value in sorted(self._counters.items()):
            if name not in told:
                told.add(name)
                yield f"# TYPE {name} counter"
            yield f"{name}{_braces(labels)} {value:g}"
        for name, ask in sorted(self._gauges.items()):
            yield f"# TYPE {name} gauge"
            yield f"{name} {ask():g}"
        for name, counts in sorted(self._durations.items()):
            yield f"# TYPE {name} histogram"
            running = 0
            for limit, count in zip((*map(str, BUCKETS), "+Inf"), counts, strict=True):
                running += count
                yield f'{name}_bucket{{le="{limit}"}} {running}'
            yield f"{name}_sum {self._sums[name]:g}"
            yield f"{name}_count {running}"


def _resource(path: str) -> str:
    """The kind of thing that a URL path is of, without names: a label must have few values."""
    parts = path.strip("/").split("/")
    parts = parts[2:] if parts[:1] == ["api"] else parts[3:] if parts[:1] == ["apis"] else parts
    if parts[:1] == ["namespaces"]:
        parts = parts[2:]
    kind, sub = parts[0] if parts else "", parts[2] if len(parts) > 2 else ""
    return f"{kind}/{sub}" if sub else kind


def _braces(labels: Labels) -> str:
    inner = ",".join(f'{name}="{value}"' for name, value in labels)
    return f"{{{inner}}}" if inner else ""
