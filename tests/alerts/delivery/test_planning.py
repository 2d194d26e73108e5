from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.alerts.delivery.outcomes import SUCCESS, Outcome
from pipeline.alerts.delivery.planning import RETRIES, Policy, attempts_within, plan, settled
from pipeline.alerts.delivery.quiet import QuietHours
from pipeline.alerts.log import Notification
from tests.support.depth import depth

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.alerts.delivery.planning import Plan, Standing

NOON = 1_789_970_400_000 + 6 * 3_600_000  # of a day in UTC
UTC = ZoneInfo("UTC")
FAILURE = Outcome("failed", "HTTP 500")


def notice(number: int = 1, alert_id: str = "alr_1", **values: Any) -> Notification:
    plain: dict[str, Any] = {"message_type": "alert.firing", "created_ms": NOON}
    return Notification(
        notification_id=f"ntf_{number}",
        alert_id=alert_id,
        campaign_id="spring",
        receiver="floor",
        message_id=f"msg_{number}",
        payload="{}",
        **(plain | values),
    )


def planned(
    waiting: Sequence[Notification],
    policy: Policy | None = None,
    now_ms: int = NOON,
    last_sent_ms: int | None = None,
    stands: Standing = "told",
) -> Plan:
    return plan(waiting, policy or Policy(), now_ms=now_ms, last_sent_ms=last_sent_ms, standing=lambda _: stands)


def ids(notices: Sequence[Notification]) -> list[str]:
    return [one.notification_id for one in notices]


def test_notices_within_the_time_of_grouping_become_one_message() -> None:
    policy, waiting = Policy(group_seconds=2.0), [notice(1), notice(2, "alr_2", created_ms=NOON + 1500)]
    assert planned(waiting, policy, NOON + 1999).wait_seconds == pytest.approx(0.001)
    assert ids(planned(waiting, policy, NOON + 2000).now) == ["ntf_1", "ntf_2"]


def test_a_receiver_is_left_alone_for_its_interval_then_gets_all_at_once() -> None:
    policy = Policy(min_interval_seconds=600)
    waiting = [notice(1), notice(2, "alr_2")]
    assert planned(waiting, policy, NOON, NOON - 599_000).wait_seconds == pytest.approx(1.0)
    assert ids(planned(waiting, policy, NOON, NOON - 600_000).now) == ["ntf_1", "ntf_2"]


def test_quiet_hours_hold_back_firing_and_recovery_and_then_let_them_go() -> None:
    policy = Policy(quiet=QuietHours.of("11:30-12:30", UTC))
    waiting = [notice(1), notice(2, message_type="alert.resolved", created_ms=NOON + 1)]
    at_noon = NOON - NOON % 86_400_000 + 12 * 3_600_000
    assert planned(waiting, policy, at_noon).now == ()
    assert 0 < (planned(waiting, policy, at_noon).wait_seconds or 0) <= 60
    assert ids(planned(waiting, policy, at_noon + 1_800_000).now) == ["ntf_1", "ntf_2"]


def test_a_test_waits_for_nothing() -> None:
    policy = Policy(min_interval_seconds=600, quiet=QuietHours.of("00:00-23:59", UTC))
    waiting = [notice(1), notice(2, "", message_type="test")]
    assert ids(planned(waiting, policy, NOON, NOON).now) == ["ntf_2"]


def test_what_failed_holds_back_its_own_alert_and_no_other() -> None:
    failed = notice(1, attempts=1, next_attempt_ms=NOON + 5000)
    waiting = [failed, notice(2, created_ms=NOON + 1), notice(3, "alr_2", created_ms=NOON + 2)]
    assert ids(planned(waiting).now) == ["ntf_3"]
    assert planned([failed, waiting[1]]).wait_seconds == pytest.approx(5.0)
    assert ids(planned(waiting, now_ms=NOON + 5000).now) == ["ntf_3", "ntf_1", "ntf_2"]


def test_a_decision_is_told_before_its_request_to_stop_in_whatever_order_they_were_read() -> None:
    decided = replace(notice(2, message_type="alert.decided"), number=3)
    stop = replace(notice(1, message_type="campaign.stop"), number=3)
    later = replace(notice(0, message_type="alert.resolved"), number=4)
    assert ids(planned([later, stop, decided]).now) == ["ntf_2", "ntf_1", "ntf_0"]


def test_a_silence_lets_only_recoveries_through() -> None:
    todo = planned([notice(1), notice(2, message_type="alert.resolved", created_ms=NOON + 1)], stands="silenced")
    assert ids(todo.suppressed) == ["ntf_1"]
    assert {one.state for one in todo.suppressed} == {"suppressed"}
    assert ids(todo.now) == ["ntf_2"]


def test_a_reminder_is_dropped_when_somebody_has_answered_or_a_later_notice_says_more() -> None:
    reminder = notice(1, is_reminder=True)
    assert ids(planned([reminder], stands="answered").suppressed) == ["ntf_1"]
    assert ids(planned([reminder, notice(2, created_ms=NOON + 1)]).suppressed) == ["ntf_1"]
    assert planned([reminder]).suppressed == ()
    assert planned([replace(reminder, attempts=1)], stands="answered").suppressed == ()


