from __future__ import annotations

import json

import pytest

from pipeline.alerts.actions import act
from pipeline.alerts.lifecycle import Change, step
from pipeline.alerts.record import record_of
from tests.alerts.building import AT_ONCE, HOUR, T0, action, look, moment
from tests.alerts.playing import CONDUCT, FOUR_EYES, applied, fired, played, refused


def test_an_alert_is_acknowledged_once() -> None:
    change = applied(fired(), "acknowledge", "lin", note="on it")
    assert (change.record.state, change.record.acknowledged_by, change.by, change.note) == (
        "acknowledged",
        "lin",
        "lin",
        "on it",
    )
    assert "lin" in refused(change.record, "acknowledge", "wu")


@pytest.mark.parametrize("decision", ["stop", "optimise", "continue"])
def test_a_decision_has_a_name_and_a_reason_and_a_stop_is_one_request(decision: str) -> None:
    assert "reason" in refused(fired(), "decide", decision=decision)
    change = applied(fired(), "decide", "lin", decision=decision, reason="no more loans wanted")
    record = change.record
    assert (record.state, record.decision, record.decided_by) == ("decided", decision, "lin")
    assert (change.stop_reason is not None) == (record.stop_id is not None) == (decision == "stop")


def test_the_same_decision_is_made_once_and_names_who_was_first() -> None:
    record = applied(fired(), "decide", "lin", decision="continue", reason="a late harvest").record
    assert "lin has decided to continue already" in refused(
        record, "decide", "wu", decision="continue", reason="so do I"
    )
    assert (
        applied(record, "decide", "lin", decision="optimise", reason="without app push").record.decision == "optimise"
    )


def test_an_unknown_decision_is_refused() -> None:
    assert "stop, optimise, continue" in refused(fired(), "decide", decision="explode", reason="why not")


def test_a_decision_can_become_a_stop_but_an_open_stop_stays() -> None:
    record = applied(fired(), "decide", decision="optimise", reason="try without app push").record
    change = applied(record, "decide", "wu", decision="stop", reason="it did not help")
    assert change.is_message
    assert change.record.decided_by == "wu"
    assert "stop is open" in refused(change.record, "decide", decision="continue", reason="no")


def test_what_leaves_the_state_leaves_the_instant_of_its_change() -> None:
    record = fired(FOUR_EYES)
    later = moment(200, record.changed_ms + 60_000)
    for kind, body in (("note", {"note": "asked"}), ("decide", {"decision": "stop", "reason": "r"})):
        change = act(record, action(kind, "lin", record.alert_id, **body), later, FOUR_EYES)
        assert isinstance(change, Change)
        assert (change.record.state, change.record.changed_ms) == ("firing", record.changed_ms)
        assert change.record.entered_ms >= later.wall_ms
        assert change.record.data("")["changed_at"] == record.data("")["changed_at"]
        record = change.record
    again = step(record, look("below", T0 + HOUR, rule=AT_ONCE), later, FOUR_EYES)[0]
    assert again.changed_ms == record.changed_ms
    approved = act(record, action("approve", "wu", record.alert_id), later, FOUR_EYES)
    assert isinstance(approved, Change)
    assert approved.record.changed_ms == approved.record.entered_ms > record.entered_ms


def test_a_record_of_an_older_version_has_one_instant_for_both() -> None:
    body = json.loads(fired().body("http://board"))
    del body["entered_at"]
    record = record_of(json.dumps(body))
    assert record.entered_ms == record.changed_ms


def test_four_eyes_need_two_people() -> None:
    proposed = applied(fired(FOUR_EYES), "decide", "lin", FOUR_EYES, decision="stop", reason="money is lost")
    assert (proposed.event, proposed.record.state, proposed.is_message) == ("proposed", "firing", False)
    assert proposed.stop_reason is None
    assert "another person" in refused(proposed.record, "approve", "lin", FOUR_EYES)
    assert "approves it" in refused(proposed.record, "decide", "wu", FOUR_EYES, decision="stop", reason="yes")
    approved = applied(proposed.record, "approve", "wu", FOUR_EYES)
    assert (approved.record.state, approved.record.decided_by) == ("decided", "lin")
    assert (approved.by, approved.approved_by, approved.stop_reason) == ("wu", "wu", "money is lost")
    assert "nothing to approve" in refused(fired(FOUR_EYES), "approve", "wu", FOUR_EYES)


def test_a_proposal_ends_with_another_decision_or_with_the_alert() -> None:
    proposed = applied(fired(), "decide", "lin", FOUR_EYES, decision="stop", reason="r").record
    assert applied(proposed, "decide", "wu", FOUR_EYES, decision="continue", reason="r").record.proposal is None
    resolved, _ = step(proposed, look("above", rule=AT_ONCE), moment(5), FOUR_EYES)
    assert resolved.proposal is None


@pytest.mark.parametrize("kind", ["acknowledge", "decide", "approve"])
def test_only_an_open_alert_is_acted_upon(kind: str) -> None:
    watching, _ = played(look("undecided"))
    blocked, _ = step(fired(), look("below", faults=("lag",)), moment(1), CONDUCT)
    assert "watching" in refused(watching, kind, decision="stop", reason="r")
    assert "blocked" in refused(blocked, kind, decision="stop", reason="r")
    assert applied(watching, "note", note="new creative on Monday").note == "new creative on Monday"
    assert refused(watching, "note") == "a note needs a text"
