"""Which campaigns are read again at once, and how long to rest between."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from pipeline.alerts.reading import CHUNK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_ROWS_AT_ONCE: Final = 200_000  # of two million at once each took twice as long: they are out of the caches
_LONG_SECONDS: Final = 0.05
_RESTS: Final = 3  # times as long as a long part took
_LONGEST_REST_SECONDS: Final = 1.0  # whoever ends the process waits for it
_MOST_REST_SECONDS: Final = 4.0  # a look that lasts is told as one that hangs


def next_part(names: Iterable[str], size_of: Callable[[str], int]) -> list[str]:
    """Return the first of some campaigns, to be read at once: many small ones, or a few large ones."""
    part: list[str] = []
    size = 0
    for name in names:
        part.append(name)
        size += size_of(name)
        if size > _ROWS_AT_ONCE or len(part) == CHUNK:
            break
    return part


def in_parts(
    names: Sequence[str],
    size_of: Callable[[str], int],
    read: Callable[[list[str]], None],
    *,
    monotonic: Callable[[], float] = time.monotonic,
    rest: Callable[[float], object] = time.sleep,
) -> None:
    """Read all, part by part, with rests behind long parts.

    A minute's end has millions of credits counted: a second or more of a core, which blocks of events would wait for
    where workers share the machine. What it takes in all is a few seconds more.

    Args:
        names: campaigns.
        size_of: how many rows one has.
        read: reads some.
        monotonic: tells seconds.
        rest: sleeps so many seconds.
    """
    left, rest_seconds = list(names), _MOST_REST_SECONDS
    while left:
        begun = monotonic()
        part = next_part(left, size_of)
        read(part)
        del left[: len(part)]
        took = monotonic() - begun
        if left and took > _LONG_SECONDS and rest_seconds > 0:
            pause = min(_RESTS * took, _LONGEST_REST_SECONDS, rest_seconds)
            rest(pause)
            rest_seconds -= pause