def test_a_clock_that_was_set_back_delays_little() -> None:
    early = NOON - 86_400_000
    assert ids(planned([notice(1)], Policy(group_seconds=1.0), early).now) == ["ntf_1"]
    assert ids(planned([notice(1, attempts=3, next_attempt_ms=NOON)], now_ms=early).now) == ["ntf_1"]
    assert ids(planned([notice(1)], Policy(min_interval_seconds=600), early, NOON).now) == ["ntf_1"]


def test_waits_grow_and_differ_between_receivers_and_end_after_about_a_day() -> None:
    policy = Policy(attempts=attempts_within(24))
    one, waits = notice(), list[float]()
    now_ms = NOON
    while one.state == "waiting":
        one = settled(one, FAILURE, policy, now_ms=now_ms, chance=0.5)
        waits.append((one.next_attempt_ms - now_ms) / 1000)
        now_ms = max(now_ms, one.next_attempt_ms)
    assert one.state == "dead"
    assert one.last_error == "HTTP 500"
    assert waits[:4] == [5, 10, 20, 40]
    assert 23 <= (now_ms - NOON) / 3_600_000 <= 25
    assert {settled(notice(), FAILURE, policy, now_ms=NOON, chance=c).next_attempt_ms - NOON for c in (0, 1)} == {
        4000,
        6000,
    }


@pytest.mark.parametrize(("asked", "waits"), [(60.0, 60.0), (1.0, 5.0), (1e9, 3600.0)])
def test_a_receiver_is_left_alone_for_as_long_as_it_asks_but_not_for_ever(asked: float, waits: float) -> None:
    after = settled(notice(), Outcome("failed", "HTTP 429", asked), Policy(attempts=9), now_ms=NOON, chance=0.5)
    assert (after.next_attempt_ms - NOON) / 1000 == waits


def test_what_a_receiver_refuses_for_good_is_dead_at_once() -> None:
    after = settled(notice(), Outcome("refused", "HTTP 410"), Policy(attempts=9), now_ms=NOON, chance=0.5)
    assert (after.state, after.last_error, after.attempts) == ("dead", "HTTP 410", 1)


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[Notification], Policy, list[bool]]:
    notices = []
    for number in range(draw(st.integers(1, 12))):
        kind = draw(st.sampled_from(("alert.firing", "alert.resolved", "alert.decided", "test")))
        alert_id = "" if kind == "test" else draw(st.sampled_from(("alr_1", "alr_2", "alr_3")))
        created_ms = NOON + number * draw(st.integers(1, 30_000))
        notices.append(notice(number, alert_id, message_type=kind, created_ms=created_ms))
    quiet = draw(st.sampled_from((None, "22:00-07:00", "11:00-13:00", "06:00-05:59")))
    policy = Policy(
        group_seconds=draw(st.floats(0, 60)),
        min_interval_seconds=draw(st.floats(0, 3600)),
        quiet=None if quiet is None else QuietHours.of(quiet, ZoneInfo("Asia/Shanghai")),
        attempts=draw(st.integers(1, 4)),
    )
    return notices, policy, draw(st.lists(st.booleans(), max_size=30))


@settings(max_examples=depth(200), deadline=None)
@given(stories())
def test_nothing_is_lost_nothing_sent_twice_and_order_kept(
    story: tuple[list[Notification], Policy, list[bool]],
) -> None:
    notices, policy, successes = story
    waiting = {one.notification_id: one for one in notices}
    done: dict[str, str] = {}
    sent: list[Notification] = []
    last_sent_ms, now_ms, steps = None, NOON, 0
    fates = iter(successes)
    while waiting:
        steps += 1
        assert steps < 10_000
        known = [one for one in waiting.values() if one.created_ms <= now_ms]
        todo = planned(known, policy, now_ms, last_sent_ms)
        assert len(set(ids(todo.now))) == len(todo.now)
        if not todo.now:
            later = [one.created_ms for one in waiting.values() if one.created_ms > now_ms]
            waits = [round(todo.wait_seconds * 1000)] if todo.wait_seconds is not None else []
            now_ms = min([now_ms + max(wait, 1) for wait in waits] + later)
            continue
        if not any(one.message_type == "test" for one in todo.now):
            assert policy.quiet is None or not policy.quiet.holds_at(now_ms)
            assert last_sent_ms is None or now_ms - last_sent_ms >= policy.min_interval_seconds * 1000 - 1
        outcome = SUCCESS if next(fates, True) else FAILURE
        now_ms += 10
        for one in todo.now:
            after = settled(one, outcome, policy, now_ms=now_ms, chance=0.5)
            if after.state == "waiting":
                waiting[one.notification_id] = after
                continue
            assert one.notification_id not in done
            done[one.notification_id] = after.state
            del waiting[one.notification_id]
            if after.state == "sent":
                sent.append(after)
        if outcome is SUCCESS and todo.now[0].message_type != "test":
            last_sent_ms = now_ms
    assert set(done) == {one.notification_id for one in notices}
    for alert_id in ("alr_1", "alr_2", "alr_3"):
        created = [one.created_ms for one in sent if one.alert_id == alert_id]
        assert created == sorted(created)


def test_the_waits_between_attempts_are_those_that_are_documented() -> None:
    assert (RETRIES.first_seconds, RETRIES.longest_seconds) == (5.0, 3600.0)
