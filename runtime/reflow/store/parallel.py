"""Many small requests at once, where each waits for a network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


def each(do: Callable[[A], B], arguments: Sequence[A], *, at_once: int) -> list[B]:
    """`[do(a) for a in arguments]`, `at_once` of them at a time. Raises the first error met, once all
    have stopped.
    """
    if at_once <= 1 or len(arguments) <= 1:
        return [do(argument) for argument in arguments]
    import threading  # not needed where the store is a folder

    found: dict[int, B] = {}
    errors: list[BaseException] = []
    numbers = iter(range(len(arguments)))
    lock = threading.Lock()

    def work() -> None:
        while not errors:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            try:
                found[number] = do(arguments[number])
            except BaseException as error:
                errors.append(error)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(at_once, len(arguments)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return [found[number] for number in range(len(arguments))]
