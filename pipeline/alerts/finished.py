"""Campaigns that are over, as teachers of their successors: read from the ledger as of an instant.

A campaign is over when its planned end, if it has one, has passed, and its window since the last creditable touch: all
its conversions have come. (Reversals may follow; what has come by the instant is what is learnt.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from pipeline.alerts import amounts
from pipeline.alerts.assembly import CampaignFacts
from pipeline.alerts.conversions import as_of, customers
from pipeline.alerts.isolating import Heard, each_apart, log_no_teacher
from pipeline.alerts.reading import (
    SINCE_EVER,
    TOUCHES,
    arrivals_of,
    chunks,
    products_of_kinds,
    read_changes,
    set_events,
    set_touches,
)
from pipeline.alerts.statistics import HOUR_MS, FinishedCampaign
from pipeline.state.calendar import DAY_MS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pipeline.alerts.conversions import Changes
    from pipeline.alerts.plans import CampaignPlan
    from pipeline.alerts.reading import FactsPort
    from pipeline.alerts.statistics import Floats, Integers
    from pipeline.state.calendar import BusinessCalendar
    from pipeline.state.policy import Policy

QUARTER_MS: Final = 900_000  # zones change by quarters of an hour: a business day consists of whole ones
HISTORY_DAYS: Final = 400.0
FEWEST_CONVERTERS: Final = 8


class FinishedFacts:
    """The finished campaigns of one run; each is read when it is over, and again when something of it has changed.

    What changes later is a reversal, a cost or touch that comes late, an erasure, a definition: who keeps the facts of
    all campaigns up to date (`pipeline.alerts.live`) knows whose.

    Args:
        port: the ledger.
        policy: how the run counts.
        history_days: how long a finished campaign teaches.
        fewest: customers with credit that a campaign must have to teach anything.
    """

    def __init__(
        self, port: FactsPort, policy: Policy, *, history_days: float = HISTORY_DAYS, fewest: int = FEWEST_CONVERTERS
    ) -> None:
        self._port = port
        self._policy = policy
        self._history_ms = int(history_days * DAY_MS)
        self._fewest = fewest
        self._known: dict[tuple[str, int], FinishedCampaign] = {}
        self._stale: set[str] = set()
        self._heard = Heard()

    def refresh(
        self, plans: Mapping[str, CampaignPlan], as_of_ms: int, changed: Collection[str] = ()
    ) -> list[FinishedCampaign]:
        """Return the campaigns that are over as of an instant, by name: the same objects where they teach the same.

        Args:
            plans: of all campaigns.
            as_of_ms: nothing later is looked at.
            changed: campaigns whose figures may have changed since the last call, which are read again; new ones are
                read in any case.
        """
        self._stale.update(changed)  # first of all: a call that fails is repeated without them
        over: list[tuple[CampaignPlan, int]] = []
        for name, last in sorted(self._port.fetch("alert_last_touches", until=as_of_ms)):
            plan = plans.get(name)
            if plan is not None and has_settled(plan, last, as_of_ms) and last >= as_of_ms - self._history_ms:
                over.append((plan, last + plan.window_ms))
        new = [
            (plan, ended)
            for plan, ended in over
            if plan.campaign_id in self._stale or (plan.campaign_id, ended) not in self._known
        ]
        for start in range(0, len(new), 100):
            part = new[start : start + 100]
            for (_, ended), one in zip(part, self._read([plan for plan, _ in part], as_of_ms), strict=True):
                if one is None:
                    continue  # it stays stale, and so is read again with the next call
                known = self._known.get((one.campaign_id, ended))
                if known is None or not known.teaches_the_same(one):
                    self._known[one.campaign_id, ended] = one
                self._stale.discard(one.campaign_id)
        self._known = {
            key: one
            for key, one in self._known.items()
            if key[0] not in self._stale and key[1] >= as_of_ms - 2 * self._history_ms
        }
        self._stale.clear()  # who was left is not over, and is read when it is
        found = [self._known.get((plan.campaign_id, ended)) for plan, ended in over]
        return [one for one in found if one is not None and one.converters.sum() >= self._fewest]

    def _read(self, plans: Sequence[CampaignPlan], as_of_ms: int) -> Sequence[FinishedCampaign | None]:
        """Return what campaigns teach; None of one whose figures make our own code fail: the others teach."""

        def read(some: Sequence[CampaignPlan]) -> Sequence[FinishedCampaign | None]:
            return read_finished(self._port, some, as_of_ms, self._policy)

        return each_apart(plans, read, self._teaches_nothing)

    def _teaches_nothing(self, plan: CampaignPlan, error: Exception) -> None:
        if self._heard.is_news(plan.campaign_id, error):
            log_no_teacher(plan.campaign_id, error)


def has_settled(plan: CampaignPlan, last_touch_ms: int, as_of_ms: int) -> bool:
    """Say whether all conversions of a campaign have come."""
    return last_touch_ms + plan.window_ms <= as_of_ms and (plan.ends_at_ms is None or plan.ends_at_ms <= as_of_ms)


def read_finished(
    port: FactsPort, plans: Sequence[CampaignPlan], as_of_ms: int, policy: Policy
) -> list[FinishedCampaign]:
    """Return what finished campaigns teach, in their order."""
    found: list[FinishedCampaign] = []
    for chunk in chunks(plans):
        facts = [CampaignFacts(plan) for plan in chunk]
        names = [plan.campaign_id for plan in chunk]
        set_touches(facts, port.records("alert_touches", TOUCHES, campaigns=names, until=as_of_ms, slot=QUARTER_MS))
        set_events(facts, port.fetch("alert_costs", campaigns=names, until=as_of_ms))
        changes = read_changes(port, chunk, as_of_ms, policy, model="", since=SINCE_EVER)
        found += finished_of(facts, changes, as_of_ms, policy.calendar())
    return found


def finished_of(
    facts: Sequence[CampaignFacts], changes: Changes, as_of_ms: int, calendar: BusinessCalendar
) -> list[FinishedCampaign]:
    """Return what campaigns teach.

    Args:
        facts: plans, cost events, and touches by quarter of an hour.
        changes: all their conversions; a row is a place in ``facts``.
        as_of_ms: nothing later counts.
        calendar: of the business day.
    """
    occurred = as_of(changes, as_of_ms)
    who = customers(occurred, products_of_kinds([one.plan for one in facts]))
    arrivals = arrivals_of(occurred)
    found: list[FinishedCampaign] = []
    for place, one in enumerate(facts):
        own = arrivals[arrivals["row"] == place]
        eaten = own[own["eaten_at"] <= as_of_ms]
        mine = who.row == place
        total, product, touched_at = who.total[mine], who.product[mine], who.touched_at[mine]
        touched = one.hours[one.touches > 0]
        first_day = calendar.day_of(int(touched[0]) * QUARTER_MS) if len(touched) else 0
        cost = float(amounts.total(one.touch_cost) + sum(event.amount_minor for event in one.events))
        last = int(touched[-1]) * QUARTER_MS if len(touched) else as_of_ms
        found.append(
            FinishedCampaign(
                campaign_id=one.plan.campaign_id,
                product=one.plan.product,
                ended_at_ms=last + one.plan.window_ms,
                window_hours=one.plan.window_ms / HOUR_MS,
                first_weekday=(first_day + 3) % 7,  # day 0 was a Thursday
                touches=_by_day(one.hours * QUARTER_MS, one.touches, first_day, calendar),
                converters=_by_day(touched_at, np.ones(len(touched_at)), first_day, calendar),
                lags=np.sort(own["converted_at"] - own["touched_at"]) / HOUR_MS,
                reversal_hours=np.sort(eaten["eaten_at"] - eaten["converted_at"]) / HOUR_MS,
                totals={
                    name: np.sort(total[(product == number) & (total > 0)])
                    for number, name in enumerate(one.plan.products)
                },
                settled_ratio=float(total.sum()) / cost if cost > 0 else None,
            )
        )
    return found


def _by_day(instants: Integers, weights: Floats | Integers, first_day: int, calendar: BusinessCalendar) -> Floats:
    """Return sums by business day from the first day on."""
    quarters, place = np.unique(instants // QUARTER_MS, return_inverse=True)
    days = np.array([calendar.day_of(quarter * QUARTER_MS) for quarter in quarters.tolist()], np.int64) - first_day
    if not len(days):
        return np.zeros(0)
    return np.bincount(np.maximum(days, 0)[place], weights).astype(np.float64)
