from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, strategies

from pipeline.replay.record import OvertakenError
from pipeline.state.calendar import DAY_MS
from pipeline.state.policy import Policy, Span
from schemas import topics
from tests.oracle.compare import differences
from tests.oracle.evaluate import evaluate
from tests.oracle.generators import random_log
from tests.oracle.parsing import BadRecordError, read_event
from tests.oracle.story import START_MS
from tests.oracle.verdicts import judge
from tests.replay.playing import RUN, LivePlayer, replayed
from tests.state.rules import CAMPAIGN_VIEWS, DEFAULT, KEY, PROPERTY, SEEDS, any_logs, any_rules, returning_logs
from tests.support.fakes import LedgerStore
from tests.support.fakes_views import views_of

if TYPE_CHECKING:
    from tests.oracle.log import Log, Record
    from tests.state.rules import Rules


@pytest.mark.parametrize("answers", [(False,), (True, False)], ids=["before it claims", "while it claims"])
def test_a_replay_that_wakes_to_another_run_of_its_name_counts_nothing_into_it(answers: tuple[bool, ...]) -> None:
    store, asked = LedgerStore(), iter(answers)
    with pytest.raises(OvertakenError):
        replayed(store, random_log(1, 30), Policy(pseudonym_key=KEY), Random(1), is_own=lambda: next(asked))
    assert not any(rows for view, rows in views_of(store.tables(RUN)).items() if view != "runs")
    assert bool(store.tables(RUN).claims) is answers[0]


# live's clock: now and then weeks behind the events
CLOCKS = [START_MS + day * DAY_MS for day in (5, 20, 200)]


def unequal(ours: dict[str, list[dict[str, Any]]], theirs: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Return the rows that one side has more often than the other, by view."""
    found = {}
    for view, rows in ours.items():
        mine, others = (Counter(repr(sorted(row.items())) for row in each) for each in (rows, theirs[view]))
        if mine != others:
            found[view] = (mine - others, others - mine)
    return found


@PROPERTY
@given(any_logs(200) | returning_logs(200), any_rules(), SEEDS, strategies.integers(0, 3), strategies.integers(0, 3))
def test_a_replay_equals_a_live_run_with_a_clock_of_its_own(
    log: Log, rules: Rules, seed: int, crashes: int, breaks: int
) -> None:
    policy = replace(rules.policy, future_ms=0)
    live = LivePlayer(policy, log, Random(seed), CLOCKS)
    live.play(Random(seed), crashes=crashes)
    again = replayed(live.store, log, policy, Random(seed), breaks)
    assert unequal(again, live.views()) == {}


def test_what_the_clock_decided_is_there_to_be_repeated() -> None:
    """The property above would hold of logs that neither fall silent nor come from the future."""
    met: Counter[str] = Counter()
    for seed in range(5):
        live = LivePlayer(Policy(future_ms=0, pseudonym_key=KEY), random_log(seed, 200), Random(seed), CLOCKS)
        live.play(Random(seed), crashes=1)
        met.update(row.kind for row in live.tables.of_kind("takeover"))
        met.update(row.other_id for row in live.tables.of_kind("dead_letter"))
    assert min(met[name] for name in ("takeover", "from_the_future", "too_late", "orphan_reversal")) > 0


@PROPERTY
@given(any_logs(200) | returning_logs(200), any_rules(), SEEDS, strategies.integers(0, 2))
def test_a_replay_under_other_settings_is_the_batch_under_them(log: Log, rules: Rules, seed: int, breaks: int) -> None:
    """Whatever the clock of the rules says: a replay has none."""
    views = replayed(LedgerStore(), log, rules.policy, Random(seed), breaks)
    config = replace(rules.config, now_ms=None)
    assert differences(evaluate(log, config), views) == []


@PROPERTY
@given(any_logs(200), SEEDS, strategies.integers(0, 40), strategies.integers(1, 60), strategies.integers(0, 2))
def test_a_range_is_the_batch_over_its_events_with_the_verdicts_of_the_whole_log(
    log: Log, seed: int, first_day: int, days: int, breaks: int
) -> None:
    span = Span(START_MS + first_day * DAY_MS, START_MS + (first_day + days) * DAY_MS)
    views = replayed(LedgerStore(), log, replace(DEFAULT.policy, span=span), Random(seed), breaks)
    verdicts = judge(log, DEFAULT.config).verdicts
    within = {
        place: [
            record
            for record in records
            if place[0] in topics.DIMENSION_TOPICS
            or (
                verdicts[record.topic, record.partition, record.offset].reason != "too_late"
                and (at := occurred_at(record)) is not None
                and span.covers(at)
            )
        ]
        for place, records in log.items()
    }
    patient = replace(DEFAULT.config, lateness_days=3_000.0)  # who is late has been told already
    assert differences(evaluate(within, patient), views, views=CAMPAIGN_VIEWS) == []


def test_dead_letters_of_a_range_are_those_within_it_and_those_without_a_time() -> None:
    log = random_log(11, 300)
    span = Span(START_MS + 3 * DAY_MS, START_MS + 30 * DAY_MS)
    views = replayed(LedgerStore(), log, replace(DEFAULT.policy, span=span), Random(1))
    records = {(record.topic, record.partition, record.offset): record for each in log.values() for record in each}
    found = {(row["topic"], row["partition"], row["offset"]): row["reason"] for row in views["dead_letters"]}
    everything = {
        place: verdict.reason
        for place, verdict in judge(log, DEFAULT.config).verdicts.items()
        if verdict.outcome == "dead_letter"
    }
    timely = {
        place: reason
        for place, reason in everything.items()
        if reason != "too_late" or span.covers(occurred_at(records[place]) or 0)
    }
    # a reversal whose original lies before the range has none in it
    assert {place: reason for place, reason in found.items() if reason != "orphan_reversal"} == {
        place: reason for place, reason in timely.items() if reason != "orphan_reversal"
    }
    assert len(timely) < len(everything)


def occurred_at(record: Record) -> int | None:
    """Return when a record's event occurred, None of a malformed one."""
    try:
        return read_event(record.topic, record.key, record.value, "CNY").occurred_at
    except BadRecordError:
        return None
