"""Which transactions exist, and which reversals have met, or can no longer meet, their original."""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Final

from pipeline.state.calendar import DAY_MS
from pipeline.state.intake import ORPHAN_REVERSAL, Refusal
from pipeline.state.records import Reversal, Transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.state.records import Customer

NO_ORIGINAL: Final = "reverses: no transaction of this customer has this id and precedes it by at most reversal_days"


class Reversals:
    """Index of one shard's live transactions and reversals by event id: it also tells duplicates.

    An id is known as long as a reversal in time could name its transaction: no two can be meant by one id. What comes
    under the id later is another event, also while memory still holds the older one, for late touches.
    """

    def __init__(self, reversal_ms: int) -> None:
        self._reversal_ms = reversal_ms
        self.known: dict[str, Transaction | Reversal] = {}  # the newest of each id
        self._older: dict[str, list[Transaction]] = {}
        self._waiting: dict[str, list[Reversal]] = {}
        self._verdicts: list[tuple[int, str, int, Reversal]] = []
        self._by_day: dict[int, list[Reversal]] = {}
        self._arrivals = count()

    def are_new(self, event_ids: Sequence[str], times: Sequence[int], floors: Callable[[], list[int]]) -> list[bool]:
        """Say of each id whether it is not known, nor that of another event before it among these.

        ``floors`` gives the floor before each of the events; it is asked only if one of the ids has been met.
        """
        known = self.known
        if len(set(event_ids)) == len(event_ids) and known.keys().isdisjoint(event_ids):
            return [True] * len(event_ids)
        found, met, is_new = floors(), dict[str, int](), list[bool]()
        for event_id, at, floor in zip(event_ids, times, found, strict=True):
            before = met.get(event_id)
            if before is None and event_id in known:
                before = known[event_id].at
            is_new.append(before is None or before + self._reversal_ms < floor)
            if is_new[-1]:
                met[event_id] = at
        return is_new

    def arrived(self, transaction: Transaction) -> bool:
        """Index a transaction; return True if reversals that came before it take something off."""
        self._index(transaction)
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
        self._index(reversal)
        self._by_day.setdefault(at // DAY_MS, []).append(reversal)
        original = self.known.get(original_id)
        if isinstance(original, Transaction) and self._applies(reversal, original):
            return original
        for older in self._older.get(original_id, ()):  # stored ones are given in no order of time
            if self._applies(reversal, older):
                return older
        self._waiting.setdefault(original_id, []).append(reversal)
        heappush(self._verdicts, (at, event_id, next(self._arrivals), reversal))
        return None

    def drain_orphans(self, floor: int) -> list[Refusal]:
        """Return the reversals whose original would be too late by now if it still came."""
        orphans: list[Refusal] = []
        gone: dict[str, set[int]] = {}  # by original: many may have named one that never came
        while self._verdicts and self._verdicts[0][0] < floor:
            *_, reversal = heappop(self._verdicts)
            if reversal.matched:
                continue
            gone.setdefault(reversal.original_id, set()).add(id(reversal))
            orphans.append(Refusal(reversal.offset, ORPHAN_REVERSAL, NO_ORIGINAL, reversal.event_id))
        for original_id, reversals in gone.items():
            waiting = self._waiting.get(original_id, ())
            self._keep_waiting(original_id, [one for one in waiting if id(one) not in reversals])
        return orphans

    def forget(self, transaction: Transaction) -> None:
        """Drop a transaction that no reversal in time can name any more."""
        event_id = transaction.event_id
        if self.known.get(event_id) is transaction:
            del self.known[event_id]
        elif event_id in self._older:
            rest = [older for older in self._older.pop(event_id) if older is not transaction]
            if rest:
                self._older[event_id] = rest

    def erase(self, customer: Customer) -> None:
        """Drop an erased customer's transactions and reversals; those that wait get no verdict any more."""
        for transaction in customer.transactions or ():
            self.forget(transaction)
        for reversal in [reversal for reversals in self._by_day.values() for reversal in reversals]:
            if reversal.customer is customer:
                self._drop(reversal)
        for original_id, waiting in list(self._waiting.items()):
            for reversal in waiting:  # some may not stand under their day any more: no block has been made since
                reversal.matched = reversal.customer is customer
            self._keep_waiting(original_id, [reversal for reversal in waiting if not reversal.matched])

    def forget_before(self, floor: int) -> None:
        """Drop reversals whose ids are known no longer; ``floor`` is the earliest instant in time."""
        for day in [day for day in self._by_day if (day + 1) * DAY_MS <= floor - self._reversal_ms]:
            for reversal in self._by_day.pop(day):
                self._drop(reversal)

    def held(self) -> dict[str, int]:
        """Return how many reversals are in memory, and how many of them wait for their original."""
        waiting = sum(map(len, self._waiting.values()))
        return {"reversals": sum(map(len, self._by_day.values())), "waiting": waiting}

    def _index(self, event: Transaction | Reversal) -> None:
        """Take an event in under its id; the newest has it, and an older transaction stays for its reversals."""
        known = self.known.setdefault(event.event_id, event)
        if known is event:
            return
        older = event if event.at < known.at else known
        if older is known:
            self.known[event.event_id] = event
        if isinstance(older, Transaction):
            self._older.setdefault(event.event_id, []).append(older)

    def _drop(self, reversal: Reversal) -> None:
        if self.known.get(reversal.event_id) is reversal:
            del self.known[reversal.event_id]

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
