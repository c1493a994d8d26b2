"""From values to places on the page, and the ticks of an axis."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from math import ceil, copysign, floor, isfinite, log10
from typing import Any, Protocol

_SECOND, _MINUTE, _HOUR, _DAY = 1, 60, 3600, 86400
_STEPS = (
    *(n * _SECOND for n in (1, 5, 15, 30)),
    *(n * _MINUTE for n in (1, 5, 15, 30)),
    *(n * _HOUR for n in (1, 3, 6, 12)),
    *(n * _DAY for n in (1, 2, 7, 14)),
)
_MONTH, _YEAR = 30.4 * _DAY, 365.25 * _DAY
_TICKS = 6  # about so many on an axis
Tick = tuple[float, str]


class Scale(Protocol):
    """`at` gives a value's place; `band`: the room around it."""

    band: float

    def at(self, value: Any) -> float:
        """In pixels."""

    def ticks(self) -> list[Tick]:
        """Places and texts."""


def step_of(low: float, high: float, most: int) -> float:
    """A round step of which at most so many go from the one to the other."""
    span = (high - low) or abs(high) or 1.0
    rough = span / max(most, 1)
    power = 10.0 ** floor(log10(rough))
    for factor in (1, 2, 5):
        if factor * power >= rough * 0.999999:
            return factor * power
    return 10 * power


def number_text(value: float, step: float = 0.0) -> str:
    """A number with ten digits, or with as many as tell it from its neighbours, which are a `step` away."""
    if value == 0 or not isfinite(value):
        return str(value) if value else "0"
    size = floor(log10(abs(value)))
    digits = min(max(size - floor(log10(step)) + 2, 1), 15) if step else 10
    if -4 <= size < 12:
        return f"{value:,.{max(digits, size + 1)}g}"
    return f"{value:.{digits}g}"


class Linear:
    """Amounts."""

    band = 0.0

    def __init__(self, low: float, high: float, start: float, end: float, *, nice: bool = True) -> None:
        self._step = step_of(low, high, _TICKS)
        if low == high:
            low, high = (low - self._step, high + self._step) if low else (0.0, 1.0)
            self._step = step_of(low, high, _TICKS)
        if nice:
            low, high = (
                floor(low / self._step + 1e-9) * self._step,
                ceil(high / self._step - 1e-9) * self._step,
            )
        self.low, self.high, self._start, self._end = low, high, start, end

    def at(self, value: Any) -> float:
        return self._start + (float(value) - self.low) / (self.high - self.low) * (self._end - self._start)

    def ticks(self) -> list[Tick]:
        first = ceil(self.low / self._step - 1e-9)
        last = floor(self.high / self._step + 1e-9)
        values = [number * self._step for number in range(first, min(last, first + 50) + 1)]
        return [(self.at(value), number_text(value, self._step)) for value in values]


class Power(Linear):
    """Amounts by a power of them: 0.5 for their square roots."""

    def __init__(
        self, low: float, high: float, start: float, end: float, exponent: float, *, nice: bool = True
    ) -> None:
        self._exponent = exponent
        super().__init__(low, high, start, end, nice=nice)

    def at(self, value: Any) -> float:
        low, high, place = (
            copysign(abs(one) ** self._exponent, one) for one in (self.low, self.high, float(value))
        )
        return self._start + (place - low) / (high - low) * (self._end - self._start)


class Log:
    """Amounts of different size."""

    band = 0.0

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        low = low if low > 0 else min(high, 1.0) / 1000 if high > 0 else 0.1
        self._low, self._high = floor(log10(low)), max(ceil(log10(max(high, low))), floor(log10(low)) + 1)
        self._start, self._end = start, end

    def at(self, value: Any) -> float:
        power = log10(float(value)) if float(value) > 0 else self._low
        return self._start + (power - self._low) / (self._high - self._low) * (self._end - self._start)

    def ticks(self) -> list[Tick]:
        every = max(1, (self._high - self._low) // 8)
        powers = range(self._low, self._high + 1, every)
        return [(self.at(10.0**power), number_text(10.0**power)) for power in powers]


class Time(Linear):
    """Moments, as seconds since the epoch, in UTC."""

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        super().__init__(low, high if high > low else low + 1, start, end, nice=False)

    def ticks(self) -> list[Tick]:
        span = self.high - self.low
        for step in _STEPS:
            if span / step <= _TICKS + 1:
                first, last = ceil(self.low / step), floor(self.high / step)
                form = "%H:%M:%S" if step < _MINUTE else "%H:%M" if step < _DAY else "%b %d"
                form = f"%b %d {form}" if step < _DAY < span else form
                return [
                    (self.at(n * step), datetime.fromtimestamp(n * step, UTC).strftime(form))
                    for n in range(first, last + 1)
                ]
        return self._months(max(1, round(span / _MONTH / _TICKS)))

    def _months(self, every: int) -> list[Tick]:
        every = next((one for one in (1, 3, 6, 12) if one >= every), 0)
        every = every or 12 * max(1, round(step_of(0, (self.high - self.low) / _YEAR, _TICKS)))
        moment = datetime.fromtimestamp(self.low, UTC)
        month = moment.year * 12 // every * every
        found = []
        while month // 12 <= 9998:
            at = datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC).timestamp()
            if at > self.high:
                break
            if at >= self.low:
                form = "%Y" if every >= 12 else "%b %Y"
                found.append((self.at(at), datetime.fromtimestamp(at, UTC).strftime(form)))
            month += every
        return found


def in_order(name: str) -> tuple[int, float, str]:
    """What names are sorted by: numbers by their size, before other names."""
    try:
        return 0, float(name), name
    except ValueError:
        return 1, 0.0, name


class Band:
    """Names, one beside the other."""

    def __init__(self, names: Sequence[str], start: float, end: float) -> None:
        self.names = list(names)
        self.band = abs(end - start) / max(len(self.names), 1)
        self._places = {name: place for place, name in enumerate(self.names)}
        self._start, self._sign = min(start, end), 1

    def at(self, value: Any) -> float:
        return self._start + (self._places[str(value)] + 0.5) * self.band

    def ticks(self) -> list[Tick]:
        every = ceil(len(self.names) / max(self.band * len(self.names) / 14, 1))
        return [(self.at(name), name) for name in self.names[::every]]
