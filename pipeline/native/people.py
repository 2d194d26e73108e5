"""The customers of one shard in the compiled core: numbers, tiers and login days (native/customers.c, activity.c)."""

from __future__ import annotations

import ctypes
import os
import weakref
from typing import TYPE_CHECKING, Final

import numpy as np

from pipeline.native.library import DAY_CHANGE, NOBODY, SHEET_COLUMNS, SHEETS, library
from pipeline.state.memory import UNKNOWN_TIER
from pipeline.state.rows import EncodedRows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.native.rows import EventRows, LoginRows

_TOO_OLD: Final = "a login lies further back than days are remembered"


class People:
    """Numbers of customers are this object's own and are never stored."""

    def __init__(self, span: int) -> None:
        """``span`` is how many days of a customer are remembered one by one."""
        self._library = library()
        self._shard = self._library.shard_new(int.from_bytes(os.urandom(8)), span)
        self._tiers: list[str] = []
        self._tier_numbers: dict[str, int] = {}
        self.tier_number(UNKNOWN_TIER)  # the first: number 0 is what a new customer has
        weakref.finalize(self, self._library.shard_free, self._shard)

    @property
    def handle(self) -> int:
        """The compiled shard, for the other parts of the core that call it."""
        return int(self._shard)

    def __len__(self) -> int:
        return int(self._library.shard_known(self._shard))

    # -- who it is -------------------------------------------------------------------------------------------------

    def find(self, customer_id: bytes) -> int | None:
        """Return the number of a customer whose id has been met, None for a stranger."""
        number: int = self._library.shard_find(self._shard, customer_id, len(customer_id))
        return None if number == NOBODY else number

    def meet(self, customer_id: bytes, pseudonym: bytes) -> int:
        """Return the number of a customer who is new, or has been known by pseudonym only."""
        return int(self._library.shard_meet(self._shard, customer_id, len(customer_id), pseudonym))

    def dormant(self, pseudonym: bytes) -> int:
        """Return the number of a customer known by pseudonym only: for loading stored state, before any event."""
        return int(self._library.shard_dormant(self._shard, pseudonym))

    def erase(self, pseudonym: bytes, customer_id: bytes = b"") -> None:
        """Forget a customer; without an id, one whose id has not been met."""
        self._library.shard_erase(self._shard, customer_id, len(customer_id), pseudonym)

    def set_tier(self, number: int, tier: str) -> None:
        """Give a customer a tier for the events that follow."""
        self._library.shard_set_tier(self._shard, number, self.tier_number(tier))

    def tier_number(self, tier: str) -> int:
        """Return the number of a tier, new or known."""
        number = self._tier_numbers.get(tier)
        if number is None:
            text = tier.encode()
            number = self._tier_numbers[tier] = self._library.shard_add_tier(self._shard, text, len(text))
            self._tiers.append(tier)
        return number

    # -- logins ----------------------------------------------------------------------------------------------------

    def find_all(self, events: EventRows) -> int:
        """Note in each row whose event it is; return how many rows are of strangers."""
        rows = events.rows
        return int(self._library.shard_find_all(self._shard, events.texts, rows.ctypes.data, len(rows), rows.itemsize))

    def meet_all(self, events: EventRows, pseudonyms: bytes) -> None:
        """Let the strangers among the rows be met; ``pseudonyms`` are theirs, one after another, once per row."""
        rows = events.rows
        self._library.shard_meet_all(self._shard, events.texts, rows.ctypes.data, len(rows), rows.itemsize, pseudonyms)

    def count(self, logins: LoginRows) -> None:
        """Count logins, their customers and days being noted in the rows.

        Raises:
            OverflowError: one lies further back than what is in time can; this object must not be used any more.
        """
        rows = logins.rows
        if not self._library.shard_count_logins(self._shard, rows.ctypes.data, len(rows)):
            raise OverflowError(_TOO_OLD)

    # -- out -------------------------------------------------------------------------------------------------------

    def take_changes(self) -> Iterator[tuple[str, int, list[int]]]:
        """Yield tier, day and what the day's measures have gained since the last call."""
        place = ctypes.c_void_p()
        count = self._library.shard_take_changes(self._shard, ctypes.byref(place))
        if count == 0:
            return
        changes = np.frombuffer(ctypes.string_at(place.value or 0, count * DAY_CHANGE.itemsize), DAY_CHANGE)
        for tier, day, measures in zip(
            changes["tier"].tolist(), changes["day"].tolist(), changes["measures"].tolist(), strict=True
        ):
            yield self._tiers[tier], day, measures

    def take_rows(self) -> list[EncodedRows]:
        """Return the rows of the ledger that the compiled core has made since the last call."""
        counts, sizes = np.empty(len(SHEETS), np.uint64), np.empty((len(SHEETS), len(SHEET_COLUMNS)), np.uint64)
        size = self._library.shard_sheet_sizes(self._shard, counts.ctypes.data, sizes.ctypes.data)
        taken = np.empty(size, np.uint8)
        self._library.shard_take_sheets(self._shard, taken.ctypes.data)
        return _sheets(taken.data, counts.tolist(), sizes.tolist())


def _sheets(taken: memoryview, counts: list[int], sizes: list[list[int]]) -> list[EncodedRows]:
    """Cut what was taken into the columns of each kind; one that no row has written to is left out."""
    found: list[EncodedRows] = []
    end = 0
    for kind, count, widths in zip(SHEETS, counts, sizes, strict=True):
        if not count:
            continue
        columns = {}
        for name, width in zip(SHEET_COLUMNS, widths, strict=True):
            if width:
                begin, end = end, end + width
                columns[name] = taken[begin:end]
        found.append(EncodedRows(kind, count, columns))
    return found
