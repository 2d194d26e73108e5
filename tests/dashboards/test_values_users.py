"""Board Active users: its numbers are those that the contract's own counting of the events gives."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from statistics import fmean
from typing import TYPE_CHECKING, Any

import pytest

from tests.figures.expected_budgets import largest_watermark
from tests.figures.test_figures_against_oracle import facts_of, play
from tests.oracle.activity_views import active_users
from tests.oracle.building import Ledger
from tests.oracle.campaign_views import ratio
from tests.oracle.generators import random_log
from tests.oracle.story import START_MS, Shape
from tests.support.depth import depth

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.dashboards.conftest import Board

DAY_MS = 86_400_000
SHAPE = Shape(customers=14, span_days=200, weights=(12, 4, 3, 1))
HOSTILE = "<img src=x onerror=alert(1)>' OR 1=1 -- \\"
PANELS = ("users-headline", "users-by-day", "users-stickiness", "users-mau-by-tier", "users-reactivated", "users-tiers")
Days = dict[date, dict[str, Any]]


class Expected:
    """Active users by the oracle, and what the board makes of them."""

    def __init__(self, client: Any, run: str, seed: int) -> None:
        log = random_log(seed, 500, shape=SHAPE)
        play(client, run, log, seed)
        facts = facts_of(log, run)
        self.rows = active_users(facts)
        as_of = largest_watermark(log, facts)
        assert as_of is not None
        self.today = (as_of + timedelta(hours=8)).date()

    def days(self, tiers: Sequence[str]) -> Days:
        found: Days = {}
        for row in self.rows:
            if row["tier"] in (tiers or ("",)):
                own = found.setdefault(date.fromisoformat(row["day"]), dict.fromkeys(MEASURES, 0))
                for name in MEASURES:
                    own[name] += row[name]
        return found


MEASURES = ("dau", "wau", "mau", "mau_gross", "reactivated")


def shanghai(instant_ms: int) -> date:
    return (datetime.fromtimestamp(instant_ms / 1000, UTC) + timedelta(hours=8)).date()


def mean(values: Iterable[float]) -> float | None:
    listed = list(values)
    return fmean(listed) if listed else None


def headline(days: Days, first: date, last: date, today: date) -> dict[str, Any] | None:
    shown = [day for day in days if first <= day <= last]
    if not shown:
        return None
    newest = max([day for day in shown if day < today] or shown)
    length = (newest - first).days + 1
    known = min(days) <= first - timedelta(days=length)

    def numbers(begin: date, end: date) -> dict[str, Any]:
        inside = [own for day, own in days.items() if begin <= day <= end]
        own = days.get(end, dict.fromkeys(MEASURES))
        gross, mau = own["mau_gross"], own["mau"]
        zombies = None if gross is None else gross - mau
        return {
            "dau_mean": mean(each["dau"] for each in inside),
            "wau": own["wau"],
            "mau": mau,
            "mau_gross": gross,
            "zombies": zombies,
            "zombie_share": None if zombies is None else ratio(zombies, gross),
            "stickiness_mean": mean(each["dau"] / each["mau"] for each in inside if each["mau"]),
            "reactivated": sum(each["reactivated"] for each in inside) if inside else None,
        }

    now = numbers(first, newest)
    before = numbers(first - timedelta(days=length), first - timedelta(days=1)) if known else dict.fromkeys(now)
    found: dict[str, Any] = {"day": newest.isoformat()}
    for name, value in now.items():
        found |= {name: value, f"{name}_before": before[name]}
    unfinished = [own["dau"] for day, own in days.items() if day in shown and day >= today]
    return found | {"dau_so_far": unfinished[0] if unfinished else None}


def same(found: Any, expected: Any) -> bool:
    return bool(found == (pytest.approx(expected, rel=1e-12) if isinstance(expected, float) else expected))


def differences(found: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    return [f"{name}: {found[name]} is not {expected[name]}" for name in found if not same(found[name], expected[name])]


RANGES = ((-40, -10), (-300, 0), (-30, 0), (-7, 0), (-1, 0), (-20, -20.2), (5, 10))


@pytest.fixture(scope="module", params=range(depth(3)))
def expected(request: pytest.FixtureRequest, clickhouse: Any) -> tuple[str, Expected]:
    run = f"users-{request.param}"
    return run, Expected(clickhouse, run, 900 + request.param)


def spans(expected: Expected) -> list[tuple[int, int]]:
    """Return ranges around the last day with a login and the run's last day, which may be far apart."""
    last = date.fromisoformat(expected.rows[-1]["day"])
    noons = [round(datetime.combine(day, time(4), UTC).timestamp() * 1000) for day in (last, expected.today)]
    return [(end + a * DAY_MS, end + round(max(a + 0.1, b) * DAY_MS)) for end in noons for a, b in RANGES]


