from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.alerts.after_decision import DAYS, Around, after_decision
from pipeline.clickhouse import sql
from pipeline.clickhouse.reader import Reader
from schemas.instants import instant_text

if TYPE_CHECKING:
    from pipeline.settings import Settings

DAY = 86_400
DECIDED = 1_790_000_040 // 60 * 60
MONEY = st.integers(0, 10**12)
RECORD = {"decision": "stop", "decided_by": "ann", "as_of": instant_text(DECIDED * 1000)}
CHANGE = {"event": "decided", "number": 1, "note": "", "by": "ann", "record": RECORD}


def around(**values: Any) -> Around:
    plain: dict[str, Any] = {
        "cost_before_minor": 700_000,
        "return_before_minor": 490_000,
        "cost_after_minor": 100_000,
        "return_after_minor": 300_000,
        "spent_minor": 2_000_000,
        "first_cost": DECIDED - 30 * DAY,
        "budget_minor": None,
        "ends": None,
        "newest": DECIDED + 8 * DAY,
    }
    return Around(**(plain | values))


def test_a_week_before_is_held_against_the_week_after() -> None:
    assert after_decision("stop", DECIDED, around()) == {
        "decision": "stop",
        "days": 7,
        "days_so_far": 7,
        "before": {"cost_minor": 700_000, "return_minor": 490_000, "return_ratio": 0.7},
        "after": {"cost_minor": 100_000, "return_minor": 300_000, "return_ratio": 3.0},
        "spend_avoided_minor": 600_000,
    }


