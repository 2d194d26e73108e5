from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import peering
from bench.figures import Throughput
from bench.measuring import Measuring
from bench.options import parse
from bench.peer_figures import Outcome, peer_rows
from bench.peers.collecting import Collector
from bench.peers.job import DAY_MS, Kept, add_spend, decode, decode_spend, key_of, lane_of, pack, take, unpack
from bench.peers.report import Task
from bench.peers.truth import MEASURES, Numbers, differences, numbers_from, numbers_of, spend_of, verdict
from bench.results import Results
from pipeline.errors import UserError
from pipeline.settings import Settings
from pipeline.simulation.mixes import MixOptions, mix_events

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.peers.job import Event

SMALL = MixOptions("B", 3_000, customers=200, span_ms=28 * DAY_MS)
NOON = datetime(2026, 3, 5, 4, tzinfo=UTC)


def event(lane: str, number: int, minutes: float, **fields: Any) -> Event:
    """Return an event of customer ann, so many minutes after a Thursday noon in Shanghai."""
    common = {
        "event_id": f"{lane}-{number}",
        "customer_id": "ann",
        "occurred_at": (NOON + timedelta(minutes=minutes)).isoformat(),
    }
    if lane == "touches":
        common |= {"campaign_id": "spring", "kind": "send"}
    return decode(json.dumps(common | fields))


def numbers_of_job(events: Iterable[tuple[str, bytes, bytes]], days: Iterable[int]) -> Numbers:
    """Do the full job in memory, as a peer does it."""
    kept: dict[str, Kept] = {}
    campaigns: dict[str, list[int]] = {}
    changes: dict[int, int] = {}
    for topic, _, value in events:
        one = decode(value)
        state = kept.setdefault(key_of(one), Kept())
        fact = take(state, lane_of(topic), one)
        kept[key_of(one)] = unpack(pack(state))
        if fact is None:
            continue
        name, what = fact
        if isinstance(name, str) and isinstance(what, tuple):
            sums = campaigns.setdefault(name, [0] * len(MEASURES))
            campaigns[name] = [one + other for one, other in zip(sums, what, strict=True)]
        elif isinstance(name, int) and isinstance(what, int):
            changes[name] = changes.get(name, 0) + 1
            changes[what] = changes.get(what, 0) - 1
    rows = [{"campaign_id": name, **dict(zip(MEASURES, sums, strict=True))} for name, sums in campaigns.items()]
    return numbers_from(rows, [{"day": day, "change": change} for day, change in changes.items()], days)


def test_the_job_gives_the_oracles_numbers_for_events_in_order_of_time() -> None:
    events = list(mix_events(SMALL))
    right = numbers_of(events)
    assert right.campaigns
    assert len(right.active) == 29  # 28 times 24 hours, begun within a day
    assert differences(numbers_of_job(events, right.active), right) == []


def test_the_job_drops_duplicates() -> None:
    events = list(mix_events(SMALL))
    right = numbers_of(events)
    assert differences(numbers_of_job([one for one in events for _ in range(2)], right.active), right) == []


def test_a_transaction_that_overtakes_its_touch_is_told_as_wrong() -> None:
    events = list(mix_events(SMALL))
    right = numbers_of(events)
    found = numbers_of_job(sorted(events, key=lambda one: one[0] == "bank.touches.v1"), right.active)
    wrong = differences(found, right)
    assert [words.split()[0] for words in wrong] == ["conversions", "converters", "return_minor"]
    assert verdict(wrong).startswith("WRONG: conversions 0 for ")


def test_the_last_touch_within_seven_days_is_credited_both_ends_included() -> None:
    week = 7 * 24 * 60
    kept = Kept()
    assert take(kept, "touches", event("touches", 1, 0, cost_minor=3)) == ("spring", (1, 1, 0, 0, 3, 0))
    assert take(kept, "touches", event("touches", 2, 5, campaign_id="summer")) == ("summer", (1, 1, 0, 0, 0, 0))
    paid = take(kept, "transactions", event("transactions", 1, 4, revenue_minor=7))
    assert paid == ("spring", (0, 0, 1, 1, 0, 7))
    assert take(kept, "transactions", event("transactions", 2, 5 + week)) == ("summer", (0, 0, 1, 1, 0, 0))
    assert take(kept, "transactions", event("transactions", 3, 5 + week + 0.001)) is None


def test_an_assignment_and_the_control_group_cost_but_reach_nobody() -> None:
    kept = Kept()
    assert take(kept, "touches", event("touches", 1, 0, kind="assign", cost_minor=2)) == ("spring", (0, 0, 0, 0, 2, 0))
    assert take(kept, "touches", event("touches", 2, 0, variant="control")) == ("spring", (0, 0, 0, 0, 0, 0))
    assert take(kept, "transactions", event("transactions", 1, 1)) is None


