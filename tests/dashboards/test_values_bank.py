"""Board Bank figures: its rows are the oracle's figures, laid beside the period before and the plan."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from dashboards.registry import PANELS
from schemas.topics import TRANSACTIONS
from tests.figures import expected_bank, expected_campaigns
from tests.figures.expected_budgets import largest_watermark
from tests.figures.periods import KINDS, after, start_of
from tests.figures.test_figures_against_oracle import facts_of, play, policy
from tests.oracle.building import Ledger, moment
from tests.oracle.corruptions import encoded
from tests.oracle.generators import random_log
from tests.oracle.log import Record
from tests.oracle.story import Shape
from tests.support.core_player import CorePlayer
from tests.support.depth import depth

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.dashboards.conftest import Board
    from tests.oracle.facts import Facts

Row = dict[str, Any]
Table = dict[tuple[str, date], Row]
SHAPE = Shape(customers=10, span_days=200, bad_share=0.02, weights=(3, 10, 8, 2))
HOSTILE = "<img src=x onerror=alert(1)>' OR 1=1 -- \\"
BANK = [name for name in PANELS if name.startswith("bank-")]
# numbers that grow while a period runs, and are not compared until it is over
GROWING = {
    "transactions", "amount_minor", "payments", "payments_amount_minor", "wealth_purchases", "wealth_amount_minor",
    "high_value_covered", "high_value_coverage", "long_tail_activated", "long_tail_activation_rate", "new_customers",
    "cost_minor", "aum_minor", "reached", "automated_only", "recommended_sends", "other_sends",
}  # fmt: skip
DAY_MS = 86_400_000


@dataclass
class Bank:
    """A run with what the oracle says of it."""

    run: str
    facts: Facts
    today: date

    def tables(self) -> dict[str, Table]:
        """Return the figures of each panel, by period."""
        facts = self.facts
        transactions = by_period(expected_bank.transaction_figures(facts))
        return {
            "bank-transactions": transactions,
            "bank-payments": transactions,
            "bank-customers": by_period(expected_bank.customer_figures(facts)),
            "bank-new-customers": by_period(whole_bank(expected_campaigns.campaign_new_customers(facts))),
            "bank-aum": aum(whole_bank(expected_campaigns.campaign_aum_costs(facts))),
            "bank-touches": touches(facts),
        }


def key(row: Row) -> tuple[str, date]:
    return row["period_kind"], date.fromisoformat(row["period_start"])


def by_period(rows: Iterable[Row]) -> Table:
    return {key(row): row for row in rows}


def whole_bank(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if not row["campaign_id"]]


def aum(rows: Iterable[Row]) -> Table:
    found: Table = {}
    for row in rows:
        own = found.setdefault(
            key(row),
            {
                "aum_minor": 0,
                "cost_minor": 0,
                "cost_per_10k_aum_minor": None,
                "online_cost_per_10k_aum_minor": None,
                "counter_cost_per_10k_aum_minor": None,
            },
        )
        if row["channel_class"] == "all":
            own |= {name: row[name] for name in ("aum_minor", "cost_minor", "cost_per_10k_aum_minor")}
        else:
            own[f"{row['channel_class']}_cost_per_10k_aum_minor"] = row["cost_per_10k_aum_minor"]
    return found


def touches(facts: Facts) -> Table:
    found = by_period(whole_bank(expected_campaigns.campaign_automation(facts)))
    for row in found.values():
        for part in ("recommended", "other"):
            row |= {f"{part}_sends": 0, f"{part}_click_rate": None}
    for row in whole_bank(expected_campaigns.campaign_recommendations(facts)):
        part = "recommended" if row["recommended"] else "other"
        found[key(row)] |= {f"{part}_sends": row["sends"], f"{part}_click_rate": row["customer_click_through_rate"]}
    return found


def title(kind: str, start: date) -> str:
    if kind == "month":
        return f"{start:%Y-%m}"
    return f"{start.year} Q{(start.month + 2) // 3}" if kind == "quarter" else str(start.year)


def elapsed(kind: str, start: date, today: date) -> float:
    days = (after(kind, start) - start).days
    return min(1.0, max(0.0, (today - start).days / days))


def before(kind: str, start: date) -> date:
    return start_of(kind, start - timedelta(days=1))


def rows_of(table: Table, names: list[str], bank: Bank, first: date, last: date) -> list[Row]:
    """Return what a panel shows of a table: columns `names`, each with that of the period before where it has one."""
    found = []
    shown = [(kind, start) for kind, start in table if start <= last and after(kind, start) > first]
    for kind, start in sorted(shown, key=lambda one: (KINDS.index(one[0]), -one[1].toordinal())):
        share = elapsed(kind, start, bank.today)
        former = table.get((kind, before(kind, start)))
        row: Row = {"period": title(kind, start), "elapsed_share": share}
        for name in names:
            base = name.removesuffix("_before")
            if name == base:
                row[name] = table[kind, start][name]
            else:
                row[name] = None if former is None or (share < 1 and base in GROWING) else former[base]
        found.append(row)
    return found


def as_of_now(found: list[Row]) -> list[Row]:
    """Return rows without the time of their counting: a small ledger is counted at the question."""
    assert [row["counted_at"] for row in found] == [None] * len(found)
    return [{name: value for name, value in row.items() if name != "counted_at"} for row in found]


def differences(found: list[Row], wanted: list[Row]) -> list[str]:
    assert [row["period"] for row in found] == [row["period"] for row in wanted]
    return [
        f"{row['period']} {name}: {value} is not {target[name]}"
        for row, target in zip(found, wanted, strict=True)
        for name, value in row.items()
        if value != (pytest.approx(target[name], rel=1e-9) if isinstance(target[name], float) else target[name])
    ]


def instant_ms(day: date) -> int:
    return round((datetime(day.year, day.month, day.day, 4, tzinfo=UTC)).timestamp() * 1000)


@pytest.fixture(scope="module", params=range(depth(3)))
def bank(request: pytest.FixtureRequest, clickhouse: Any) -> Bank:
    run = f"bank-{request.param}"
    log = random_log(1_200 + request.param, 450, shape=SHAPE)
    play(clickhouse, run, log, request.param)
    facts = facts_of(log, run)
    as_of = largest_watermark(log, facts)
    assert as_of is not None
    return Bank(run, facts, (as_of + timedelta(hours=8)).date())


def spans(bank: Bank) -> list[tuple[date, date]]:
    days = sorted(start for kind, start in by_period(expected_bank.transaction_figures(bank.facts)) if kind == "month")
    return [(days[0], days[-1]), (days[len(days) // 2], days[len(days) // 2]), (bank.today, bank.today)]


@pytest.mark.parametrize(
    "panel", ["bank-transactions", "bank-payments", "bank-customers", "bank-new-customers", "bank-aum", "bank-touches"]
)
def test_every_period_and_the_one_before(board: Board, bank: Bank, panel: str) -> None:
    names = [column.name for column in PANELS[panel].columns[2:] if column.role != "counted"]
    for first, last in spans(bank):
        found = board.show(panel, instant_ms(first), instant_ms(last) + 1, run=bank.run)
        assert differences(as_of_now(found), rows_of(bank.tables()[panel], names, bank, first, last)) == []


def test_the_headline_is_the_newest_month_that_is_over(board: Board, bank: Bank) -> None:
    names = [column.name for column in PANELS["bank-headline"].columns[2:] if column.role != "counted"]
    table = {one: row for one, row in bank.tables()["bank-transactions"].items() if one[0] == "month"}
    for first, last in spans(bank):
        rows = rows_of(table, names, bank, first, last)
        wanted = ([row for row in rows if row["elapsed_share"] == 1] or rows)[:1]
        found = board.show("bank-headline", instant_ms(first), instant_ms(last) + 1, run=bank.run)
        assert differences(as_of_now(found), wanted) == []


@pytest.mark.parametrize(
    ("panel", "expected", "order"),
    [
        ("bank-channels", expected_bank.channel_mix, ("transactions", "channel")),
        ("bank-aum-tiers", expected_campaigns.campaign_aum, ("aum_minor", "tier")),
    ],
)
def test_parts_of_the_newest_month(board: Board, bank: Bank, panel: str, expected: Any, order: tuple[str, str]) -> None:
    names = [column.name for column in PANELS[panel].columns[1:] if column.role != "counted"]
    for first, last in spans(bank):
        months = [row for row in expected(bank.facts) if row["period_kind"] == "month" and not row.get("campaign_id")]
        shown = [row for row in months if key(row)[1] <= last and after("month", key(row)[1]) > first]
        newest = max((key(row)[1] for row in shown), default=None)
        wanted = [
            {"period": f"{newest:%Y-%m}"} | {name: row[name] for name in names}
            for row in shown
            if key(row)[1] == newest
        ]
        wanted.sort(key=lambda row: (-row[order[0]], row[order[1]]))
        found = board.show(panel, instant_ms(first), instant_ms(last) + 1, run=bank.run)
        assert differences(as_of_now(found), wanted) == []


@pytest.fixture(scope="module")
def running_month(clickhouse: Any) -> str:
    """A run that stands in the middle of March, with a sum beyond 64 bits in February."""
    ledger = Ledger()
    for number in range(10_000):
        ledger.records.append(_largest(number))
    ledger.records.append(_largest(10_000, kind="payment", amount_minor=50, occurred_at="2026-03-11T12:00:00+08:00"))
    player = CorePlayer(clickhouse, "roi", "bank-running", policy(), ledger.log)
    player.play(Random(1), most=100_000)
    return "bank-running"


def _largest(number: int, **other: Any) -> Record:
    body = {
        "event_id": f"p{number}",
        "customer_id": "ann",
        "kind": "deposit",
        "amount_minor": 10**15,
        "channel": "branch" if number < 10_000 else "app",
        "scenario": None if number < 10_000 else "fuel",
        "occurred_at": "2026-02-20T12:00:00+08:00",
    }
    return Record(TRANSACTIONS, 0, number, b"ann", encoded(body | other))


def test_a_running_month_is_not_held_against_a_full_one(board: Board, running_month: str) -> None:
    from_ms, to_ms = moment("2026-02-01 00:00"), moment("2026-03-31 00:00")
    march, february, *_ = board.show("bank-transactions", from_ms, to_ms, run=running_month)
    assert (march["period"], march["elapsed_share"]) == ("2026-03", pytest.approx(10 / 31))
    assert (march["transactions"], march["transactions_before"]) == (1, None)
    assert (march["online_share"], march["online_share_before"]) == (1, 0)
    assert (february["amount_minor"], february["elapsed_share"]) == (10**19, 1)
    assert february["transactions_before"] is None
    payments = board.show("bank-payments", from_ms, to_ms, run=running_month)
    assert payments[1]["cross_bank_share"] is None, "no payments in February: no share"


@pytest.fixture
def planned(clickhouse: Any) -> Iterator[None]:
    plans = [
        ("transactions", "month", date(2026, 3, 1), 4),
        ("transactions", "month", date(2026, 2, 1), None),
        ("amount_minor", "quarter", date(2026, 1, 1), 2 * 10**19),
        ("scenario_share", "month", date(2026, 3, 1), 0.5),
        ("payments", "month", date(2026, 3, 1), 0),
        ("nothing_known", "month", date(2026, 3, 1), 7),
        (HOSTILE, "year", date(2026, 1, 1), 7),
    ]
    columns = ["figure", "period_kind", "period_start", "target"]
    clickhouse.insert("roi.figure_plans", [["transactions", "month", date(2026, 3, 1), 9]], columns)
    clickhouse.insert("roi.figure_plans", plans, columns)
    yield
    clickhouse.command("TRUNCATE TABLE roi.figure_plans")


@pytest.mark.usefixtures("planned")
def test_a_plan_stands_beside_the_actual_figure(board: Board, running_month: str) -> None:
    found = board.show("bank-plans", moment("2026-01-01 00:00"), moment("2026-12-31 00:00"), run=running_month)
    told = {(row["figure"], row["period"]): row for row in found}
    assert set(told) == {
        ("transactions", "2026-03"),
        ("amount_minor", "2026 Q1"),
        ("scenario_share", "2026-03"),
        ("payments", "2026-03"),
    }
    march = told["transactions", "2026-03"]
    assert (march["number"], march["number_target"], march["attained_share"]) == (1, 4, 0.25)
    assert march["pace"] == pytest.approx(0.25 / (10 / 31))
    amount = told["amount_minor", "2026 Q1"]
    assert (amount["amount_minor"], amount["amount_target_minor"]) == (10**19 + 50, 2 * 10**19)
    share = told["scenario_share", "2026-03"]
    assert (share["share"], share["share_target"], share["attained_share"], share["pace"]) == (1, 0.5, 2, None)
    assert told["payments", "2026-03"]["attained_share"] is None, "a plan of 0 has no share"


@pytest.mark.usefixtures("planned")
@pytest.mark.parametrize("panel", BANK)
def test_nothing_is_shown_of_what_is_not_there(board: Board, bank: Bank, panel: str) -> None:
    assert board.show(panel, 0, 4 * 10**12, run=HOSTILE) == []
    assert board.show(panel, 0, DAY_MS, run=bank.run) == []
