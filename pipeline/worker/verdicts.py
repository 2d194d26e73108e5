"""Verdicts of the wall clock, recorded by whoever had one so that a replay repeats them.

A log tells everything about its events but what depended on when they were read: that a silent topic took over the
others' watermark, that an event was too far ahead of the clock, and that a customer had been erased until then.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import accumulate
from types import MappingProxyType
from typing import TYPE_CHECKING

from pipeline.state.intake import AHEAD, FROM_THE_FUTURE, Columns, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from pipeline.state.policy import Span


class ClockVerdicts:
    """What was decided by the clock about one topic partition.

    Args:
        takeovers: (offset, watermark): from this offset on the topic's watermark was no less than that.
        future: offsets of the events that were from the future.
        left_out_before: of customers who had been erased, by pseudonym, the offset from which they count again.
    """

    def __init__(
        self,
        takeovers: Iterable[tuple[int, int]] = (),
        future: Collection[int] = (),
        left_out_before: Mapping[bytes, int] = MappingProxyType({}),
    ) -> None:
        ordered = sorted(takeovers)
        self._offsets = [offset for offset, _ in ordered]
        self._watermarks = list(accumulate((watermark for _, watermark in ordered), max))
        self.future = frozenset(future)
        self.left_out_before = left_out_before

    @property
    def takeovers(self) -> list[tuple[int, int]]:
        """The (offset, watermark) pairs, by offset; a watermark never goes back."""
        return list(zip(self._offsets, self._watermarks, strict=True))

    def watermark(self, offset: int) -> int | None:
        """Return the watermark that had been taken over before the record at an offset was judged, if any."""
        taken = bisect_right(self._offsets, offset)
        return self._watermarks[taken - 1] if taken else None

    def leaves_out(self, offset: int, key: bytes | None, pseudonym: Callable[[str], bytes]) -> bool:
        """Tell whether the record at an offset is of a customer who did not count yet."""
        return key is not None and offset < self.left_out_before.get(pseudonym(key.decode(errors="replace")), 0)

    def cuts(self, offsets: Sequence[int]) -> list[int]:
        """Return the places within a batch's offsets before which a watermark was taken over, the first excluded."""
        if not offsets:
            return []
        inner = self._offsets[bisect_right(self._offsets, offsets[0]) : bisect_right(self._offsets, offsets[-1])]
        return sorted({bisect_left(offsets, offset) for offset in inner})


def without_future(
    columns: Columns, recorded: ClockVerdicts | None, span: Span | None
) -> tuple[Columns, list[Refusal]]:
    """Return the columns without the events that were from the future for the recorded run, and their refusals."""
    if recorded is None or recorded.future.isdisjoint(columns.offset):
        return columns, []
    keep = [offset not in recorded.future for offset in columns.offset]
    refusals = [
        Refusal(offset, FROM_THE_FUTURE, AHEAD)
        for offset, at, stays in zip(columns.offset, columns.occurred_at, keep, strict=True)
        if not stays and (span is None or span.covers(int(at)))
    ]
    return columns.select(keep), refusals
