"""Silences: nobody is told of an alert for a while, and nothing of it is lost."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.instants import instant_text
from tests.alerts.building import HOUR, T0
from tests.alerts.test_evaluator import FIRES, GOOD, Office, office

__all__ = ["office"]


def test_a_silenced_alert_changes_as_ever_and_tells_its_recovery_alone(office: Office) -> None:
    office.ask("silence", owner="retail", until=instant_text(T0 + HOUR), reason="holiday")
    office.turn(FIRES)
    office.turn(GOOD)
    assert office.notices() == [("floor", "alert.firing", "suppressed"), ("floor", "alert.resolved", "waiting")]
    assert len(office.rows("message")) == 2


def test_a_silence_ends_by_its_time_or_by_hand_and_a_firing_alert_is_told_then(office: Office) -> None:
    office.ask("silence", campaign_id="spring", until=instant_text(T0 + 60_000), reason="test", action_id="s")
    office.turn(FIRES)
    office.turn(FIRES)
    assert office.notices() == [("floor", "alert.firing", "suppressed")]
    office.pass_time(61)
    office.turn(FIRES)
    office.turn(FIRES)
    assert office.notices() == [("floor", "alert.firing", "suppressed"), ("floor", "alert.firing", "waiting")]
    assert [row.state for row in office.rows("silence")] == ["ended"]
    assert office.desk.silences == {}
    assert office.ask("unsilence", silence_id=office.rows("silence")[0].id)["state"] == "refused"


def test_a_silence_loses_no_firing_that_still_waited_to_be_told(office: Office) -> None:
    office.turn(FIRES)
    assert office.notices() == [("floor", "alert.firing", "waiting")]
    office.ask("silence", campaign_id="spring", until=instant_text(T0 + 60_000), reason="test")
    office.settle("suppressed")
    office.turn(FIRES)
    assert office.notices() == [("floor", "alert.firing", "suppressed")]
    office.pass_time(61)
    office.turn(FIRES)
    office.turn(FIRES)
    assert office.notices() == [("floor", "alert.firing", "suppressed"), ("floor", "alert.firing", "waiting")]


def test_a_silence_of_what_was_told_tells_it_no_second_time(office: Office) -> None:
    office.turn(FIRES)
    office.settle("sent")
    office.ask("silence", campaign_id="spring", until=instant_text(T0 + 60_000), reason="test")
    office.pass_time(61)
    office.turn(FIRES)
    assert office.notices() == [("floor", "alert.firing", "sent")]


@pytest.mark.parametrize(
    "body",
    [
        {"until": instant_text(T0 + HOUR), "reason": "r"},
        {"campaign_id": "a", "owner": "b", "until": instant_text(T0 + HOUR), "reason": "r"},
        {"campaign_id": "a", "until": instant_text(T0 + HOUR)},
        {"campaign_id": "a", "until": "tomorrow", "reason": "r"},
        {"campaign_id": "a", "until": instant_text(T0), "reason": "r"},
        {"campaign_id": "a", "reason": "r"},
    ],
)
def test_a_silence_that_says_too_little_is_refused(office: Office, body: dict[str, Any]) -> None:
    assert office.ask("silence", **body)["state"] == "refused"
