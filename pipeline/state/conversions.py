"""Credits in force and who counts as a converter because of them."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING, Final

from pipeline.state.records import by_order
from pipeline.state.rows import CREDIT_WIDTH, CreditColumns

if TYPE_CHECKING:
    from pipeline.state.campaign_registry import Arm, CampaignRegistry
    from pipeline.state.cells import Cells
    from pipeline.state.records import Credit, Customer, Touch, Transaction

_NOTHING: Final = (0, 0, 0, 0)


class Conversions:
    """Books credits into the cells of each model and keeps converters distinct and dated.

    A customer's conversions are kept by ``arm_index * models + model``: the credited transactions in order, so that the
    first one, which dates the converter, is known when credits move or vanish.
    """

    def __init__(self, campaigns: CampaignRegistry, cells: list[Cells]) -> None:
        self._campaigns = campaigns
        self._cells = cells
        self._models = len(cells)
        self._changed = CreditColumns()
        self._row_of: dict[tuple[Transaction, str, int], int] = {}  # transaction, touch's id and arm

    def replace(self, transaction: Transaction, credits_now: tuple[Credit, ...]) -> None:
        """Put a transaction's new credits in the place of its old ones; they count while it has an effect."""
        before, counted, counts = transaction.credits, transaction.counts, transaction.has_effect
        if before == credits_now and counted == counts:
            return
        for credit in before:
            if counted:
                self._book(transaction, credit, -1)
            self._note(transaction, credit, _NOTHING)
        for credit in credits_now:
            if counts:
                self._book(transaction, credit, 1)
            share = credit.millionths
            self._note(transaction, credit, (share if counts else 0, credit.return_minor, credit.aum_minor, share))
        transaction.credits, transaction.counts = credits_now, counts
        if counts and not before and len(credits_now) == 1:
            self._join(transaction, self._slot(credits_now[0]))
            return
        old = {self._slot(credit) for credit in before} if counted else set()
        new = {self._slot(credit) for credit in credits_now} if counts else set()
        for slot in sorted(old - new):
            self._leave(transaction, slot)
        for slot in sorted(new - old):
            self._join(transaction, slot)

    def load(self, transaction: Transaction, credits_now: tuple[Credit, ...], *, counts: bool) -> None:
        """Remember stored credits without booking them again."""
        transaction.credits, transaction.counts = credits_now, counts
        if not counts:
            return
        for slot in sorted({self._slot(credit) for credit in credits_now}):
            _insert(transaction, slot)

    def fold_into_past(self, transaction: Transaction) -> None:
        """Fold a transaction that nothing can change any more into its customer's past."""
        if not transaction.counts:
            return
        customer = transaction.customer
        for slot in {self._slot(credit) for credit in transaction.credits}:
            customer.past_conversions |= 1 << slot
            _remove(transaction, slot)

    def _slot(self, credit: Credit) -> int:
        return credit.touch.arm_index * self._models + credit.model

    def past_slot(self, arm: Arm, model: int) -> int:
        """Return the bit that marks a converter whose conversions are past the horizon."""
        return 1 << (arm.index * self._models + model)

    def drain_changes(self) -> CreditColumns:
        """Return the credits changed since the last call, as they stand now."""
        changed, self._changed = self._changed, CreditColumns()
        self._row_of.clear()
        return changed

    def _book(self, transaction: Transaction, credit: Credit, sign: int) -> None:
        arm = self._campaigns.arms[credit.touch.arm_index]
        self._cells[credit.model].add_credit(arm, transaction.tier, transaction.at, credit, sign)

    def _note(self, transaction: Transaction, credit: Credit, shares: tuple[int, int, int, int]) -> None:
        """Note what a credit stands at under its model from now on: millionths, return, AUM, share before reversals.

        The other models' are noted too wherever they change: `replace` takes back and gives those of all models.
        """
        touch, standings = credit.touch, self._changed.standings
        first = (self._row(transaction, touch) * self._models + credit.model) * CREDIT_WIDTH
        # the time is each model's own: of an id that came again two touches may share under different models
        standings[first : first + CREDIT_WIDTH] = (*shares[:3], touch.at, shares[3])

    def _row(self, transaction: Transaction, touch: Touch) -> int:
        """Return the row of a transaction's credit by a touch in this block: a new one, or an earlier change's."""
        key = (transaction, touch.event_id, touch.arm_index)
        rows, row = self._changed, self._row_of.get(key)
        if row is None:
            arm = self._campaigns.arms[touch.arm_index]
            row = self._row_of[key] = len(rows)
            rows.campaign_id.append(arm.campaign_id)
            rows.variant.append(arm.variant)
            rows.transaction_id.append(transaction.event_id)
            rows.touch_id.append(touch.event_id)
            rows.pseudonym.append(transaction.customer.pseudonym)
            rows.converted_at.append(transaction.at)
            rows.tier.append(transaction.tier)
            rows.kind.append(transaction.kind)
            rows.standings += [0] * (CREDIT_WIDTH * self._models)
        return row

    def _first(self, customer: Customer, campaign_index: int, model: int) -> Transaction | None:
        """Return the first live transaction a campaign is credited with; callers rule out a past one."""
        conversions = customer.conversions
        if not conversions:
            return None
        arms, models = self._campaigns.arms_of[campaign_index], self._models
        if len(conversions) < len(arms):  # a campaign may have as many arms as customers, if a producer is at fault
            all_arms = self._campaigns.arms
            found = [
                transactions[0]
                for slot, transactions in conversions.items()
                if slot % models == model and all_arms[slot // models].campaign_index == campaign_index
            ]
        else:
            slots = (arm_index * models + model for arm_index in arms)
            found = [conversions[slot][0] for slot in slots if slot in conversions]
        return min(found, key=by_order) if found else None

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
        insort(known, transaction, key=by_order)


def _remove(transaction: Transaction, slot: int) -> None:
    conversions = transaction.customer.conversions
    if conversions is None:
        return
    known = conversions[slot]
    del known[bisect_left(known, transaction.order, key=by_order)]
    if not known:
        del conversions[slot]
        if not conversions:
            transaction.customer.conversions = None
