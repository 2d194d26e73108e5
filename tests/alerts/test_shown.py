"""What tables and views show of an alert is what is known of it, a little later."""

from __future__ import annotations

import json

import pytest

from pipeline.alerts.evaluator import _MOST_REFRESHED
from schemas.instants import instant_text
from tests.alerts.building import AT_ONCE, HOUR, T0, look
from tests.alerts.test_evaluator import FIRES, Office, office

__all__ = ["office"]  # a fixture


def test_what_is_shown_of_an_alert_follows_what_is_known_with_a_bounded_number_of_writes(office: Office) -> None:
    office.turn(FIRES)
    writes: list[None] = []
    office.store.after_write = lambda: writes.append(None)
    for minute in range(1, 13):
        office.pass_time(0.5)
        office.turn(look("below", T0 + minute * 60_000, rule=AT_ONCE))
    (row,) = office.rows("alert")
    assert json.loads(row.body)["as_of"] > instant_text(T0)
    assert len(writes) == 3


@pytest.mark.parametrize("others", [0, _MOST_REFRESHED])
def test_what_the_first_look_after_a_take_over_finds_is_shown_though_nothing_more_is_found(
    office: Office, others: int
) -> None:
    names = [f"other{place}" for place in range(others)]  # their changes use up what a turn refreshes
    office.turn(*(look("undecided", campaign_id=name) for name in (*names, "spring")))
    office.begin("second")
    found = [look("below", T0 + HOUR, campaign_id=name) for name in names]
    found.append(look("undecided", T0 + HOUR, campaign_id="spring"))
    for _ in range(2):
        office.turn(*found)
        office.pass_time(11)
    assert {json.loads(row.body)["as_of"] for row in office.rows("alert")} == {instant_text(T0 + HOUR)}
