"""All that is known of one campaign, so ordered that what had occurred by any step is the beginning of every array.

A step's facts are made by the functions that live looks use (`pipeline.alerts.reading`, `pipeline.alerts.assembly`):
only where they are read from differs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from pipeline.alerts.amounts import summed, total
from pipeline.alerts.assembly import CampaignFacts, assemble
from pipeline.alerts.costs import cost_by_hour, paid_hour
from pipeline.alerts.finished import QUARTER_MS, finished_of
from pipeline.alerts.reading import set_conversions
from pipeline.alerts.statistics import HOUR_MS

if TYPE_CHECKING:
    from pipeline.alerts.amounts import Amounts
    from pipeline.alerts.conversions import Changes
    from pipeline.alerts.costs import CostEvent
    from pipeline.alerts.plans import CampaignPlan
    from pipeline.alerts.statistics import FinishedCampaign, Floats, Integers, Statistics
    from pipeline.backtest.grid import Grid
    from pipeline.state.calendar import BusinessCalendar

QUARTERS: Final = HOUR_MS // QUARTER_MS
ROWS_AT_ONCE: Final = 20_000
"""Conversions that are added up at once: they stay in the processor's cache."""
NEVER_TOUCHED: Final = -(1 << 61)


class Touches(NamedTuple):
    """Touches of one campaign, ascending in time: a row for each quarter of an hour and instant it was seen at.

    Attributes:
        seen: first instant as of which they had occurred, of those that the history knows.
        quarter: quarter of an hour since the epoch.
        creditable: how many creditable touches.
        cost: their own cost, and that of the others.
        weight: what stands for touches by day once the campaign is over.
    """

    seen: Integers
    quarter: Integers
    creditable: Integers
    cost: Amounts
    weight: Amounts


