"""The customer lane's shard: logins, transactions and touches of the customers of one partition.

Every method keeps one invariant: after any prefix of the three logs, in whatever order the topics were interleaved,
the cells equal a batch over the accepted events of that prefix. Late events are booked by taking back what they
change and booking it anew; how much that costs is bounded by what they change.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from pipeline.state.activity import Activity
from pipeline.state.attribution import Attribution
from pipeline.state.cells import Cells
from pipeline.state.conversions import Conversions
from pipeline.state.customer_lane import CustomerLane
from pipeline.state.intake import NEVER
from pipeline.state.memory import CustomerMemory
from pipeline.state.records import Credit, Customer, Reach, Touch, Transaction
from pipeline.state.restore import Restorer
from pipeline.state.rows import AdjustmentRow, Changes, LoginDays

if TYPE_CHECKING:
    from pipeline.state.campaign_registry import Arm, CampaignRegistry
    from pipeline.state.intake import Refusal
    from pipeline.state.policy import Policy
    from schemas.columns import LoginColumns, TouchColumns, TransactionColumns

_LONG_AGO: Final = Reach(NEVER, "")


class CustomerShard(CustomerLane):
    """State of one partition of the customer-keyed topics, whose names it is given; implements `port.ShardCore`."""

    def __init__(
        self, policy: Policy, campaigns: CampaignRegistry, *, logins: str, transactions: str, touches: str
    ) -> None:
        self._memory = CustomerMemory(policy, campaigns)
        super().__init__(policy, self._memory, logins=logins, transactions=transactions, touches=touches)
        self._campaigns = campaigns
        self._calendar = policy.calendar()
        self._attribution = Attribution(policy, campaigns)
        self._cells = [Cells(number, self._calendar) for number in range(len(policy.models))]
        self._base = self._cells[0]
        self._conversions = Conversions(campaigns, self._cells)
        self._activity = Activity(policy.lateness_days)
        self._login_days = LoginDays()

    def restorer(self) -> Restorer:
        """Return what loads stored state into this still empty shard."""
        return Restorer(
            self._memory,
            self._conversions,
            self._activity,
            self._campaigns,
            self.logins,
            self.touches,
            self.transactions,
            self.erasures,
        )

    def open_chapter(self, chapter: int) -> None:
        """Start a new chapter for cells that come to memory from now on."""
        for cells in self._cells:
            cells.open_chapter(chapter)
        self._activity.open_chapter(chapter)

    # -- events ----------------------------------------------------------------------------------------------------

    def apply_logins(self, columns: LoginColumns, now_ms: int | None) -> list[Refusal]:
        """Count a batch of logins; return the refused ones."""
        columns, refusals = self.logins.screen(columns, now_ms)
        columns = self.erasures.without_erased(columns, self._memory.customers, self.logins.left_out_before)
        self.logins.accepted += len(columns.offset)
        shortest = self._policy.engaged_seconds
        day_of, add, customers = self._calendar.day_of, self._activity.add, self._memory.customers
        facts = self._login_days
        for at, customer_id, seconds, automated in zip(
            columns.occurred_at, columns.customer_id, columns.session_seconds, columns.automated, strict=True
        ):
            customer = customers.get(customer_id) or self._memory.customer(customer_id)
            day = day_of(at)
            engaged = not automated and (seconds is None or seconds >= shortest)
            if day == customer.last_day and (customer.engaged if engaged else customer.logins) & 1:
                continue  # the commonest login of all: the day is known already
            if add(customer, day, engaged=engaged):
                facts.pseudonym.append(customer.pseudonym)
                facts.day.append(day)
                facts.engaged.append(engaged)
                facts.tier.append(customer.tier)
        return refusals

    def apply_touches(self, columns: TouchColumns, now_ms: int | None) -> list[Refusal]:
        """Count a batch of touches, attributing again what a late one changes; return the refused ones."""
        columns, refusals = self.touches.screen(columns, now_ms)
        columns = self.erasures.without_erased(columns, self._memory.customers, self.touches.left_out_before)
        floors = partial(self.touches.floors, columns)
        is_new = self._memory.touch_ids.are_new(columns.event_id, columns.occurred_at, floors)
        columns = self.touches.accept(columns, is_new)
        customers, arm_of, count_touch = self._memory.customers, self._campaigns.arm, self._base.add_touch
        facts = self._changes.touches
        for event_id, at, customer_id, campaign_id, variant, kind, cost in zip(
            columns.event_id,
            columns.occurred_at,
            columns.customer_id,
            columns.campaign_id,
            columns.variant,
            columns.kind,
            columns.cost_minor,
            strict=True,
        ):
            customer = customers.get(customer_id) or self._memory.customer(customer_id)
            arm = arm_of(campaign_id, variant)
            creditable = kind != "assign" and not arm.is_control
            facts.pseudonym.append(customer.pseudonym)
            facts.tier.append(customer.tier)
            facts.creditable.append(creditable)
            if creditable:
                self._count_creditable(customer, arm, at, cost)
                self._credit_touch(customer, Touch(arm.campaign_index, at, event_id, arm.index))
            else:
                count_touch(arm, customer.tier, at, 0, cost, reaches_arm=False, reaches=False)
        facts.offset += columns.offset
        facts.event_id += columns.event_id
        facts.at += columns.occurred_at
        facts.campaign_id += columns.campaign_id
        facts.variant += [variant or "" for variant in columns.variant]
        facts.channel += columns.channel
        facts.kind += columns.kind
        facts.cost_minor += columns.cost_minor
        facts.automated += columns.automated
        facts.recommended += columns.recommended
        return refusals

    def apply_transactions(self, columns: TransactionColumns, now_ms: int | None) -> list[Refusal]:
        """Count a batch of transactions and reversals; return the refused ones."""
        columns, refusals = self.transactions.screen(columns, now_ms)
        columns = self.erasures.without_erased(columns, self._memory.customers, self.transactions.left_out_before)
        floors = partial(self.transactions.floors, columns)
        is_new = self._memory.reversals.are_new(columns.event_id, columns.occurred_at, floors)
        columns = self.transactions.accept(columns, is_new)
        customers, facts = self._memory.customers, self._changes.transactions
        for offset, event_id, at, customer_id, kind, amount, product, revenue, aum, original in zip(
            columns.offset,
            columns.event_id,
            columns.occurred_at,
            columns.customer_id,
            columns.kind,
            columns.amount_minor,
            columns.product,
            columns.revenue_minor,
            columns.aum_delta_minor,
            columns.reverses,
            strict=True,
        ):
            customer = customers.get(customer_id) or self._memory.customer(customer_id)
            facts.pseudonym.append(customer.pseudonym)
            facts.tier.append(customer.tier)
            if original is None:
                self._add(Transaction(customer, at, event_id, kind, product, amount, revenue, aum, customer.tier))
            else:
                self._reverse(customer, at, event_id, original, amount, offset)
        facts.offset += columns.offset
        facts.event_id += columns.event_id
        facts.at += columns.occurred_at
        facts.kind += columns.kind
        facts.channel += columns.channel
        facts.product += columns.product
        facts.amount_minor += columns.amount_minor
        facts.revenue_minor += columns.revenue_minor
        facts.aum_delta_minor += columns.aum_delta_minor
        facts.cross_bank += columns.cross_bank
        facts.scenario += columns.scenario
        facts.reverses += columns.reverses
        return refusals

    def _add(self, transaction: Transaction) -> None:
        customer = transaction.customer
        self._memory.remember_transaction(transaction)
        if self._memory.reversals.arrived(transaction):
            self._adjusted(transaction)
        if customer.touches:
            self._replace_credits(transaction, self._attribution.credits(transaction, customer.touches))

    def _reverse(  # noqa: PLR0913, PLR0917 - the fields of one event
        self, customer: Customer, at: int, event_id: str, original_id: str, amount_minor: int, offset: int
    ) -> None:
        original = self._memory.reversals.reverse(customer, at, event_id, original_id, amount_minor, offset)
        if original is not None:
            self._adjusted(original)
            if original.credits:
                self._replace_credits(original, self._attribution.repriced(original))

    # -- out -------------------------------------------------------------------------------------------------------

    def drain_changes(self, version: int) -> Changes:
        """Return everything learnt since the last call; ``version`` is the block that will make it durable."""
        changes, self._changes = self._changes, Changes()
        changes.logins, self._login_days = self._login_days, LoginDays()
        changes.credits = self._conversions.drain_changes()
        for cells in self._cells:
            cells.drain_changes(version, changes.cells)
        self._activity.drain_changes(version, changes.days)
        changes.erasures = self.erasures.drain_changes(version)
        changes.orphans = self._memory.reversals.drain_orphans(self.transactions.floor)
        self.transactions.refuse(len(changes.orphans), accepted_before=True)
        return changes

    # -- horizon ---------------------------------------------------------------------------------------------------

    def forget(self, idle_version: int) -> None:
        """Drop what no event that is still in time on any topic could need, and cells idle since a version."""
        self._memory.forget(self.touches.horizon, self.transactions.horizon, self._conversions)
        for cells in self._cells:
            cells.forget_idle(idle_version)
        self._activity.forget_idle(idle_version)

    def held(self) -> dict[str, int]:
        """Return how much of each kind is in memory that the horizon makes leave it."""
        return self._memory.held() | {"cells": sum(cells.passing for cells in self._cells)}

    # -- inside ----------------------------------------------------------------------------------------------------

    def _adjusted(self, transaction: Transaction) -> None:
        self._changes.adjustments.append(
            AdjustmentRow(transaction.event_id, transaction.at, transaction.effective_minor)
        )

    def _replace_credits(self, transaction: Transaction, credits_now: tuple[Credit, ...]) -> None:
        if transaction.credits or credits_now:
            self._conversions.replace(transaction, credits_now)

    def _count_creditable(self, customer: Customer, arm: Arm, at: int, cost: int) -> None:
        reach = customer.reach
        known = None if reach is None else reach.get(arm.index)
        if known is None and customer.past_reach >> arm.index & 1:
            known = _LONG_AGO
        reaches = False
        if known is None or at < known.at or (at == known.at and customer.tier < known.tier):
            first = self._first_reach(customer, arm.campaign_index)
            if reach is None:
                reach = customer.reach = {}
            reach[arm.index] = now = Reach(at, customer.tier)
            reaches = first is None or now < first
            if reaches and first is not None:
                self._base.revert_reach(arm, first.tier, first.at)
        self._base.add_touch(arm, customer.tier, at, 1, cost, reaches_arm=known is None, reaches=reaches)

    def _first_reach(self, customer: Customer, campaign_index: int) -> Reach | None:
        if customer.past_reach & self._campaigns.arm_mask[campaign_index]:
            return _LONG_AGO
        reach = customer.reach
        if not reach:
            return None
        if len(reach) == 1:
            ((arm_index, only),) = reach.items()
            return only if self._campaigns.arms[arm_index].campaign_index == campaign_index else None
        found = [reach[arm_index] for arm_index in self._campaigns.arms_of[campaign_index] if arm_index in reach]
        return min(found) if found else None

    def _credit_touch(self, customer: Customer, touch: Touch) -> None:
        touches = self._memory.remember_touch(customer, touch)
        transactions = customer.transactions
        if transactions is not None and transactions[-1].at >= touch.at:
            for transaction in self._attribution.affected(touch, touches, transactions):
                self._replace_credits(transaction, self._attribution.credits(transaction, touches))
