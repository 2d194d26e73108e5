"""Which transactions exist, and which reversals have met, or can no longer meet, their original."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

from pipeline.state.calendar import DAY_MS
from pipeline.state.intake import ORPHAN_REVERSAL, Refusal
from pipeline.state.records import Reversal, Transaction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.state.records import Customer


class Reversals:
    """Index of one shard's live transactions and reversals by event id: it also tells duplicates."""

    def __init__(self, reversal_ms: int) -> None:
        self._reversal_ms = reversal_ms
        self.known: dict[str, Transaction | Reversal] = {}
        self._waiting: dict[str, list[Reversal]] = {}
        self._verdicts: list[tuple[int, str, Reversal]] = []
        self._by_day: dict[int, list[str]] = {}

    def are_new(self, event_ids: Sequence[str]) -> list[bool]:
        """Say of each id whether no transaction or reversal of it is known, nor another before it among these."""
        known, met = self.known, set[str]()
        if len(set(event_ids)) == len(event_ids) and known.keys().isdisjoint(event_ids):
            return [True] * len(event_ids)
        is_new: list[bool] = []
        for event_id in event_ids:
            is_new.append(event_id not in known and event_id not in met)
            met.add(event_id)
        return is_new

    def arrived(self, transaction: Transaction) -> bool:
        """Index a transaction; return True if reversals that came before it take something off."""
        self.known[transaction.event_id] = transaction
        waiting = self._waiting.get(transaction.event_id)
        if waiting is None:
            return False
        rest = [reversal for reversal in waiting if not self._applies(reversal, transaction)]
        if len(rest) == len(waiting):
            return False
        self._keep_waiting(transaction.event_id, rest)
        return True

    def reverse(  # noqa: PLR0913, PLR0917 - the fields of one event
        self, customer: Customer, at: int, event_id: str, original_id: str, amount_minor: int, offset: int
    ) -> Transaction | None:
        """Index a reversal; return the transaction it takes something off, None while that is not known."""
        reversal = Reversal(customer, at, event_id, original_id, amount_minor, offset)
        self.known[event_id] = reversal
        self._by_day.setdefault(at // DAY_MS, []).append(event_id)
        original = self.known.get(original_id)
        if isinstance(original, Transaction) and self._applies(reversal, original):
            return original
        self._waiting.setdefault(original_id, []).append(reversal)
        heappush(self._verdicts, (at, event_id, reversal))
        return None

    def drain_orphans(self, floor: int) -> list[Refusal]:
        """Return the reversals whose original would be too late by now if it still came."""
        orphans: list[Refusal] = []
        while self._verdicts and self._verdicts[0][0] < floor:
            _, _, reversal = heappop(self._verdicts)
            if reversal.matched:
                continue
            rest = [other for other in self._waiting.get(reversal.original_id, ()) if other is not reversal]
            self._keep_waiting(reversal.original_id, rest)
            orphans.append(
                Refusal(
                    reversal.offset,
                    ORPHAN_REVERSAL,
                    "reverses: no transaction of this customer has this id and precedes it by at most reversal_days",
                    reversal.event_id,
                )
            )
        return orphans

    def forget(self, transaction: Transaction) -> None:
        """Drop a transaction that no reversal in time can name any more."""
        self.known.pop(transaction.event_id, None)

    def erase(self, customer: Customer) -> None:
        """Drop an erased customer's transactions and reversals; those that wait get no verdict any more."""
        for transaction in customer.transactions or ():
            self.forget(transaction)
        for event_id in [event_id for ids in self._by_day.values() for event_id in ids]:
            reversal = self.known.get(event_id)
            if isinstance(reversal, Reversal) and reversal.customer is customer:
                del self.known[event_id]
                reversal.matched = True
        for original_id, waiting in list(self._waiting.items()):
            self._keep_waiting(original_id, [one for one in waiting if one.customer is not customer])

    def forget_before(self, floor: int) -> None:
        """Drop reversals whose copies would be too late."""
        for day in [day for day in self._by_day if (day + 1) * DAY_MS <= floor]:
            for event_id in self._by_day.pop(day):
                self.known.pop(event_id, None)

    def _applies(self, reversal: Reversal, original: Transaction) -> bool:
        if reversal.customer is not original.customer or not 0 <= reversal.at - original.at <= self._reversal_ms:
            return False
        original.reversed_minor = (original.reversed_minor or 0) + reversal.amount_minor
        reversal.matched = True
        return True

    def _keep_waiting(self, original_id: str, rest: list[Reversal]) -> None:
        if rest:
            self._waiting[original_id] = rest
        else:
            self._waiting.pop(original_id, None)
