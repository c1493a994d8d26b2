"""How much is measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """`rounds`: samples of each thing; `slow_rounds`: of what takes minutes; `cluster_rounds`: of chains in the
    cluster; `sizes`: how many tasks, or nothing for the usual numbers; `patience`: seconds in all
    that each benchmark may wait for the machine to be calm."""

    rounds: int = 5
    slow_rounds: int = 3
    cluster_rounds: int = 2
    sizes: tuple[int, ...] = ()
    patience: float = 300.0
