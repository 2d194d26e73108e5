"""What a firing would have meant in money, had the campaign been stopped at that instant. Pure.

*After* an instant are the touches later than it, what they cost, and what was credited to them. A cost event pays for
the touches since the one before it (`pipeline.alerts.costs`): the part of it that pays for touches after the instant is
after it, whenever it was booked. A transaction belongs to the first touch of the campaign that it was credited to;
reversals take it back. So what is counted as lost would not all be lost: who is not touched again may convert all the
same, by an earlier touch or by none.
"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pipeline.alerts.costs import cost_by_hour
from pipeline.backtest.history import NEVER_TOUCHED, QUARTERS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.backtest.history import CampaignHistory


class Settled(NamedTuple):
    """What became of a campaign.

    Attributes:
        cost: all of it.
        returned: the net return of all credits.
        is_settled: whether all its conversions have come: its window since the last touch has passed.
    """

    cost: int
    returned: int
    is_settled: bool

    @property
    def ratio(self) -> float | None:
        """Return per cost; None before all has come, and without cost."""
        return self.returned / self.cost if self.is_settled and self.cost > 0 else None


class After(NamedTuple):
    """Money after an instant, in minor units."""

    cost: int
    returned: int


def settled_of(history: CampaignHistory, last_ms: int) -> Settled:
    """Return what became of a campaign by the last instant that is known."""
    last = history.touched[1].max(initial=NEVER_TOUCHED)
    ends = history.plan.ends_at_ms
    over = last > NEVER_TOUCHED and last + history.plan.window_ms <= last_ms and (ends is None or ends <= last_ms)
    cost = int(history.touches.cost.sum()) + sum(event.amount_minor for event in history.events)
    return Settled(cost, int(history.changes["returned"].sum()), bool(over))


def after(history: CampaignHistory, step: int) -> After:
    """Return the money after a step, of everything that is known to the end."""
    instant = history.grid.instant(step)
    later = history.touches.seen > instant
    cost = float(history.touches.cost[later].sum())
    if history.events:
        cost += _events_after(history, instant)
    returned = history.changes["returned"][history.changes["touched_at"] > instant].sum()
    return After(round(cost), int(returned))


def _events_after(history: CampaignHistory, instant: int) -> float:
    """Return the part of the cost events that pays for touches after an instant, or for none and stands after it."""
    hour = history.touches.quarter // QUARTERS
    hours, place = np.unique(hour, return_inverse=True)
    touches = np.zeros(len(hours), np.int64)
    np.add.at(touches, place, history.touches.creditable)
    later = np.zeros(len(hours), np.int64)
    np.add.at(later, place, np.where(history.touches.seen > instant, history.touches.creditable, 0))
    paid_hours, paid = cost_by_hour(hours, touches, np.zeros(len(hours), np.int64), history.events)
    share = np.where(paid_hours * 3_600_000 >= instant, 1.0, 0.0)
    known = np.searchsorted(paid_hours, hours[touches > 0])
    share[known] = later[touches > 0] / touches[touches > 0]
    return float((paid * share).sum())


class Fate(NamedTuple):
    """One campaign under one rule, as far as money goes.

    Attributes:
        limit: the ratio that its rule requires.
        ratio: the settled one; None where it is not known yet.
        has_fired: whether the rule has.
        after: the money after that; nothing without.
        hours: from its first touch or cost to that.
    """

    limit: float
    ratio: float | None
    has_fired: bool
    after: After
    hours: float | None

    @property
    def is_bad(self) -> bool | None:
        """Whether it ended below its limit; None where that is not known."""
        return None if self.ratio is None else self.ratio < self.limit


class Money(NamedTuple):
    """One rule in money, over the campaigns whose settled ratio is known; amounts in minor units.

    Attributes:
        campaigns: how many these are.
        below_limit: how many of them ended below their limit.
        fired: on how many of them the rule fired.
        fired_rightly: on how many of those that ended below.
        fired_wrongly: on how many of those that ended at or above.
        fired_too_late: rightly, but when nothing was left to be spent.
        not_settled: campaigns whose ratio is not known yet: neither right nor wrong.
        fired_not_settled: on how many of these it fired.
        spend_avoided_minor: cost after firing, of those fired on that ended below.
        return_given_up_minor: what that cost had returned: it would not have come either.
        return_forgone_minor: return after firing, of those fired on that ended at or above.
        spend_not_made_minor: the cost of that return, which would not have been spent either.
        gain_at_limit_minor: of all fired on: what the cost after firing had to return at the limit, less what it did.
        precision: fired rightly / fired; None without.
        recall: fired rightly / ended below; None without.
        median_hours_to_fire: from the first touch or cost to firing, over those fired on rightly; None without.
    """

    campaigns: int
    below_limit: int
    fired: int
    fired_rightly: int
    fired_wrongly: int
    fired_too_late: int
    not_settled: int
    fired_not_settled: int
    spend_avoided_minor: int
    return_given_up_minor: int
    return_forgone_minor: int
    spend_not_made_minor: int
    gain_at_limit_minor: int
    precision: float | None
    recall: float | None
    median_hours_to_fire: float | None


def money_of(fates: Iterable[Fate]) -> Money:
    """Return one rule in money."""
    every = list(fates)
    known = [one for one in every if one.is_bad is not None]
    fired = [one for one in known if one.has_fired]
    right, wrong = ([one for one in fired if one.is_bad is is_bad] for is_bad in (True, False))
    bad = sum(one.is_bad is True for one in known)
    open_ended = [one for one in every if one.is_bad is None]
    return Money(
        campaigns=len(known),
        below_limit=bad,
        fired=len(fired),
        fired_rightly=len(right),
        fired_wrongly=len(wrong),
        fired_too_late=sum(one.after.cost <= 0 for one in right),
        not_settled=len(open_ended),
        fired_not_settled=sum(one.has_fired for one in open_ended),
        spend_avoided_minor=sum(one.after.cost for one in right),
        return_given_up_minor=sum(one.after.returned for one in right),
        return_forgone_minor=sum(one.after.returned for one in wrong),
        spend_not_made_minor=sum(one.after.cost for one in wrong),
        gain_at_limit_minor=round(sum(one.limit * one.after.cost - one.after.returned for one in fired)),
        precision=len(right) / len(fired) if fired else None,
        recall=len(right) / bad if bad else None,
        median_hours_to_fire=median(hours)
        if (hours := [one.hours for one in right if one.hours is not None])
        else None,
    )
