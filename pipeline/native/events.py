"""Touches, transactions and credits of one shard in the compiled core (native/touches.c, transactions.c …)."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.native.library import HELD, MODELS, SIZES, library
from pipeline.state.intake import ORPHAN_REVERSAL, Refusal
from pipeline.state.reversals import NO_ORIGINAL

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from pipeline.native.people import People
    from pipeline.native.rows import TouchRows, TransactionRows
    from pipeline.state.policy import Policy


class Events:
    """What is kept of customers' events; customers, arms and tiers are told by their numbers."""

    def __init__(self, people: People, policy: Policy) -> None:
        self._library = library()
        self._people = people
        self._shard = people.handle
        self._library.shard_set_rules(self._shard, policy.half_life_ms, policy.reversal_ms)
        for model in policy.models:
            self._library.shard_add_model(self._shard, MODELS.index(model))
        for label in policy.labels:
            text = label.encode()
            self._library.shard_add_label(self._shard, text, len(text))

    # -- batches ---------------------------------------------------------------------------------------------------

    def count_touches(self, touches: TouchRows, floors: Callable[[], list[int]]) -> int:
        """Count touches, whose customers and arms are noted in the rows; return how many are no copies.

        ``floors`` gives the floor before each of the events; it is asked only if one of the ids has been met.
        """
        return self._count(self._library.shard_apply_touches, touches, floors)

    def count_transactions(self, transactions: TransactionRows, floors: Callable[[], list[int]]) -> int:
        """Count transactions and reversals, whose customers are noted in the rows; as `count_touches`."""
        return self._count(self._library.shard_apply_transactions, transactions, floors)

    def _count(self, apply: Any, batch: TouchRows | TransactionRows, floors: Callable[[], list[int]]) -> int:
        rows, count = batch.rows, len(batch)
        offsets: npt.NDArray[np.int64] = np.array(batch.offset, np.int64)
        is_new: npt.NDArray[np.uint8] = np.empty(count, np.uint8)
        places = rows.ctypes.data, offsets.ctypes.data
        done = apply(self._shard, batch.texts, *places, 0, count, None, is_new.ctypes.data)
        if done < count:
            before: npt.NDArray[np.int64] = np.array(floors(), np.int64)
            apply(self._shard, batch.texts, *places, done, count, before.ctypes.data, is_new.ctypes.data)
        return int(np.count_nonzero(is_new))

    # -- out -------------------------------------------------------------------------------------------------------

    def write_credits(self) -> None:
        """Write the credits changed since the last call into the rows that `People.take_rows` hands out."""
        self._library.shard_drain_credits(self._shard)

    def drain_orphans(self, floor: int) -> list[Refusal]:
        """Return the reversals whose original would be too late by now if it still came."""
        event_id, length = ctypes.c_void_p(), ctypes.c_uint32()
        orphans: list[Refusal] = []
        for number in range(self._library.shard_find_orphans(self._shard, floor)):
            offset = self._library.shard_orphan(self._shard, number, ctypes.byref(event_id), ctypes.byref(length))
            text = ctypes.string_at(event_id.value or 0, length.value).decode()
            orphans.append(Refusal(offset, ORPHAN_REVERSAL, NO_ORIGINAL, text))
        return orphans

    def forget(self, touches_floor: int, transactions_floor: int) -> None:
        """Drop what no event in time could need; the floors are the earliest instants still in time."""
        self._library.shard_forget(self._shard, touches_floor, transactions_floor)

    def forget_touch_id(self, event_id: str, at: int) -> None:
        """Drop the id of an erased touch of that time."""
        text = event_id.encode()
        self._library.shard_forget_touch_id(self._shard, text, len(text), at)

    def held(self) -> dict[str, int]:
        """Return how much of each kind is in memory."""
        return {name: int(self._library.shard_held(self._shard, number)) for number, name in enumerate(HELD)}

    def sizes(self) -> dict[str, int]:
        """Return how many bytes each structure of the compiled shard takes."""
        return {name: int(self._library.shard_size(self._shard, number)) for number, name in enumerate(SIZES)}

    # -- loading stored state, before any event --------------------------------------------------------------------

    def load_reversal(  # noqa: PLR0913, PLR0917 - the fields of a stored row
        self, who: int, at: int, event_id: str, original_id: str, amount_minor: int, offset: int
    ) -> None:
        """Load a reversal; all transactions have been loaded before."""
        text, original = event_id.encode(), original_id.encode()
        self._library.shard_load_reversal(
            self._shard, who, at, text, len(text), original, len(original), amount_minor, offset
        )
