"""Letting simulated events out when they fall due."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pipeline.simulation.schedule import Due


def paced(events: Iterable[Due], now_ms: Callable[[], float], pause: Callable[[float], object]) -> Iterator[Due]:
    """Yield each event no earlier than it is due; what is overdue comes without a pause.

    Args:
        events: in order of their due times.
        now_ms: the wall clock in epoch milliseconds.
        pause: waits for about the given seconds.
    """
    known = now_ms()
    for event in events:
        while event.at_ms > known:
            known = now_ms()
            if event.at_ms > known:
                pause((event.at_ms - known) / 1000)
        yield event