@dataclass(frozen=True, eq=False)
class CampaignHistory:
    """One campaign's whole life; nothing is changed once it is made.

    Attributes:
        plan: its definition.
        grid: the steps.
        touches: by the instant they were first seen at, and quarter.
        touched: by the same, ascending: instants of the creditable touches that say when it was last touched.
        events: cost events, ascending in time.
        changes: conversions and reversals, ascending in time; every row is 0.
        zone: of business days.
        first_ms: the first touch or cost.
        unit_ms: instants that are known are so far apart; every step is one of them. 1: every instant is known.
    """

    plan: CampaignPlan
    grid: Grid
    touches: Touches
    touched: tuple[Integers, Integers]
    events: tuple[CostEvent, ...]
    changes: Changes
    zone: str
    first_ms: int
    unit_ms: int = 1
    _paid: dict[tuple[int, int], tuple[Integers, Floats]] = field(default_factory=dict, repr=False)

    @property
    def campaign_id(self) -> str:
        """Its name."""
        return self.plan.campaign_id

    @cached_property
    def change_steps(self) -> Integers:
        """The steps as of which something new is known, ascending."""
        seen = np.concatenate([self.touches.seen, self._event_instants, self.changes["at"]])
        steps = np.unique(self.grid.first_seen(seen))
        return np.asarray(steps[steps < self.grid.steps])

    @cached_property
    def _event_instants(self) -> Integers:
        return np.array([event.at for event in self.events], np.int64)

    @cached_property
    def _customer_order(self) -> Integers:
        return np.lexsort((self.changes["customer2"], self.changes["customer"]))

    @cached_property
    def _by_customer(self) -> Changes:
        """The changes in the order in which they are added up: none need be sorted again for any step."""
        return self.changes[self._customer_order]

    @cached_property
    def _ranks(self) -> Integers:
        """The place in time of each of them."""
        return self._customer_order

    @cached_property
    def _by_hour(self) -> _Slots:
        return _Slots(self.touches.quarter // QUARTERS, self.touches.creditable, self.touches.cost)

    @cached_property
    def _by_quarter(self) -> _Slots:
        return _Slots(self.touches.quarter, self.touches.weight, self.touches.cost)

    def last_touches(self, steps: Integers) -> Integers:
        """Return the instant of the last creditable touch as of each step; `NEVER_TOUCHED` before the first."""
        seen, instants = self.touched
        if not len(seen):
            return np.full(len(steps), NEVER_TOUCHED)
        latest = np.maximum.accumulate(instants)
        place = np.searchsorted(seen, self.grid.instants(steps), "right") - 1
        return np.where(place >= 0, latest[np.maximum(place, 0)], NEVER_TOUCHED)

    def statistics(self, steps: Integers) -> Statistics:
        """Return what the rule is told as of steps, ascending: a row each, bit for bit what a live look is told."""
        return self.statistics_at(self.grid.instants(steps))

    def statistics_at(self, instants: Integers) -> Statistics:
        """Return the same as of any instants that are known, ascending."""
        return assemble(self.facts(instants), instants.tolist(), ZoneInfo(self.zone))

    def knows(self, instant: int) -> bool:
        """Tell whether what had occurred by an instant is known."""
        return (instant - self.grid.from_ms) % self.unit_ms == 0

    def facts(self, instants: Integers) -> list[CampaignFacts]:
        """Return what had occurred as of instants that are known, ascending; not to be changed."""
        ends = np.searchsorted(self.touches.seen, instants, "right").tolist()
        paid = np.searchsorted(self._event_instants, instants, "right").tolist()
        counts = np.searchsorted(self.changes["at"], instants, "right")
        versions, first, version = np.unique(counts, return_index=True, return_inverse=True)
        known = self._conversions(versions, instants[first])
        found = []
        for end, events, number in zip(ends, paid, version.tolist(), strict=True):
            of = known[number]
            hours, touches, cost = self._by_hour.until(end)
            facts = CampaignFacts(
                self.plan,
                hours,
                touches,
                cost,
                self._prefix(events),
                of.customers,
                of.arrival_touched_at,
                of.arrival_lag_ms,
                of.arrival_eaten,
            )
            found.append(self._pay(facts, end))
        return found

    @cached_property
    def _prefixes(self) -> dict[int, tuple[CostEvent, ...]]:
        return {}

    def _prefix(self, count: int) -> tuple[CostEvent, ...]:
        found = self._prefixes.get(count)
        if found is None:
            found = self._prefixes[count] = tuple(sorted(self.events[:count]))
        return found

    def _pay(self, facts: CampaignFacts, end: int) -> CampaignFacts:
        """Do what `CampaignFacts.pay` does: once for as long as nothing of what is paid for changes.

        Touches behind the newest payment cost what they cost themselves.
        """
        if not facts.events:
            facts.cost_hours, facts.cost = facts.hours, facts.touch_cost.astype(np.float64)
            return facts
        until = paid_hour(self.events[len(facts.events) - 1].at)
        rows = min(end, int(np.searchsorted(self.touches.quarter, (until + 1) * QUARTERS)))
        key = len(facts.events), rows
        size = int(np.searchsorted(facts.hours, until, "right"))
        known = self._paid.get(key)
        if known is None:
            before = facts.hours[:size], facts.touches[:size], facts.touch_cost[:size]
            known = self._paid[key] = cost_by_hour(*before, facts.events)
        facts.cost_hours = np.concatenate([known[0], facts.hours[size:]])
        facts.cost = np.concatenate([known[1], facts.touch_cost[size:].astype(np.float64)])
        return facts

    def _conversions(self, versions: Integers, instants: Integers) -> list[CampaignFacts]:
        """Return customers and arrivals after so many changes each, at instants as of which they are all."""
        found: list[CampaignFacts] = []
        begin = 0
        while begin < len(versions):
            rows = np.cumsum(versions[begin:])
            end = begin + max(1, int(np.searchsorted(rows, ROWS_AT_ONCE, "right")))
            counts = versions[begin:end]
            place, within = np.nonzero(self._ranks < counts[:, None])
            changes = self._by_customer[within]
            changes["row"] = place
            part = [CampaignFacts(self.plan) for _ in counts]
            set_conversions(part, changes, instants[begin:end])
            found += part
            begin = end
        return found

    def finished(self, step: int, calendar: BusinessCalendar) -> FinishedCampaign:
        """Return what the campaign teaches as of a step at which it is over."""
        instant = self.grid.instant(step)
        end = int(np.searchsorted(self.touches.seen, instant, "right"))
        events = self._prefix(int(np.searchsorted(self._event_instants, instant, "right")))
        quarters, weights, costs = self._by_quarter.until(end)
        facts = CampaignFacts(self.plan, quarters, np.maximum(weights, 0), costs, events)
        return finished_of([facts], self.changes, instant, calendar)[0]


class _Slots:
    """Touches by slot of time, whose beginnings are those of the touches' rows."""

    def __init__(self, slot: Integers, count: Amounts, cost: Amounts) -> None:
        self._names, first, self._rank = np.unique(slot, return_index=True, return_inverse=True)
        self._first = first
        self._rows = count, cost
        self._ends = np.append(first[1:], len(slot)) if len(slot) else first
        self._full = [summed(self._rank, one, len(self._names)) for one in self._rows]

    def until(self, end: int) -> tuple[Integers, Amounts, Amounts]:
        """Return slots, ascending, counts and costs of the first ``end`` rows."""
        size = int(self._rank[end - 1]) + 1 if end else 0
        counts, costs = (full[:size] for full in self._full)
        if end and self._ends[size - 1] != end:  # its last slot is still under way
            counts, costs = counts.copy(), costs.copy()
            begin = self._first[size - 1]
            counts[-1], costs[-1] = (total(one[begin:end]) for one in self._rows)
        return self._names[:size], counts, costs