@pytest.mark.parametrize(
    ("newest", "days"), [(DECIDED, 0), (DECIDED + 5 * DAY // 2, 2.5), (None, 0), (DECIDED - 60, 0)]
)
def test_nothing_is_said_before_seven_days_have_passed(newest: int | None, days: float) -> None:
    told = after_decision("stop", DECIDED, around(newest=newest))
    assert (told["after"], told["spend_avoided_minor"], told["days_so_far"]) == (None, None, days)
    assert told["before"]["return_ratio"] == 0.7


def test_seven_days_are_enough_to_the_second() -> None:
    assert after_decision("stop", DECIDED, around(newest=DECIDED + DAYS * DAY - 1))["after"] is None
    assert after_decision("stop", DECIDED, around(newest=DECIDED + DAYS * DAY))["after"] is not None


@pytest.mark.parametrize(
    ("values", "avoided"),
    [
        ({"budget_minor": 2_300_000}, 200_000),  # 300,000 were left, 100,000 went out
        ({"budget_minor": 1_900_000}, 0),  # it was overspent already
        ({"ends": DECIDED + 2 * DAY}, 100_000),  # two days at 100,000 a day were to come
        ({"ends": DECIDED - DAY}, 0),
        ({"cost_after_minor": 900_000}, 0),  # it went on, and faster
        ({"first_cost": DECIDED - 2 * DAY}, 2_350_000),  # 350,000 a day, for it had run two days only
        ({"first_cost": None, "cost_before_minor": 0, "cost_after_minor": 0}, 0),
    ],
)
def test_spend_avoided_goes_no_further_than_budget_and_end(values: dict[str, Any], avoided: int) -> None:
    assert after_decision("optimise", DECIDED, around(**values))["spend_avoided_minor"] == avoided


def test_to_continue_avoids_nothing_by_itself() -> None:
    assert after_decision("continue", DECIDED, around())["spend_avoided_minor"] is None


def test_a_week_without_cost_has_no_ratio() -> None:
    assert after_decision("stop", DECIDED, around(cost_after_minor=0))["after"]["return_ratio"] is None


@given(MONEY, MONEY, MONEY, st.none() | MONEY, st.none() | st.integers(-30, 30), st.integers(0, 40))
def test_what_was_avoided_is_at_most_what_was_left(
    before: int, after: int, spent: int, budget: int | None, ends: int | None, ran: int
) -> None:
    found = after_decision(
        "stop",
        DECIDED,
        around(
            cost_before_minor=before,
            cost_after_minor=after,
            spent_minor=spent,
            budget_minor=budget,
            ends=None if ends is None else DECIDED + ends * DAY,
            first_cost=DECIDED - ran * DAY,
        ),
    )["spend_avoided_minor"]
    assert found >= 0
    assert budget is None or found <= max(0, budget - spent)
    assert ends is None or ends > 0 or found == 0


@pytest.mark.process
def test_the_query_sums_what_stands_in_the_minutes(migrated: Settings, clickhouse: Any) -> None:
    random, rows, campaign = Random(8), [], "after-decision"
    edges = [DECIDED + days * DAY + minutes * 60 for days in (-DAYS, 0, DAYS) for minutes in (-1, 0, 1)]
    for minute in {*edges, *(DECIDED + random.randrange(-14 * 1440, 14 * 1440) * 60 for _ in range(300))}:
        cost = random.choice([0, random.randrange(10**9)])
        rows.append((minute, cost, random.randrange(-(10**6), 10**9)))
    values = ", ".join(
        f"('live', 'minute', {number % 3}, '{campaign}', {minute // 60}, [1, 0, 0, 0, {cost}, {returned}, 0], 1)"
        for number, (minute, cost, returned) in enumerate(rows)
    )
    clickhouse.command(f"INSERT INTO roi.ledger (run, kind, shard, campaign_id, at, measures, version) VALUES {values}")
    definition = json.dumps({"budget_minor": 5_000, "ends_at": "2026-10-01T00:00:00+08:00"})
    clickhouse.command(
        f"INSERT INTO roi.campaign_log (campaign_id, definition, version) VALUES ('{campaign}', '{definition}', 1)"
    )
    asked = {"campaign": campaign, "decided": DECIDED, "days": DAYS}
    (found,) = Reader(migrated).rows(sql.query("after_decision", "roi"), asked)
    before = [row for row in rows if DECIDED - DAYS * DAY <= row[0] < DECIDED]
    after = [row for row in rows if DECIDED <= row[0] < DECIDED + DAYS * DAY]
    assert found == {
        "cost_before_minor": sum(row[1] for row in before),
        "return_before_minor": sum(row[2] for row in before),
        "cost_after_minor": sum(row[1] for row in after),
        "return_after_minor": sum(row[2] for row in after),
        "spent_minor": sum(row[1] for row in rows if row[0] < DECIDED),
        "first_cost": min(row[0] for row in rows if row[1]),
        "budget_minor": 5_000,
        "ends": 1_790_784_000,
        "newest": None,
    }
    for table in ("ledger", "campaign_log"):
        clickhouse.command(f"DELETE FROM roi.{table} WHERE campaign_id = '{campaign}'")


@pytest.mark.process
@pytest.mark.parametrize(
    ("ends_at", "ends"),
    [
        ("9999-12-31T23:59:59Z", 253_402_300_799),
        ("2106-02-07T06:28:16Z", 4_294_967_296),
        ("1969-01-01T00:00:00Z", -31_536_000),
        ("2026-10-01t00:00:00z", 1_790_812_800),
        ("2026-10-01T00:00:00.123456789012345678901Z", 1_790_812_800),
        ("2026-10-01T00:00:00+08:00", 1_790_784_000),
    ],
)
def test_any_end_that_a_definition_may_have_is_told(
    migrated: Settings, clickhouse: Any, ends_at: str, ends: int
) -> None:
    campaign = f"ends {ends_at}"
    most = 10**15  # what one event may cost; a week's sum is beyond 64 bits here
    values = ", ".join(
        f"('live', 'minute', {shard}, '{campaign}', {DECIDED // 60 - 1}, [1, 0, 0, 0, {9_000 * most}, {most}, 0], 1)"
        for shard in range(3)
    )
    clickhouse.command(f"INSERT INTO roi.ledger (run, kind, shard, campaign_id, at, measures, version) VALUES {values}")
    definition = json.dumps({"ends_at": ends_at})
    clickhouse.command(
        f"INSERT INTO roi.campaign_log (campaign_id, definition, version) VALUES ('{campaign}', '{definition}', 1)"
    )
    reader = Reader(migrated)
    asked = {"campaign": campaign, "decided": DECIDED, "days": DAYS}
    (found,) = reader.rows(sql.query("after_decision", "roi"), asked)
    assert (found["ends"], found["cost_before_minor"], found["spent_minor"]) == (ends, 27_000 * most, 27_000 * most)
    bodies = {"change": CHANGE, "alert": {"as_of": instant_text((DECIDED + 8 * DAY) * 1000)}}
    for kind, body in bodies.items():
        clickhouse.command(
            "INSERT INTO roi.alert_log (kind, id, alert_id, campaign_id, at, body, version) "
            f"VALUES ('{kind}', '{campaign}', '{campaign}', '{campaign}', now64(3), '{json.dumps(body)}', 1)"
        )
    (row,) = reader.rows(
        "SELECT cost_before_minor, spend_avoided_minor FROM roi.decision_outcomes WHERE campaign_id = {name:String}",
        {"name": campaign},
    )
    expected = after_decision("stop", DECIDED, Around(**(found | {"newest": DECIDED + 8 * DAY})))
    assert row == {"cost_before_minor": 27_000 * most, "spend_avoided_minor": expected["spend_avoided_minor"]}
    for table in ("ledger", "campaign_log", "alert_log"):
        clickhouse.command(f"DELETE FROM roi.{table} WHERE campaign_id = '{campaign}'")
