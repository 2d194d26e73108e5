"""Finished campaigns, from the ledger and from an export of the same credits."""

from __future__ import annotations

import gzip
from collections import defaultdict
from dataclasses import fields
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.alerts.facts import LedgerFacts, statistics
from pipeline.alerts.finished import FinishedFacts, finished_of
from pipeline.alerts.live import LiveFacts
from pipeline.alerts.statistics import HOUR_MS
from pipeline.alerts.warehouse import read_warehouse
from pipeline.errors import UserError
from tests.alerts.exporting import export_of, ndjson
from tests.alerts.facts_support import POLICY, plans_of
from tests.alerts.stepping import Stepper
from tests.oracle.as_of import judged_by
from tests.oracle.building import Ledger, moment
from tests.oracle.config import DAY_MS, OracleConfig
from tests.oracle.credits import Catalogue, all_credits
from tests.oracle.reversals import name_of
from tests.oracle.verdicts import judge
from tests.support.core_player import CorePlayer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipeline.alerts.assembly import CampaignFacts
    from pipeline.alerts.statistics import FinishedCampaign
    from tests.oracle.verdicts import Judged

END = moment("2026-04-20 00:00")
CONFIG = OracleConfig()


def story(seed: int) -> Ledger:
    """Return two campaigns of March, one that still runs, and reversals of some conversions, in part or altogether."""
    random = Random(seed)
    ledger = Ledger()
    for name in ("done", "late", "runs"):
        ledger.campaign(name, margins_bps={"deposit": 5_000}, product="cards" if name == "done" else None)
    events: list[tuple[str, Any]] = []
    for number in range(150):
        name = ("done", "late", "runs")[number % 3]
        day, hour = random.randint(1, 20 if name != "runs" else 31), random.randint(0, 23)
        touched = f"2026-03-{day:02} {hour:02}:{random.randint(0, 59):02}"
        who = f"c{random.randint(0, 40)}-{name}"
        events.append((touched, ("touch", number, name, who)))
        if random.random() < 0.7:
            paid = _after(touched, random.randint(0, 6 * 1440))
            events.append((paid, ("pay", number, name, who)))
            if random.random() < 0.3:
                events.append((_after(paid, random.randint(1, 9 * 1440)), ("reverse", number, name, who)))
    for day in range(2, 22):
        events += [(f"2026-03-{day:02} 00:00", ("cost", day, name, "")) for name in ("done", "late", "runs")]
    for at, (kind, number, name, who) in sorted(events):
        if kind == "touch":
            ledger.touch(f"t{number}", at, campaign=name, customer_id=who, cost_minor=7)
        elif kind == "pay":
            ledger.pay(f"x{number}", at, 1_000 + number, customer_id=who)
        elif kind == "reverse":
            amount = (1_000 + number) if number % 2 else 400
            ledger.pay(f"r{number}", at, amount, customer_id=who, reverses=f"x{number}")
        else:
            ledger.cost(f"k{number}-{name}", at, 900, campaign=name)
    ledger.touch("newest", "2026-04-19 12:00", campaign="runs", customer_id="z", cost_minor=7)
    ledger.pay("last", "2026-04-20 12:00", customer_id="z")
    return ledger


def _after(at: str, minutes: int) -> str:
    instant = moment(at) + minutes * 60_000
    return datetime.fromtimestamp(instant / 1000 + 8 * 3600, UTC).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize("seed", range(3))
