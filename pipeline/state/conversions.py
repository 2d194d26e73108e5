"""Credits in force and who counts as a converter because of them."""

from __future__ import annotations

from bisect import bisect_left, insort
from operator import attrgetter
from typing import TYPE_CHECKING

from pipeline.state.changes import CreditRow

if TYPE_CHECKING:
    from pipeline.state.campaign_registry import Arm, CampaignRegistry
    from pipeline.state.cells import Cells
    from pipeline.state.records import Credit, Customer, Transaction

_order = attrgetter("order")


class Conversions:
    """Books credits into the cells of each model and keeps converters distinct and dated.

    A customer's conversions are kept by ``arm_index * models + model``: the credited transactions in order, so that the
    first one, which dates the converter, is known when credits move or vanish.
    """

    def __init__(self, campaigns: CampaignRegistry, cells: list[Cells]) -> None:
        self._campaigns = campaigns
        self._cells = cells
        self._models = len(cells)
        self._changed: dict[tuple[int, str, str], CreditRow] = {}

    def replace(self, transaction: Transaction, credits_now: tuple[Credit, ...]) -> None:
        """Put a transaction's new credits in the place of its old ones."""
        before = transaction.credits
        if before == credits_now:
            return
        for credit in before:
            self._book_credit(transaction, credit, -1)
        for credit in credits_now:
            self._book_credit(transaction, credit, 1)
        transaction.credits = credits_now
        if not before and len(credits_now) == 1:
            self._join(transaction, credits_now[0].touch.arm_index * self._models + credits_now[0].model)
            return
        old = {credit.touch.arm_index * self._models + credit.model for credit in before}
        new = {credit.touch.arm_index * self._models + credit.model for credit in credits_now}
        for slot in sorted(old - new):
            self._leave(transaction, slot)
        for slot in sorted(new - old):
            self._join(transaction, slot)

    def load(self, transaction: Transaction, credits_now: tuple[Credit, ...]) -> None:
        """Remember stored credits without booking them again."""
        transaction.credits = credits_now
        for slot in sorted({credit.touch.arm_index * self._models + credit.model for credit in credits_now}):
            _insert(transaction, slot)

    def fold_into_past(self, transaction: Transaction) -> None:
        """Fold a transaction that nothing can change any more into its customer's past."""
        customer = transaction.customer
        for slot in {credit.touch.arm_index * self._models + credit.model for credit in transaction.credits}:
            customer.past_conversions |= 1 << slot
            _remove(transaction, slot)

    def past_slot(self, arm: Arm, model: int) -> int:
        """Return the bit that marks a converter whose conversions are past the horizon."""
        return 1 << (arm.index * self._models + model)

    def drain_changes(self) -> list[CreditRow]:
        """Return the credits changed since the last call, as they stand now."""
        changed, self._changed = self._changed, {}
        return list(changed.values())

    def _book_credit(self, transaction: Transaction, credit: Credit, sign: int) -> None:
        touch = credit.touch
        arm = self._campaigns.arms[touch.arm_index]
        self._cells[credit.model].add_credit(arm, transaction.tier, transaction.at, credit, sign)
        in_force = sign > 0
        self._changed[(credit.model, transaction.event_id, touch.event_id)] = CreditRow(
            credit.model,
            arm,
            transaction.event_id,
            touch.event_id,
            transaction.customer.pseudonym,
            touch.at,
            transaction.at,
            transaction.tier,
            credit.millionths if in_force else 0,
            credit.return_minor if in_force else 0,
            credit.aum_minor if in_force else 0,
        )

    def _first(self, customer: Customer, campaign_index: int, model: int) -> Transaction | None:
        """Return the first live transaction a campaign is credited with; callers rule out a past one."""
        conversions = customer.conversions
        if not conversions:
            return None
        slots = (arm_index * self._models + model for arm_index in self._campaigns.arms_of[campaign_index])
        found = [conversions[slot][0] for slot in slots if slot in conversions]
        return min(found, key=_order) if found else None

    def _is_past(self, customer: Customer, campaign_index: int, model: int) -> bool:
        past = customer.past_conversions
        return past != 0 and any(
            past >> (arm_index * self._models + model) & 1 for arm_index in self._campaigns.arms_of[campaign_index]
        )

    def _join(self, transaction: Transaction, slot: int) -> None:
        customer = transaction.customer
        arm, model = self._campaigns.arms[slot // self._models], slot % self._models
        before = self._first(customer, arm.campaign_index, model)
        is_new = slot not in (customer.conversions or ()) and not customer.past_conversions >> slot & 1
        _insert(transaction, slot)
        if is_new:
            self._cells[model].add_arm_conversion(arm, 1)
        self._date(customer, arm, model, before)

    def _leave(self, transaction: Transaction, slot: int) -> None:
        customer = transaction.customer
        arm, model = self._campaigns.arms[slot // self._models], slot % self._models
        before = self._first(customer, arm.campaign_index, model)
        _remove(transaction, slot)
        if slot not in (customer.conversions or ()) and not customer.past_conversions >> slot & 1:
            self._cells[model].add_arm_conversion(arm, -1)
        self._date(customer, arm, model, before)

    def _date(self, customer: Customer, arm: Arm, model: int, before: Transaction | None) -> None:
        if self._is_past(customer, arm.campaign_index, model):
            return
        after = self._first(customer, arm.campaign_index, model)
        if before is after:
            return
        cells = self._cells[model]
        if before is not None:
            cells.add_conversion(arm, before.tier, before.at, -1)
        if after is not None:
            cells.add_conversion(arm, after.tier, after.at, 1)


def _insert(transaction: Transaction, slot: int) -> None:
    customer = transaction.customer
    if customer.conversions is None:
        customer.conversions = {}
    known = customer.conversions.get(slot)
    if known is None:
        customer.conversions[slot] = [transaction]
    elif known[-1].order < transaction.order:
        known.append(transaction)
    else:
        insort(known, transaction, key=_order)


def _remove(transaction: Transaction, slot: int) -> None:
    conversions = transaction.customer.conversions
    if conversions is None:
        return
    known = conversions[slot]
    del known[bisect_left(known, transaction.order, key=_order)]
    if not known:
        del conversions[slot]
        if not conversions:
            transaction.customer.conversions = None
