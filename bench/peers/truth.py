"""What the peers' results must be: the trivial job's by a plain sum, the full one's by the tests' oracle."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from schemas.topics import COSTS, TOUCHES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MEASURES: Final = ("touches", "reached", "conversions", "converters", "cost_minor", "return_minor")
_EPOCH: Final = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Numbers:
    """The full job's results.

    Attributes:
        campaigns: values of `MEASURES` by campaign.
        active: monthly active users by business day (days since 1970), from the first to the last with a login.
    """

    campaigns: Mapping[str, tuple[int, ...]]
    active: Mapping[int, int]


def spend_of(events: Iterable[tuple[str, bytes, bytes]]) -> dict[str, int]:
    """Return cost by campaign, added up with the standard library only."""
    sums: dict[str, int] = defaultdict(int)
    for topic, _, value in events:
        if topic in {TOUCHES, COSTS}:
            body = json.loads(value)
            sums[body["campaign_id"]] += body["cost_minor" if topic == TOUCHES else "amount_minor"]
    return dict(sums)


def numbers_of(events: Iterable[tuple[str, bytes, bytes]]) -> Numbers:
    """Return what the oracle of the tests says about these events, which are all valid and in order of time."""
    from tests.oracle.activity_views import ALL_TIERS, active_users
    from tests.oracle.campaign_views import campaign_totals
    from tests.oracle.config import OracleConfig
    from tests.oracle.facts import Facts
    from tests.oracle.log import Record, log_of
    from tests.oracle.verdicts import judge

    offsets: dict[str, int] = defaultdict(int)
    records = []
    for topic, key, value in events:
        records.append(Record(topic, 0, offsets[topic], key, value))
        offsets[topic] += 1
    config = OracleConfig()
    facts = Facts(judge(log_of(records), config), config)
    campaigns = {
        row["campaign_id"]: tuple(
            row["conversion_millionths"] // 1_000_000 if name == "conversions" else row[name] for name in MEASURES
        )
        for row in campaign_totals(facts)
    }
    active = {
        (date.fromisoformat(row["day"]) - _EPOCH).days: row["mau"]
        for row in active_users(facts)
        if row["tier"] == ALL_TIERS
    }
    return Numbers(campaigns, active)


def numbers_from(
    campaigns: Iterable[Mapping[str, Any]], changes: Iterable[Mapping[str, Any]], days: Iterable[int]
) -> Numbers:
    """Return what a peer's rows in ClickHouse say, for the days asked for."""
    by_day = {int(row["day"]): int(row["change"]) for row in changes}
    return Numbers(
        {row["campaign_id"]: tuple(int(row[name]) for name in MEASURES) for row in campaigns},
        {day: sum(change for from_day, change in by_day.items() if from_day <= day) for day in days},
    )


def differences(found: Numbers, right: Numbers) -> list[str]:
    """Return what is wrong, a short phrase a measure; empty = equal in every number."""
    wrong = []
    names = found.campaigns.keys() | right.campaigns.keys()
    nothing = (0,) * len(MEASURES)
    for place, measure in enumerate(MEASURES):
        is_now, should_be = (
            {name: numbers.campaigns.get(name, nothing)[place] for name in names} for numbers in (found, right)
        )
        if is_now != should_be:
            wrong.append(f"{measure} {_total(is_now.values())} for {_total(should_be.values())}")
    days = [day for day in right.active if found.active.get(day, 0) != right.active[day]]
    if days:
        last = max(days)
        wrong.append(f"MAU {found.active.get(last, 0):,} for {right.active[last]:,}")
    return wrong


def _total(values: Iterable[int]) -> str:
    return f"{sum(values):,}"


def verdict(wrong: Sequence[str]) -> str:
    """Return how a result is told."""
    return "numbers equal" if not wrong else f"WRONG: {', '.join(wrong)}"
