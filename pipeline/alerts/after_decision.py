"""What became of a campaign's return after somebody decided about it. Pure.

A week before is held against the week after, in event time and in the event view (money under its own time). Spend
avoided is what would have gone out in that week at the pace of the week before, no further than the budget and the
campaign's end, less what did.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

DAYS: Final = 7
_DAY: Final = 86_400
_SHORTEST_PACE_SECONDS: Final = 3_600  # money of the first minutes says nothing about a week


@dataclass(frozen=True, slots=True)
class Around:
    """A row of sql/queries/after_decision.sql: money in minor units, instants in epoch seconds."""

    cost_before_minor: int
    return_before_minor: int
    cost_after_minor: int
    return_after_minor: int
    spent_minor: int
    first_cost: int | None
    budget_minor: int | None
    ends: int | None
    newest: int | None


def after_decision(decision: str, decided: int, around: Around) -> dict[str, Any]:
    """Return the two weeks; what is not over yet is None, with the days that have passed.

    Args:
        decision: stop, optimise or continue; the last avoids nothing by itself.
        decided: the instant that had been looked at when it was decided, in epoch seconds of event time.
        around: what the ledger has.
    """
    passed = max(0.0, ((around.newest or decided) - decided) / _DAY)
    is_over = passed >= DAYS
    avoided = _avoided(decided, around) if is_over and decision != "continue" else None
    after = _week(around.cost_after_minor, around.return_after_minor) if is_over else None
    return {
        "decision": decision,
        "days": DAYS,
        "days_so_far": round(min(passed, DAYS), 2),
        "before": _week(around.cost_before_minor, around.return_before_minor),
        "after": after,
        "spend_avoided_minor": avoided,
    }


def _week(cost_minor: int, return_minor: int) -> Mapping[str, Any]:
    ratio = return_minor / cost_minor if cost_minor else None
    return {"cost_minor": cost_minor, "return_minor": return_minor, "return_ratio": ratio}


def _avoided(decided: int, around: Around) -> int:
    """Return the money that was not spent; never less than nothing."""
    first = decided if around.first_cost is None else around.first_cost
    paced = min(DAYS * _DAY, max(_SHORTEST_PACE_SECONDS, decided - first))
    left = DAYS * _DAY if around.ends is None else min(DAYS * _DAY, max(0, around.ends - decided))
    expected = around.cost_before_minor * left // paced
    if around.budget_minor is not None:
        expected = min(expected, max(0, around.budget_minor - around.spent_minor))
    return max(0, expected - around.cost_after_minor)
