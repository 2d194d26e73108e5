"""Answers of the ledger into compiled shards, without an object per row (native/loading.c).

The rows are ClickHouse's RowBinary of sql/queries/load_*.sql. A part of an answer is read as far as it goes: where a
row names a tier, arm or quarter of an hour that its shard has not been told of, that is told, and reading goes on.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Final

import numpy as np

from pipeline.native.library import STOP, TARGET, library

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Protocol

    class LoadedShard(Protocol):
        """A shard that is being loaded."""

        @property
        def handle(self) -> int:
            """The compiled shard."""

        @property
        def floor(self) -> int:
            """The earliest instant that is still in time on touches or transactions."""

        def meet_tier(self, tier: str) -> None:
            """Tell the compiled shard of a tier."""

        def meet_arm(self, campaign_id: str, variant: str) -> None:
            """Tell the compiled shard of an arm."""

        def meet_instant(self, at: int) -> None:
            """Tell the compiled shard of the quarter of an hour that an instant lies in."""


# in the order of native/loading.c
QUERIES: Final = (
    "load_profiles",
    "load_logins",
    "load_engaged_before_horizon",
    "load_past_reach",
    "load_ids",
    "load_touches",
    "load_past_conversions",
    "load_transactions",
    "load_credits",
)
_DONE, _CUT, _NEW_TIER, _NEW_ARM, _NEW_QUARTER, _TOO_OLD = range(6)


class UnsoundAnswerError(ValueError):
    """An answer of the ledger is not what was asked for, or ends within a row."""


class BulkLoading:
    """Reads the answers of one query after another into shards, told by their numbers in the ledger."""

    def __init__(self, shards: Mapping[int, LoadedShard]) -> None:
        self._library = library()
        self._shards = list(shards.values())
        self._targets = np.array([(one.handle, one.floor, number, 0) for number, one in shards.items()], TARGET)

    def take(self, query: str, parts: Iterable[bytes]) -> None:
        """Read an answer that comes in parts, which may end within a row.

        Raises:
            UnsoundAnswerError: it is not what was asked for, or breaks off.
            OverflowError: a login day lies further back than days are remembered.
        """
        rest = b""
        for part in parts:
            rest = self._take(QUERIES.index(query), rest + part)
        if rest:
            raise UnsoundAnswerError(f"{query}: the answer breaks off")

    def _take(self, query: int, part: bytes) -> bytes:
        """Read as many rows as are whole; return the rest."""
        why = np.zeros(1, STOP)
        asked = self._targets.ctypes.data, len(self._targets), query, part, len(part)
        while True:
            self._library.load_rows(*asked, int(why["consumed"][0]), why.ctypes.data)
            reason = int(why["reason"][0])
            if reason in {_DONE, _CUT}:
                return part[int(why["consumed"][0]) :]
            self._tell(query, reason, why[0], part)

    def _tell(self, query: int, reason: int, why: np.void, part: bytes) -> None:
        shard = self._shards[int(why["target"])]
        name, variant = (
            part[begin : begin + length].decode()
            for begin, length in (
                (int(why["name_begin"]), int(why["name_length"])),
                (int(why["variant_begin"]), int(why["variant_length"])),
            )
        )
        if reason == _NEW_TIER:
            shard.meet_tier(name)
        elif reason == _NEW_ARM:
            shard.meet_arm(name, variant)
        elif reason == _NEW_QUARTER:
            shard.meet_instant(int(why["at"]))
        elif reason == _TOO_OLD:
            raise OverflowError("a login lies further back than days are remembered")
        else:
            raise UnsoundAnswerError(f"{QUERIES[query]}: the answer is not what was asked for")

    def finish(self) -> None:
        """Let the loaded credits stand in the numbers: all of them have been read."""
        for shard in self._shards:
            self._library.load_conversions(ctypes.c_void_p(shard.handle))
