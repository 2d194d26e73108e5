"""Faults of the data from what was observed, look by look, without any process."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.alert_settings import AlertSettings
from pipeline.alerts.assembly import CampaignFacts
from pipeline.alerts.cost_faults import has_lost_cost, is_silent
from pipeline.alerts.costs import CostEvent
from pipeline.alerts.fault_words import fault_text
from pipeline.alerts.faults import NEEDED, Code, DataFault, Feeds, FeedWatch, Partition, Pulse, Settling, campaigns_of
from pipeline.alerts.plans import plan_of
from pipeline.state.policy import Policy
from schemas import Campaign
from schemas.topics import COSTS, LOGINS, TOUCHES, TRANSACTIONS
from tests.alerts.building import HOUR, T0

if TYPE_CHECKING:
    from pipeline.alerts.plans import CampaignPlan

SETTINGS = AlertSettings(lag_seconds=60)
POLICY = Policy(models=("last_touch",), future_ms=None, pseudonym_key=b"key")
LAG, CATCHING_UP = DataFault("lag", TOUCHES), DataFault("catching_up", TOUCHES)
UNANSWERED = DataFault("unanswered", TOUCHES)
DAY = 24 * HOUR


def partition(topic: str = TOUCHES, read: int = 0, mark: int = T0, **values: Any) -> Partition:
    plain: dict[str, Any] = {"topic_id": "life", "number": 0, "accepted": read, "duplicates": 0, "dead_letters": 0}
    return Partition(topic=topic, next_offset=read, watermark_ms=mark, **(plain | values))


def feeds(seconds: float, *partitions: Partition, **values: Any) -> Feeds:
    return Feeds(seconds, partitions, **values)


def watching() -> FeedWatch:
    """Return a watch that knows of empty logs."""
    watch = FeedWatch(SETTINGS)
    watch.log_ends(0, {})
    return watch


def ends(end: int, life: str = "life") -> dict[tuple[str, str, int], int]:
    return {(TOUCHES, life, 0): end}


def test_a_record_that_was_there_a_minute_ago_and_is_not_durable_is_lag() -> None:
    watch = watching()
    watch.log_ends(0, ends(100))
    assert watch.look(feeds(1, partition(read=100))) == set()
    watch.log_ends(10, ends(150))
    assert watch.look(feeds(69, partition(read=100))) == set()
    watch.log_ends(70, ends(300))
    assert watch.look(feeds(71, partition(read=149))) == {LAG}
    # it ends only once it is less than half as far behind
    watch.log_ends(72, ends(300))
    assert watch.look(feeds(101, partition(read=299))) == {LAG}
    assert watch.look(feeds(102, partition(read=300))) == set()


def test_before_kafka_has_said_where_the_logs_end_the_lag_is_not_known() -> None:
    watch = FeedWatch(SETTINGS)
    assert watch.look(feeds(0, partition(read=100))) == {DataFault("unmeasured", TOUCHES)}
    watch.log_ends(1, ends(100))
    assert watch.look(feeds(1, partition(read=100))) == set()


def test_a_lag_that_kafka_no_longer_tells_of_is_not_known_until_what_waits_at_its_next_answer_is_read() -> None:
    watch = watching()
    watch.log_ends(5, ends(100))
    assert watch.look(feeds(65, partition(read=100))) == set()
    for second in (65.1, 600, 86_400):
        assert watch.look(feeds(second, partition(read=100))) == {UNANSWERED}
    watch.log_ends(90_000, ends(300))
    assert watch.look(feeds(90_000, partition(read=100))) == {CATCHING_UP}
    assert watch.look(feeds(90_001, partition(read=300))) == set()


def test_a_broker_may_take_longer_for_an_answer_than_a_short_lag() -> None:
    watch = FeedWatch(AlertSettings(lag_seconds=1))
    watch.log_ends(0, ends(100))
    assert watch.look(feeds(30, partition(read=100))) == set()
    assert watch.look(feeds(31, partition(read=100))) == {UNANSWERED}


def test_a_busy_feed_that_is_read_as_it_comes_is_never_behind() -> None:
    watch = watching()
    for second in range(300):
        watch.log_ends(second, ends(20_000 * second))
        assert watch.look(feeds(second + 0.5, partition(read=20_000 * max(0, second - 2)))) <= {CATCHING_UP}


def test_what_waits_at_the_first_look_is_caught_up_with_however_much_comes_meanwhile() -> None:
    watch = watching()
    watch.log_ends(0, ends(1000))
    assert watch.look(feeds(0, partition(read=1))) == {CATCHING_UP}
    watch.log_ends(5, ends(2000))
    assert watch.look(feeds(5, partition(read=1000))) == set()


def test_nobody_waits_for_what_a_topic_made_anew_or_cut_short_has_lost() -> None:
    watch = watching()
    watch.log_ends(0, ends(1000))
    watch.log_ends(50, ends(10, "second life"))
    assert watch.look(feeds(61, partition(read=10, topic_id="second life"))) == set()
    watch.log_ends(70, ends(5, "second life"))
    watch.log_ends(139, ends(5, "second life"))
    assert watch.look(feeds(140, partition(read=5, topic_id="second life"))) == set()


@pytest.mark.parametrize(("code", "fewest"), [("dead_letters", 10), ("duplicates", 50)])
def test_a_share_of_bad_records_is_a_fault_until_it_is_half_of_that(code: Code, fewest: int) -> None:
    watch, fault = watching(), DataFault(code, TRANSACTIONS)

    def look(seconds: float, accepted: int, bad: int) -> set[DataFault]:
        return watch.look(feeds(seconds, partition(TRANSACTIONS, accepted=accepted, **{str(code): bad})))

    assert look(0, 1000, 900) == set()  # of long ago
    assert look(1, 1000, 900 + fewest - 1) == set()  # all of them: too few to say
    assert look(2, 1150, 950) == {fault}  # 50 of 200
    assert look(3, 1500, 965) == {fault}  # 65 of 565: below, not by half
    assert look(4, 9000, 965) == set()
    assert look(5, 9000, 965) == set()


def test_a_few_bad_records_do_not_vanish_among_those_of_a_backlog_before_them() -> None:
    watch, fault = watching(), DataFault("dead_letters", TRANSACTIONS)

    def look(seconds: float, accepted: int, bad: int) -> set[DataFault]:
        return watch.look(feeds(seconds, partition(TRANSACTIONS, accepted=accepted, dead_letters=bad))) - {UNANSWERED}

    assert look(0, 0, 0) == set()
    assert look(1, 100_000, 100) == set()
    assert look(2, 200_000, 200) == set()
    assert look(40, 200_000, 260) == set()  # 260 of the 200,000 of the last minute
    for successor in (watch, watching()):
        successor.go_on_from(watch.notes())
        watch = successor
        assert look(63, 200_000, 260) == {fault}  # 60 of the newest hundred
    assert look(200, 200_050, 260) == {fault}
    assert look(300, 200_150, 260) == set()


def test_dead_letters_are_a_fault_until_good_records_have_followed_them_however_long_that_takes() -> None:
    watch, fault = watching(), DataFault("dead_letters", TRANSACTIONS)

    def look(seconds: float, accepted: int, bad: int) -> set[DataFault]:
        return watch.look(feeds(seconds, partition(TRANSACTIONS, accepted=accepted, dead_letters=bad))) - {UNANSWERED}

    assert look(0, 1000, 0) == set()
    assert look(1, 1032, 48) == {fault}  # 48 of 80: a small feed, whose half is gone
    assert look(2, 1032, 48) == {fault}
    for second in (100, 10_000):
        assert look(second, 1032, 48) == {fault}
    assert look(10_010, 1100, 48) == {fault}
    assert look(10_100, 1131, 48) == {fault}  # these 99 are not yet the newest 100
    assert look(10_200, 1132, 48) == set()


def test_a_burst_that_nothing_follows_is_forgotten_after_a_day() -> None:
    watch = watching()
    for second, bad in ((0, 0), (1, 48), (86_000, 48)):
        found = watch.look(feeds(second, partition(TRANSACTIONS, accepted=1000, dead_letters=bad)))
        assert (DataFault("dead_letters", TRANSACTIONS) in found) is bool(bad)
    assert watch.look(feeds(86_401, partition(TRANSACTIONS, accepted=1000, dead_letters=48))) == {UNANSWERED}


def test_a_topic_made_anew_begins_its_counts_again() -> None:
    watch, fault = watching(), DataFault("dead_letters", TRANSACTIONS)

    def look(seconds: float, accepted: int, bad: int) -> set[DataFault]:
        return watch.look(feeds(seconds, partition(TRANSACTIONS, accepted=accepted, dead_letters=bad)))

    assert look(0, 1000, 900) == set()
    assert look(1, 20, 20) == {fault}


def test_transactions_stand_when_others_go_on_for_longer_than_any_night() -> None:
    watch, stands = watching(), {DataFault("stands", TRANSACTIONS)}
    pulse = Pulse(T0, 10 * HOUR)

    def look(others: int) -> set[DataFault]:
        rows = (partition(TRANSACTIONS, 9), partition(TOUCHES, 9, T0), partition(LOGINS, 9, others))
        return watch.look(feeds(0, *rows, pulse=pulse))

    assert look(T0 + 12 * HOUR) == set()
    assert look(T0 + 13 * HOUR) == stands


def test_a_watermark_that_followed_others_is_no_transaction() -> None:
    rows = (partition(TRANSACTIONS, 9, T0 + DAY), partition(TOUCHES, 9, T0 + DAY))
    assert watching().look(feeds(0, *rows, pulse=Pulse(T0, 0))) == {DataFault("stands", TRANSACTIONS)}


def test_without_any_transaction_returns_are_missing_and_without_touches_nothing_is() -> None:
    found = watching().look(feeds(0, partition(TOUCHES, 9), pulse=Pulse(None, 0)))
    assert found == {DataFault("no_transactions", TRANSACTIONS)}
    assert watching().look(feeds(0, partition(LOGINS, 9), pulse=Pulse(None, 0))) == set()


def test_an_idle_bank_has_no_fault() -> None:
    watch = watching()
    rows = [partition(topic, 50, T0) for topic in (TOUCHES, TRANSACTIONS, COSTS, LOGINS)]
    for second in range(0, 10_000, 30):
        watch.log_ends(second, {(row.topic, "life", 0): 50 for row in rows})
        assert watch.look(feeds(second, *rows, pulse=Pulse(T0, 0))) == set()


def test_a_fault_settles_before_it_counts_and_before_it_is_over() -> None:
    settling = Settling(raise_seconds=2.0, lag_seconds=60.0)
    halted, slow = DataFault("halted", TOUCHES), DataFault("stands", TRANSACTIONS)
    assert settling.settled({halted, slow}, 0) == [halted]
    assert settling.settled({halted, slow}, 2) == [halted, slow]
    assert settling.settled({slow}, 4.9) == [halted, slow]
    assert settling.settled({slow}, 5.1) == [slow]
    assert settling.settled(set(), 6) == [slow]
    assert settling.settled({slow}, 7) == [slow]
    assert settling.settled(set(), 10) == []
    assert settling.settled({slow}, 11) == []


def test_an_unknown_lag_counts_as_a_fault_when_it_has_been_unknown_for_as_long_as_a_lag_may_be() -> None:
    settling, unknown = Settling(raise_seconds=2.0, lag_seconds=60.0), DataFault("unmeasured", TOUCHES)
    assert [settling.settled({unknown}, second) for second in (0, 59, 60)] == [[], [], [unknown]]


@given(st.lists(st.tuples(st.sampled_from([{LAG}, {CATCHING_UP}, set()]), st.floats(0.1, 5)), max_size=40))
def test_what_counts_was_there_within_the_last_seconds(looks: list[tuple[set[DataFault], float]]) -> None:
    settling, seconds, last = Settling(2.0, 60.0), 0.0, dict[DataFault, float]()
    for found, pause in looks:
        seconds += pause
        last |= dict.fromkeys(found, seconds)
        settled = settling.settled(found, seconds)
        assert all(seconds - last[fault] < 3.0 for fault in settled)
        assert {fault for fault in found if fault == LAG} <= set(settled)


def test_a_fault_blocks_who_needs_the_feed() -> None:
    names, with_costs = ["a", "b"], {"a": True, "b": False}
    assert campaigns_of(DataFault("halted", COSTS), names, with_costs) == ["a"]
    assert campaigns_of(DataFault("halted", TOUCHES), names, with_costs) == names
    assert campaigns_of(DataFault("silent_cost", COSTS, "b"), names, with_costs) == ["b"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_fault_has_words(language: Any) -> None:
    settings = SETTINGS.model_copy(update={"language": language})
    texts = {fault_text(DataFault(code, topic), settings) for code in get_args(Code) for topic in NEEDED}
    assert all(text and "{" not in text for text in texts)
    assert len(texts) == 6 * len(NEEDED) + 6


# -- one campaign's costs ----------------------------------------------------------------------------------------


def facts(touch_hours: int, cost_days: list[float], *, costs: list[int] | None = None, **plan: Any) -> CampaignFacts:
    """Return a campaign with ten touches an hour and payments after so many days."""
    start = T0 // HOUR
    hours = np.arange(start, start + touch_hours)
    touch_cost = np.zeros(touch_hours, np.int64) if costs is None else np.array(costs, np.int64)
    events = tuple(CostEvent("media", "", round(start * HOUR + day * DAY), 1000) for day in cost_days)
    return CampaignFacts(plan_named(**plan), hours, np.full(touch_hours, 10), touch_cost, events).pay()


def plan_named(**values: Any) -> CampaignPlan:
    return replace(
        plan_of("spring", None, POLICY), definition=Campaign.model_construct(**{"budget_minor": None} | values)
    )


@pytest.mark.parametrize(
    ("touch_days", "cost_days", "silent"),
    [
        (10, [1, 2, 3, 4, 5], True),
        (7, [1, 2, 3, 4, 5], False),  # 48 hours are its patience
        (10, [1, 2, 3], False),  # too few to be regular
        (10, [1, 2, 5, 6], False),  # it has been silent for three days before
        (14, [1, 2, 5, 6], True),
        (40, [7, 14, 21, 28], False),  # comes weekly
        (10, [], False),
    ],
)
def test_a_cost_feed_is_silent_after_more_than_its_habit(
    touch_days: int, cost_days: list[float], *, silent: bool
) -> None:
    assert is_silent(facts(touch_days * 24, cost_days), 48.0) is silent


def test_a_campaign_whose_budget_is_spent_awaits_no_cost() -> None:
    assert is_silent(facts(240, [1, 2, 3, 4, 5], budget_minor=50_000), 48.0)
    assert not is_silent(facts(240, [1, 2, 3, 4, 5], budget_minor=5_000), 48.0)


@pytest.mark.parametrize(
    ("costs", "lost"),
    [
        ([100] * 20, False),
        ([100] * 20 + [0] * 6, True),
        ([100] * 20 + [0] * 4, False),  # forty touches say nothing yet
        ([0] * 20, False),  # has never had any
        ([100, 0, 0, 0, 100] + [0] * 8, False),  # thirty free touches in a row are usual
        ([100, 0, 0, 0, 100] + [0] * 15, True),
    ],
)
def test_touches_have_lost_their_cost_when_far_more_than_usual_come_without(costs: list[int], *, lost: bool) -> None:
    assert has_lost_cost(facts(len(costs), [], costs=costs)) is lost


def test_cost_events_may_take_over_from_the_touches() -> None:
    assert not has_lost_cost(facts(72, [2.5], costs=[100] * 20 + [0] * 52))