@given(st.lists(st.integers(0, 120), max_size=12))
def test_monthly_activity_in_any_order_covers_thirty_days_after_each_login(days: list[int]) -> None:
    kept = Kept()
    active: set[int] = set()
    for day in days:
        span = take(kept, "logins", event("logins", 0, day * 24 * 60))
        if span is not None:
            begin, end = span
            assert isinstance(begin, int)
            assert isinstance(end, int)
            fresh = set(range(begin, end))
            assert not fresh & active
            active |= fresh
    first = (int(NOON.timestamp() * 1000) + 8 * 3_600_000) // DAY_MS
    assert active == {first + day + later for day in days for later in range(30)}


def test_a_zombie_login_is_no_activity() -> None:
    assert take(Kept(), "logins", event("logins", 1, 0, session_seconds=4.9)) is None
    assert take(Kept(), "logins", event("logins", 2, 0, automated=True)) is None


def test_old_ids_and_touches_are_forgotten() -> None:
    kept = Kept()
    for number in range(1_000):
        take(kept, "touches", event("touches", number, number * 60))
    assert len(kept.seen) < 330
    assert len(kept.touches) < 330


def test_the_trivial_job_is_a_sum_made_in_another_way() -> None:
    sums: dict[str, int] = {}
    for _, _, value in mix_events(SMALL):
        add_spend(sums, decode_spend(value))
    assert sums == spend_of(mix_events(SMALL)) != {}


def test_a_collector_tells_its_sums_when_the_last_event_was_seen(capsys: pytest.CaptureFixture[str]) -> None:
    collector = Collector(Task("", [], 3))
    collector.watch.start()
    collector.add_spend(decode_spend(b'{"campaign_id":"spring","amount_minor":5}'))
    assert [collector.saw(2), collector.saw(1)] == [False, True]
    told = json.loads(capsys.readouterr().out)
    assert told["sums"] == {"spring": 5}
    assert told.keys() == {"events", "seconds", "cpu_seconds", "sums"}


def test_results_are_rows_and_json_that_say_what_is_wrong() -> None:
    outcomes = {
        "fast": Outcome(Throughput(1000, 0.1, 0.1), ("reached 1 for 2",)),
        "stock Faust": Outcome(Throughput(1000, 1.0, 1.0), ()),
        "stuck": Outcome(None, ("was not done after 900 s",)),
    }
    rows = peer_rows("tansu", "full", outcomes)
    assert [row.measured for row in rows] == ["full job: stuck", "full job: stock Faust", "full job: fast"]
    assert rows[0].beside == "was not done after 900 s"
    assert rows[1].beside == "numbers equal"
    assert rows[2].beside == "10% of stock Faust's CPU, WRONG: reached 1 for 2"
    assert outcomes["stuck"].as_json() == {"equal": False, "wrong": ["was not done after 900 s"], "load": 0.0}
    assert outcomes["stock Faust"].as_json() == {
        "equal": True,
        "wrong": [],
        "load": 0.0,
        "events": 1000,
        "seconds": 1.0,
        "cpu_seconds": 1.0,
        "events_per_second": 1000.0,
        "cpu_microseconds_per_event": 1000.0,
    }


def test_a_peer_that_fails_is_an_outcome_that_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **limits: object) -> dict[str, Any]:
        assert limits["seconds"] == 7.0
        raise UserError("it was not done after 7 s", "wait")

    monkeypatch.setattr(peering, "measured", fails)
    ground = peering.Ground("", Path(), Settings(), 5, SMALL, 7.0)
    found = peering.outcome(ground, "Bytewax", "bench.peers.bytewax_flow", "full", lambda _: [])
    assert (found.speed, found.wrong) == (None, ("it was not done after 7 s",))


def test_peers_are_left_out_where_their_engines_are_not_and_asking_for_them_says_how_to_get_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(peering, "installed", lambda: False)
    assert not [name for name, _ in Measuring(parse([]), Results()).steps() if "peers" in name]
    first = next(measure for _, measure in Measuring(parse(["--only", "peers"]), Results()).steps())
    with pytest.raises(UserError, match=r"\.venv-peers") as told:
        first()
    assert told.value.remedy == "get it with: make peers"


def test_peers_are_measured_in_both_jobs_on_every_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peering, "installed", lambda: True)
    asked = parse(["--only", "peers", "--brokers", "tansu"])
    assert [name for name, _ in Measuring(asked, Results()).steps()] == [
        "the trivial job of peers on tansu",
        "the full job of peers on tansu",
        "ClickHouse alone",
    ]


@pytest.mark.slow
@pytest.mark.e2e
@pytest.mark.parametrize("job", ["trivial", "full"])
def test_every_peer_reads_to_the_end(job: str) -> None:
    """On few events; their engines are measured too where they are installed."""
    found = dict(peering.measure("tansu", 5_000, "A", job))
    assert set(peering.peers()) <= set(found)
    assert not [(name, one.wrong) for name, one in found.items() if one.speed is None]
    # the plain loop reads topics at different speeds, so the full job may come out wrong
    assert not [
        (name, one.wrong) for name, one in found.items() if one.wrong and (job, name) != ("full", peering.PLAIN)
    ]
    if not peering.installed():
        pytest.skip("Quix Streams, Bytewax and Pathway not tried: make peers")
