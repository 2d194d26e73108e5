"""The oracle's one entry point: a log and a configuration in, every view of the contract out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.oracle.activity_views import active_users
from tests.oracle.campaign_views import (
    campaign_cohorts,
    campaign_days,
    campaign_hours,
    campaign_minutes,
    campaign_tier_totals,
    campaign_totals,
    campaign_variant_totals,
)
from tests.oracle.facts import Facts
from tests.oracle.record_views import credit_rows, dead_letters
from tests.oracle.verdicts import judge

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.oracle.config import OracleConfig
    from tests.oracle.facts import Row
    from tests.oracle.log import Log
    from tests.oracle.verdicts import Judged

VIEWS: Final[Mapping[str, Callable[[Facts], list[Row]]]] = {
    "campaign_totals": campaign_totals,
    "campaign_variant_totals": campaign_variant_totals,
    "campaign_tier_totals": campaign_tier_totals,
    "campaign_minutes": campaign_minutes,
    "campaign_hours": campaign_hours,
    "campaign_days": campaign_days,
    "campaign_cohorts": campaign_cohorts,
    "active_users": active_users,
    "credits": credit_rows,
    "dead_letters": dead_letters,
}


@dataclass(frozen=True, slots=True)
class Views:
    """Every view's rows as plain values, and the verdicts behind them.

    Conversions stand as integer ``conversion_millionths``, minutes as epoch minutes, hours as
    epoch seconds, instants as epoch milliseconds,
    days as ISO dates.
    """

    rows: Mapping[str, list[Row]]
    judged: Judged


def evaluate(log: Log, config: OracleConfig) -> Views:
    """Return what the views must hold once every record of ``log`` has been processed."""
    judged = judge(log, config)
    return evaluate_judged(judged, config)


def evaluate_judged(judged: Judged, config: OracleConfig) -> Views:
    """Return the views of a log that is judged already, for a second model over one pass."""
    facts = Facts(judged, config)
    return Views({name: [_row(name, row, config) for row in view(facts)] for name, view in VIEWS.items()}, judged)


def conversions(millionths: int) -> float:
    """Return conversions as the contract's views show them."""
    return millionths / 1_000_000


def _row(view: str, row: Row, config: OracleConfig) -> Row:
    return row if view == "dead_letters" else {"run": config.run} | row