@pytest.mark.parametrize("tiers", [(), ("growth",), ("growth", "potential", HOSTILE)])
def test_headline_and_its_change(board: Board, expected: tuple[str, Expected], tiers: Sequence[str]) -> None:
    run, oracle = expected
    days = oracle.days(tiers)
    for from_ms, to_ms in spans(oracle):
        found = board.show("users-headline", from_ms, to_ms, run=run, tier=tiers)
        wanted = headline(days, shanghai(from_ms), shanghai(to_ms), oracle.today)
        assert len(found) == (wanted is not None)
        if wanted is not None:
            assert differences(found[0], wanted) == []


def test_lines_by_day(board: Board, expected: tuple[str, Expected]) -> None:
    run, oracle = expected
    for tiers in ((), ("growth",), ("growth", HOSTILE)):
        days = oracle.days(tiers)
        for from_ms, to_ms in spans(oracle):
            chosen = [day for day in sorted(days) if shanghai(from_ms) <= day <= shanghai(to_ms)]
            asked: dict[str, Any] = {"run": run, "tier": tiers}
            assert board.show("users-by-day", from_ms, to_ms, **asked) == [
                {"day": day.isoformat()}
                | {name: days[day][name] for name in ("dau", "wau", "mau", "mau_gross")}
                | ({} if day < oracle.today else {"dau": None})
                for day in chosen
            ]
            shares = board.show("users-stickiness", from_ms, to_ms, **asked)
            over = [(day, days[day]) for day in chosen if day < oracle.today]
            assert [row["day"] for row in shares] == [day.isoformat() for day, _ in over]
            for row, (_, own) in zip(shares, over, strict=True):
                assert row["stickiness"] == pytest.approx(ratio(own["dau"], own["mau"]))
                assert row["zombie_share"] == pytest.approx(ratio(own["mau_gross"] - own["mau"], own["mau_gross"]))
            assert board.show("users-reactivated", from_ms, to_ms, **asked) == [
                {"day": day.isoformat(), "reactivated": days[day]["reactivated"]} for day in chosen
            ]


def test_tiers_stand_alone_and_add_up(board: Board, expected: tuple[str, Expected]) -> None:
    run, oracle = expected
    for from_ms, to_ms in spans(oracle):
        first, last = shanghai(from_ms), shanghai(to_ms)
        found = board.show("users-tiers", from_ms, to_ms, run=run)
        lines = board.show("users-mau-by-tier", from_ms, to_ms, run=run)
        for row in found:
            wanted = headline(oracle.days((row.pop("tier"),)), first, last, oracle.today)
            assert wanted is not None
            assert differences(row, wanted) == []
        total = headline(oracle.days(()), first, last, oracle.today)
        assert sum(row["mau"] for row in found) == (0 if total is None else total["mau"])
        assert lines == [
            {"day": row["day"], "tier": row["tier"], "mau": row["mau"]}
            for row in oracle.rows
            if row["tier"] and first <= date.fromisoformat(row["day"]) <= last
        ]


def test_the_day_that_is_not_over_is_told_apart(board: Board, clickhouse: Any, run_name: str) -> None:
    ledger = Ledger()
    for number, day in enumerate(("01", "01", "02", "03")):
        ledger.login(f"2026-03-{day} 10:0{number}", customer_id=f"c{number}")
    play(clickhouse, run_name, ledger.log, 1)
    from_ms, to_ms = (round(datetime(2026, 3, day, 4, tzinfo=UTC).timestamp() * 1000) for day in (1, 3))
    (found,) = board.show("users-headline", from_ms, to_ms, run=run_name)
    assert (found["day"], found["dau_mean"], found["mau"], found["dau_so_far"]) == ("2026-03-02", 1.5, 3, 1)
    assert (found["dau_mean_before"], found["mau_before"]) == (None, None)
    assert [row["dau"] for row in board.show("users-by-day", from_ms, to_ms, run=run_name)] == [2, 1, None]


@pytest.mark.parametrize("panel", PANELS)
def test_nothing_is_shown_of_what_is_not_there(board: Board, expected: tuple[str, Expected], panel: str) -> None:
    run, _ = expected
    for choice in ({"run": HOSTILE}, {"run": run, "tier": [HOSTILE]}):
        assert board.show(panel, START_MS, START_MS + 900 * DAY_MS, **choice) == []
    assert board.show(panel, 0, DAY_MS, run=run) == []