def test_finished_campaigns_are_those_of_a_batch(clickhouse: Any, run_name: str, seed: int) -> None:
    log = story(seed).log
    CorePlayer(clickhouse, "roi", run_name, POLICY, log).play(Random(seed), crashes=2, tidy=False)
    port = LedgerFacts(clickhouse, "roi", run_name)
    plans = plans_of(log)
    found = FinishedFacts(port, POLICY).refresh(plans, END)
    judged = judged_by(judge(log, CONFIG), END)
    assert [one.campaign_id for one in found] == ["done", "late"]
    assert [one.product for one in found] == ["cards", "deposit"]
    for one in found:
        _assert_taught(one, judged)
    kept = FinishedFacts(port, POLICY)
    first = kept.refresh(plans, END)
    assert [a is b for a, b in zip(kept.refresh(plans, END + DAY_MS), first, strict=True)] == [True, True]
    assert FinishedFacts(port, POLICY).refresh(plans, moment("2026-03-22 00:00")) == []


def test_a_finished_campaign_that_makes_the_program_fail_teaches_nothing_until_it_does_not(
    clickhouse: Any, run_name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    log = story(1).log
    CorePlayer(clickhouse, "roi", run_name, POLICY, log).play(Random(1), tidy=False)
    port, plans = LedgerFacts(clickhouse, "roi", run_name), plans_of(log)
    whole = FinishedFacts(port, POLICY).refresh(plans, END)
    odd: set[str] = {"done"}

    def finished_of_odd(facts: Sequence[CampaignFacts], *given: Any) -> list[FinishedCampaign]:
        if odd.intersection(one.plan.campaign_id for one in facts):
            raise OverflowError("of customer anna")
        return finished_of(facts, *given)

    monkeypatch.setattr("pipeline.alerts.finished.finished_of", finished_of_odd)
    kept = FinishedFacts(port, POLICY)
    for _ in range(2):
        assert [one.campaign_id for one in kept.refresh(plans, END)] == ["late"]
    assert len(caplog.records) == 1
    assert "campaign done teaches nothing, the others do: OverflowError" in caplog.text
    assert "anna" not in caplog.text
    odd.clear()
    assert [one.campaign_id for one in kept.refresh(plans, END)] == ["done", "late"]
    odd.add("done")
    assert [one.campaign_id for one in kept.refresh(plans, END, {"done"})] == ["late"], "what it taught is out of date"
    odd.clear()
    found = kept.refresh(plans, END)
    assert all(one.teaches_the_same(other) for one, other in zip(found, whole, strict=True))


def test_what_comes_later_to_a_finished_campaign_changes_what_it_teaches(clickhouse: Any, run_name: str) -> None:
    ledger = story(1)
    ledger.touch("a-late-one", "2026-03-20 23:00", campaign="done", customer_id="z", cost_minor=7)
    for day in range(1, 19):
        ledger.cost(f"later-{day}", f"2026-04-{day:02} 00:00", 50_000, campaign="late")
        ledger.pay(f"other-{day}", f"2026-04-{day:02} 12:00", customer_id="z")
    stepper = Stepper(clickhouse, run_name, ledger.log, 1)
    port = LedgerFacts(clickhouse, "roi", run_name)
    live, kept = LiveFacts(port, POLICY), FinishedFacts(port, POLICY, fewest=1)
    found: list[FinishedCampaign] = []
    again = 0
    more = True
    while more:
        more = stepper.step(2)
        changed = live.refresh(budget_seconds=np.inf).changed
        if live.as_of_ms is None:
            continue
        before = {id(one): one.campaign_id for one in found}
        found = kept.refresh(live.plans, live.as_of_ms, changed)
        whole = FinishedFacts(port, POLICY, fewest=1).refresh(live.plans, live.as_of_ms)
        assert [one.campaign_id for one in found] == [one.campaign_id for one in whole]
        assert all(one.teaches_the_same(other) for one, other in zip(found, whole, strict=True))
        names = [one.campaign_id for one in found if id(one) not in before]
        again += len(set(names).intersection(before.values()))
    assert again, "nothing came later"


def _assert_taught(one: FinishedCampaign, judged: Judged) -> None:
    catalogue = Catalogue(judged.campaigns, CONFIG)
    touches = [touch for touch in judged.touches if touch.campaign_id == one.campaign_id]
    credits_now = [each for each in all_credits(judged, catalogue, CONFIG) if each.touch.campaign_id == one.campaign_id]
    judged = type(judged)(**{each.name: getattr(judged, each.name) for each in fields(judged)})
    reversals, judged.reversals = judged.reversals, {}
    booked = [each for each in all_credits(judged, catalogue, CONFIG) if each.touch.campaign_id == one.campaign_id]
    totals: dict[str, int] = defaultdict(int)
    for credit in credits_now:
        totals[credit.transaction.customer_id] += credit.return_minor
    assert sorted(one.totals) == [one.product]
    assert one.totals[one.product].tolist() == sorted(total for total in totals.values() if total > 0)
    lags = sorted((each.transaction.occurred_at - each.touch.occurred_at) / HOUR_MS for each in booked)
    assert np.allclose(sorted(one.lags), lags)
    gone = [
        (max(r.occurred_at for r in reversals[name_of(each.transaction)]) - each.transaction.occurred_at) / HOUR_MS
        for each in booked
        if sum(r.amount_minor for r in reversals.get(name_of(each.transaction), ())) >= each.transaction.amount_minor
    ]
    assert np.allclose(one.reversal_hours, sorted(gone))
    days = [(touch.occurred_at + 8 * HOUR_MS) // DAY_MS for touch in touches]
    assert one.touches.tolist() == [days.count(day) for day in range(min(days), max(days) + 1)]
    assert one.first_weekday == (min(days) + 3) % 7
    assert one.converters.sum() == len({each.transaction.customer_id for each in booked})
    cost = sum(touch.cost_minor for touch in touches)
    cost += sum(each.amount_minor for each in judged.costs if each.campaign_id == one.campaign_id)
    assert one.settled_ratio == sum(each.return_minor for each in credits_now) / cost


def _parquet(path: Path, rows: list[dict[str, Any]]) -> Path:
    for row in rows:
        row |= {name: datetime.fromisoformat(row[name]) for name in row if name == "at" or name.endswith("_at")}
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


@pytest.mark.parametrize("form", ["plain", "gzip", "parquet"])
def test_an_export_teaches_what_the_ledger_teaches(clickhouse: Any, run_name: str, tmp_path: Path, form: str) -> None:
    log = story(7).log
    CorePlayer(clickhouse, "roi", run_name, POLICY, log).play(Random(1), tidy=False)
    port, plans = LedgerFacts(clickhouse, "roi", run_name), plans_of(log)
    costs, credits_then = export_of(judge(log, CONFIG), {"done": "cards"})
    files = tmp_path / "costs", tmp_path / "credits"
    for file, rows in zip(files, (costs, credits_then), strict=True):
        if form == "parquet":
            _parquet(file, rows)
        else:
            file.write_bytes(gzip.compress(ndjson(rows)) if form == "gzip" else ndjson(rows))
    warehouse = read_warehouse(*files, POLICY)
    assert [one.campaign_id for one in warehouse.finished(END)] == ["done", "late"]
    for one, other in zip(warehouse.finished(END), FinishedFacts(port, POLICY).refresh(plans, END), strict=True):
        for name in ("product", "window_hours", "first_weekday", "settled_ratio"):
            assert getattr(one, name) == getattr(other, name)
        for name in ("converters", "reversal_hours"):
            assert np.array_equal(getattr(one, name), getattr(other, name))
        assert np.allclose(np.sort(one.lags), np.sort(other.lags))
        assert {name: totals.tolist() for name, totals in one.totals.items()} == {
            name: totals.tolist() for name, totals in other.totals.items()
        }
    names = ["done", "late", "runs"]
    for instant in (moment("2026-03-12 13:14"), END):
        mine = warehouse.statistics(names, instant)
        whole = statistics(port, [plans[name] for name in names], instant, POLICY)
        for name in ("sums", "squares", "lags", "arrivals", "largest", "return_all", "cost_total", "reversed"):
            if name in {"return_all", "cost_total"} or whole.booked_share.min() == 1:
                assert np.array_equal(getattr(mine, name), getattr(whole, name)), name


GOOD_COST = {"campaign_id": "a", "product": "p", "at": "2026-03-01T00:00:00Z", "cost_minor": 5}
GOOD_CREDIT = {
    "campaign_id": "a",
    "customer": "c",
    "touched_at": "2026-03-01T00:00:00Z",
    "converted_at": "2026-03-02T00:00:00Z",
    "return_minor": 9,
}


@pytest.mark.parametrize(
    ("cost", "credit", "words"),
    [
        ({"cost_minor": 1.5}, {}, "costs:2: cost_minor == 1.5"),
        ({"at": "yesterday"}, {}, "costs:2: at must be an RFC 3339"),
        ({"product": "q"}, {}, "costs:2: campaign a has product 'q', in line 1 'p'"),
        ({}, {"campaign_id": "b"}, "credits:2: campaign b has no line in"),
        ({}, {"customer": ""}, "credits:2: customer must be a text"),
        ({}, {"converted_at": "2026-02-01T00:00:00Z"}, "credits:2: converted_at is before"),
        ({}, {"return_minor": -10}, "credits:2: a reversal of 10 without"),
        ({}, {"return_minor": -5, "touched_at": "2026-03-01T00:00:01Z"}, "credits:2: a reversal of 5 without"),
    ],
)
def test_a_bad_line_is_named_with_its_place(
    tmp_path: Path, cost: dict[str, Any], credit: dict[str, Any], words: str
) -> None:
    (tmp_path / "costs").write_bytes(ndjson([GOOD_COST, GOOD_COST | cost]))
    (tmp_path / "credits").write_bytes(ndjson([GOOD_CREDIT, GOOD_CREDIT | credit]))
    with pytest.raises(UserError) as caught:
        read_warehouse(tmp_path / "costs", tmp_path / "credits", POLICY)
    assert words in caught.value.cause


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"{}\nno", "costs:1: campaign_id is missing"),
        (b"\xff\n", "costs:1: not a JSON"),
        (b'\n{"at": ' + b"[" * 60_000, "costs:2: nested too deeply to be a line"),
        (b"PAR1x", "no Parquet"),
    ],
)
def test_a_file_that_is_none_of_the_forms_is_refused(tmp_path: Path, data: bytes, words: str) -> None:
    (tmp_path / "costs").write_bytes(data)
    (tmp_path / "credits").write_bytes(b"")
    with pytest.raises(UserError) as caught:
        read_warehouse(tmp_path / "costs", tmp_path / "credits", POLICY)
    assert words in caught.value.cause


@pytest.mark.parametrize(
    ("column", "values", "words"),
    [
        ("campaign_id", pa.array([b"\xff\xfe"], pa.binary()).view(pa.string()), "can't decode byte 0xff"),
        ("at", pa.array([0], pa.timestamp("us", "Mars/Olympus")), "has times of an unknown zone ('Mars/Olympus')"),
        ("at", pa.array([2**62], pa.timestamp("us")), "date value out of range"),
        ("cost_minor", ["x" * 60_000], "costs:1: cost_minor == 'xxxxxxxxxxxx...xxxxxxxxxxxxx', must be a whole"),
    ],
)
def test_a_value_of_parquet_that_python_cannot_hold_is_one_line(
    tmp_path: Path, column: str, values: Any, words: str
) -> None:
    pq.write_table(
        pa.table({name: [value] for name, value in GOOD_COST.items()} | {column: values}), tmp_path / "costs"
    )
    (tmp_path / "credits").write_bytes(b"")
    with pytest.raises(UserError) as caught:
        read_warehouse(tmp_path / "costs", tmp_path / "credits", POLICY)
    assert words in caught.value.cause
    assert str(tmp_path / "costs") in caught.value.cause
    assert caught.value.remedy
