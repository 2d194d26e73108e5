"""What a transaction returned before and after each of its reversals, by the core's own arithmetic. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pipeline.alerts.conversions import CHANGES, KINDS, NEVER
from pipeline.state.attribution import Attribution
from pipeline.state.campaign_registry import CampaignRegistry
from pipeline.state.records import Credit, Customer, Touch, Transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pipeline.alerts.conversions import Changes
    from pipeline.alerts.plans import CampaignPlan
    from pipeline.state.policy import Policy


class BookedCredit(NamedTuple):
    """A credit as the ledger holds it: ``booked`` is its share without regard to reversals."""

    shard: int
    transaction_id: str
    converted_at: int
    customer: str
    campaign_id: str
    variant: str
    kind: str
    tier: str
    touch_id: str
    touched_at: int
    booked: int


class StoredTransaction(NamedTuple):
    """A transaction or (``reverses`` is not empty) a reversal as the ledger holds it."""

    shard: int
    customer: str
    at: int
    event_id: str
    reverses: str
    kind: str
    product: str | None
    amount_minor: int
    revenue_minor: int | None
    tier: str


class Reversed(NamedTuple):
    """Transactions that were reversed, in part or altogether.

    Attributes:
        credits: every credit of them under one model, those of a transaction one after the other, by touch.
        transactions: the originals, and every reversal that names one of them.
    """

    credits: list[BookedCredit]
    transactions: list[StoredTransaction]

    def changes(
        self, plans: Sequence[CampaignPlan], policy: Policy, place_of: Callable[[BookedCredit], int | None]
    ) -> Changes:
        """Return the changes, each at its own instant.

        Args:
            plans: the campaigns whose margins are known; others have the default ones.
            policy: how the run counts.
            place_of: the row that a credit counts for; None: it only takes its share.
        """
        pricing = _Pricing(plans, policy)
        originals = {(each.shard, each.event_id, each.at): each for each in self.transactions if not each.reverses}
        reversals: dict[tuple[int, str], list[StoredTransaction]] = defaultdict(list)
        for each in self.transactions:
            if each.reverses:
                reversals[each.shard, each.reverses].append(each)
        rows: list[tuple[int, ...]] = []
        for key, shares in groupby(self.credits, key=lambda one: (one.shard, one.transaction_id, one.converted_at)):
            if key in originals:
                rows.extend(pricing.changes(originals[key], list(shares), reversals[key[:2]], place_of))
        return np.array(rows, CHANGES)


class _Pricing:
    """The core's arithmetic over stored rows."""

    def __init__(self, plans: Sequence[CampaignPlan], policy: Policy) -> None:
        one_model = replace(policy, models=policy.models[:1])
        self._reversal_ms = policy.reversal_ms
        self._campaigns = CampaignRegistry(one_model)
        self._attribution = Attribution(one_model, self._campaigns)
        for plan in plans:
            self._campaigns.define(plan.campaign_id, plan.rules)

    def changes(
        self,
        original: StoredTransaction,
        shares: list[BookedCredit],
        reversals: list[StoredTransaction],
        place_of: Callable[[BookedCredit], int | None],
    ) -> Iterator[tuple[int, ...]]:
        """Yield what each instant changed, by the rows that the credits count for."""
        places = [place_of(one) for one in shares]
        touched = {
            place: one.touched_at
            for place, one in zip(reversed(places), reversed(shares), strict=True)  # the first stays
            if place is not None
        }
        moments, eaten_at = self._moments(original, shares, reversals, places)
        pseudonym = bytes.fromhex(original.customer)
        customer = int.from_bytes(pseudonym[:8], "little"), int.from_bytes(pseudonym[8:], "little")
        kind = 1 + KINDS.index(original.kind)
        for place, touched_at in touched.items():
            before, arrived = 0, 1
            for at, worth in moments:
                change = worth[place] - before
                yield (place, *customer, at, original.at, touched_at, change, kind, arrived, eaten_at)
                before, arrived = worth[place], 0

    def _moments(
        self,
        original: StoredTransaction,
        shares: list[BookedCredit],
        reversals: list[StoredTransaction],
        places: list[int | None],
    ) -> tuple[list[tuple[int, dict[int | None, int]]], int]:
        """Return what the transaction was worth from each instant on, by place, and since when nothing."""
        transaction = self._transaction(original, shares)
        against = [
            (each.at, each.event_id, each.amount_minor)
            for each in reversals
            if each.customer == original.customer and 0 <= each.at - original.at <= self._reversal_ms
        ]
        eaten_at = NEVER
        moments: list[tuple[int, dict[int | None, int]]] = []
        for at, _, amount in ((original.at, "", None), *sorted(against)):
            if amount is not None:
                transaction.reversed_minor = (transaction.reversed_minor or 0) + amount
            if not transaction.has_effect:
                eaten_at = min(eaten_at, at)
            worth: dict[int | None, int] = dict.fromkeys(places, 0)
            for credit, place in zip(self._attribution.repriced(transaction), places, strict=True):
                worth[place] += credit.return_minor
            moments.append((at, worth))
        return moments, eaten_at

    def _transaction(self, original: StoredTransaction, shares: list[BookedCredit]) -> Transaction:
        transaction = Transaction(
            Customer(b"", ""),
            original.at,
            original.event_id,
            original.kind,
            original.product,
            original.amount_minor,
            original.revenue_minor,
            0,
            original.tier,
        )
        arms = [self._campaigns.arm(one.campaign_id, one.variant) for one in shares]
        transaction.credits = tuple(
            Credit(0, Touch(arm.campaign_index, one.touched_at, one.touch_id, arm.index), one.booked, 0, 0)
            for arm, one in zip(arms, shares, strict=True)
        )
        return transaction
