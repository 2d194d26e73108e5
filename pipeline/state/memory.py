"""Who is remembered, for how long: customers of one shard and the horizon behind which their events are dropped."""

from __future__ import annotations

from bisect import insort
from typing import TYPE_CHECKING, Final

from pipeline.state.calendar import DAY_MS
from pipeline.state.intake import RecentIds
from pipeline.state.records import Customer, Touch, Transaction, by_order
from pipeline.state.reversals import Reversals

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.state.campaign_registry import CampaignRegistry
    from pipeline.state.conversions import Conversions
    from pipeline.state.policy import Policy

UNKNOWN_TIER: Final = "unknown"


class CustomerMemory:
    """Customers by id, and by pseudonym while their id has not been seen since the state was loaded."""

    def __init__(self, policy: Policy, campaigns: CampaignRegistry) -> None:
        self._policy = policy
        self._campaigns = campaigns
        self.customers: dict[str, Customer] = {}
        self._dormant: dict[bytes, Customer] = {}
        self.touch_ids = RecentIds()
        self.reversals = Reversals(policy.reversal_ms)
        self._due: dict[int, list[Customer]] = {}

    def __len__(self) -> int:
        return len(self.customers) + len(self._dormant)

    def customer(self, customer_id: str) -> Customer:
        """Return a customer, new or remembered."""
        known = self.customers.get(customer_id)
        if known is None:
            pseudonym = self._policy.pseudonym(customer_id)
            known = self._dormant.pop(pseudonym, None) or Customer(pseudonym, UNKNOWN_TIER)
            self.customers[customer_id] = known
        return known

    def set_tier(self, customer_id: str, tier: str) -> bytes:
        """Give a customer, new or remembered, a tier for the events that follow; return the pseudonym."""
        customer = self.customer(customer_id)
        customer.tier = tier
        return customer.pseudonym

    def dormant(self, pseudonym: bytes) -> Customer:
        """Return a customer known by pseudonym only: for loading stored state, before any event."""
        known = self._dormant.get(pseudonym)
        if known is None:
            known = self._dormant[pseudonym] = Customer(pseudonym, UNKNOWN_TIER)
        return known

    def erase(self, pseudonym: bytes, customer_id: str | None = None) -> None:
        """Drop everything remembered of a customer; without an id, one whose id has not been seen since the load."""
        customer = self._dormant.pop(pseudonym, None)
        if customer_id is not None:
            customer = self.customers.pop(customer_id, None) or customer
        if customer is not None:
            self.reversals.erase(customer)
            # whoever waits for this customer's next visit finds nobody
            customer.pseudonym, customer.tier = b"", UNKNOWN_TIER
            customer.touches = customer.transactions = customer.reach = customer.conversions = None

    def forget_touch_ids(self, touches: Iterable[tuple[str, int]]) -> None:
        """Drop the ids of erased touches, given with their times: a copy of one would be a new event."""
        self.touch_ids.forget(touches)

    def held(self) -> dict[str, int]:
        """Return how much of each kind is in memory."""
        people = [*self.customers.values(), *self._dormant.values()]
        return {
            "touches": sum(len(customer.touches or ()) for customer in people),
            "transactions": sum(len(customer.transactions or ()) for customer in people),
            "conversions": sum(len(customer.conversions or ()) for customer in people),
            "reach": sum(len(customer.reach or ()) for customer in people),
            "touch ids": len(self.touch_ids),
            "due": sum(map(len, self._due.values())),
            **self.reversals.held(),
        }

    def remember_touch(self, customer: Customer, touch: Touch) -> list[Touch]:
        """Add a creditable touch; return the customer's touches."""
        touches = customer.touches
        if touches is None:
            if customer.transactions is None:
                self._visit(customer, touch.at + self._campaigns.rules[touch.campaign_index].window_ms)
            touches = customer.touches = [touch]
        else:
            insort(touches, touch)
        return touches

    def remember_transaction(self, transaction: Transaction) -> None:
        """Add a transaction that is not a reversal."""
        customer = transaction.customer
        known = customer.transactions
        if known is None:
            if customer.touches is None:
                self._visit(customer, transaction.at + self._policy.reversal_ms)
            customer.transactions = [transaction]
        elif known[-1].order < transaction.order:
            known.append(transaction)
        else:
            insort(known, transaction, key=by_order)

    def forget(self, touches_floor: int, transactions_floor: int, conversions: Conversions) -> None:
        """Drop what no event in time could need; the floors are the earliest instants still in time.

        A touch serves until its window has passed on both topics, a transaction until no reversal and no touch before
        it can come. Reach and conversions that nothing can move any more become bits of the customer's past.
        """
        self.touch_ids.forget_before(touches_floor)
        self.reversals.forget_before(transactions_floor)
        floor = min(touches_floor, transactions_floor)
        for day in [day for day in self._due if (day + 1) * DAY_MS <= floor]:
            for customer in self._due.pop(day):
                self._forget_touches(customer, floor)
                self._forget_transactions(customer, floor, conversions)
                self._visit_again(customer)

    def _forget_touches(self, customer: Customer, floor: int) -> None:
        rules = self._campaigns.rules
        if customer.touches:
            customer.touches = [
                t for t in customer.touches if t.at + rules[t.campaign_index].window_ms >= floor
            ] or None
        if customer.reach:
            for arm_index in [arm_index for arm_index, reach in customer.reach.items() if reach.at < floor]:
                del customer.reach[arm_index]
                customer.past_reach |= 1 << arm_index
            customer.reach = customer.reach or None

    def _forget_transactions(self, customer: Customer, floor: int, conversions: Conversions) -> None:
        if not customer.transactions:
            return
        kept: list[Transaction] = []
        for transaction in customer.transactions:
            if transaction.at + self._policy.reversal_ms < floor:
                conversions.fold_into_past(transaction)
                self.reversals.forget(transaction)
            else:
                kept.append(transaction)
        customer.transactions = kept or None

    def _visit(self, customer: Customer, last_use: int) -> None:
        """Look at a customer again once an event's last use is past; each customer with live events waits once."""
        self._due.setdefault(last_use // DAY_MS, []).append(customer)

    def _visit_again(self, customer: Customer) -> None:
        rules = self._campaigns.rules
        uses = [touch.at + rules[touch.campaign_index].window_ms for touch in customer.touches or ()]
        if customer.transactions:
            uses.append(customer.transactions[0].at + self._policy.reversal_ms)
        if uses:
            self._visit(customer, min(uses))
