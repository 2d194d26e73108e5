"""All views of a tiny log by brute force and SQL, to hold the oracle against."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.oracle import brute_force
from tests.oracle.events import Cost, Login, Touch
from tests.oracle.facts import Facts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tests.oracle.config import OracleConfig
    from tests.oracle.credits import Credit
    from tests.oracle.events import Event
    from tests.oracle.log import Log
    from tests.oracle.verdicts import Judged

SCRIPT = Path(__file__).with_name("second_opinion.sql")
QUERIES = {
    "campaign_totals": (
        "SELECT *, converters * 1.0 / nullif(reached, 0) AS conversion_rate,"
        " cost_minor * 1.0 / nullif(converters, 0) AS cpa_minor,"
        " return_minor * 1.0 / nullif(cost_minor, 0) AS return_ratio,"
        " (return_minor - cost_minor) * 1.0 / nullif(cost_minor, 0) AS net_roi FROM {view}"
    ),
    "campaign_minutes": "SELECT * FROM {view}",
    "active_users": "SELECT *, dau * 1.0 / nullif(mau, 0) AS stickiness FROM {view}",
}
QUERIES["campaign_variant_totals"] = QUERIES["campaign_tier_totals"] = QUERIES["campaign_totals"]
for each in ("campaign_cohorts", "campaign_hours", "campaign_days"):
    QUERIES[each] = QUERIES["campaign_minutes"]


def opinion(log: Log, judged: Judged, config: OracleConfig) -> dict[str, list[dict[str, Any]]]:
    """Return the views of ``log`` but for `dead_letters`; of ``judged`` only the dimension tables are used."""
    facts = Facts(judged, config)
    events = [each.event for each in brute_force.accepted(brute_force.arrived(log, config), config)]
    found = brute_force.credits_of(events, facts.catalogue, config)
    with closing(sqlite3.connect(":memory:")) as database:
        database.row_factory = sqlite3.Row
        database.executescript(SCRIPT.read_text())
        _fill(database, facts, events, found)
        views = {
            view: [dict(row) for row in database.execute(query.format(view=view))] for view, query in QUERIES.items()
        }
        views["credits"] = [
            dict(row) | {"customer_hash": facts.customer_hash(row["customer_id"])}
            for row in database.execute("SELECT * FROM credits")
        ]
    return views


def _fill(database: sqlite3.Connection, facts: Facts, events: Sequence[Event], found: Sequence[Credit]) -> None:
    _insert(database, "touches", _touches(facts, events))
    _insert(database, "costs", _costs(events))
    _insert(database, "logins", _logins(facts, events))
    _insert(database, "credits", _credits(facts, found))


def _touches(facts: Facts, events: Sequence[Event]) -> Iterator[tuple[Any, ...]]:
    for touch in events:
        if isinstance(touch, Touch):
            yield (
                touch.event_id,
                touch.occurred_at,
                touch.customer_id,
                facts.tier(touch.customer_id),
                touch.campaign_id,
                touch.variant,
                touch.cost_minor,
                int(facts.catalogue.creditable(touch)),
            )


def _costs(events: Sequence[Event]) -> Iterator[tuple[Any, ...]]:
    for cost in events:
        if isinstance(cost, Cost):
            yield cost.occurred_at, cost.campaign_id, cost.variant, cost.amount_minor


def _logins(facts: Facts, events: Sequence[Event]) -> Iterator[tuple[Any, ...]]:
    for login in events:
        if isinstance(login, Login):
            engaged = not login.automated and not (login.session_seconds or 5) < 5 and login.session_seconds != 0
            day = facts.business_day(login.occurred_at)
            yield login.customer_id, facts.tier(login.customer_id), day, int(engaged)


def _credits(facts: Facts, found: Sequence[Credit]) -> Iterator[tuple[Any, ...]]:
    for credit in found:
        yield (
            credit.transaction.event_id,
            credit.touch.event_id,
            credit.touch.campaign_id,
            credit.touch.variant,
            facts.tier(credit.touch.customer_id),
            credit.touch.customer_id,
            credit.millionths,
            credit.return_minor,
            credit.aum_minor,
            credit.touch.occurred_at,
            credit.transaction.occurred_at,
        )


def _insert(database: sqlite3.Connection, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
    rows = list(rows)
    if rows:
        database.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)
