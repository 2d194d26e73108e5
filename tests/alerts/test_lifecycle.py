from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.alerts.lifecycle import OVER, earlier_p_value, held_since, instants_to_look_back, step
from pipeline.alerts.record import Evidence, record_of
from pipeline.alerts.rule import AlertRule
from schemas.alerts import AlertData
from tests.alerts.building import AT_ONCE, HOUR, RULE, T0, look, moment, verdict
from tests.alerts.playing import CONDUCT, FOUR_EYES, applied, fired, played, states

if TYPE_CHECKING:
    from pipeline.alerts.record import Look
    from pipeline.alerts.verdict import Outcome
    from schemas.alerts import State


@pytest.mark.parametrize(
    ("outcome", "state"), [("immature", "immature"), ("undecided", "watching"), ("above", "watching")]
)
def test_a_campaigns_first_look_opens_its_record(outcome: Outcome, state: str) -> None:
    record, (change,) = played(look(outcome))
    assert (record.state, record.previous_state, record.number, record.changes) == (state, None, 1, 1)
    assert (change.event, change.previous_state, change.is_message) == ("opened", None, True)


def test_no_money_is_told_to_be_at_risk_before_a_campaign_can_be_judged() -> None:
    guess = Evidence(money_at_risk_minor=3_442_775)
    young, _ = played(look("immature", evidence=guess))
    judged, _ = played(look("undecided", evidence=guess))
    assert [one.data("")["money_at_risk_minor"] for one in (young, judged)] == [None, 3_442_775]


def test_a_breach_is_pending_until_it_has_held_in_event_time() -> None:
    early = look("below", T0, held_hours=0)
    halfway = look("below", T0 + HOUR // 2, held_hours=0.5)
    late = look("below", T0 + HOUR, held_hours=1)
    _, history = played(look("undecided"), early, halfway, late)
    assert states(history) == ["watching", "pending", "firing"]
    assert history[-1].record.as_of_ms == T0 + HOUR


def test_history_that_is_taken_in_at_once_fires_after_it_has_been_seen_for_a_moment() -> None:
    long_held = look("below", held_hours=300)
    _, history = played(long_held, long_held, long_held, every=CONDUCT.wall_hold_seconds / 2)
    assert states(history) == ["pending", "firing"]


@pytest.mark.parametrize("jump_ms", [-10 * HOUR, 10 * HOUR])
def test_a_jump_of_the_wall_clock_fires_nothing_and_holds_nothing_back(jump_ms: int) -> None:
    held = look("below", held_hours=2)
    record, _ = step(None, held, moment(0), CONDUCT)
    record, change = step(record, held, moment(1, wall_ms=T0 + jump_ms), CONDUCT)
    assert change is None
    record, change = step(record, held, moment(6, wall_ms=T0 + jump_ms), CONDUCT)
    assert change is not None
    assert record.state == "firing"
    assert record.changed_ms > record.opened_ms - 1


def test_without_a_hold_a_breach_fires_at_once() -> None:
    record, history = played(look("undecided"), look("below", rule=AT_ONCE))
    assert states(history) == ["watching", "firing"]
    assert record.opened_ms == record.changed_ms


@pytest.mark.parametrize(("rule", "must_see"), [(AT_ONCE, 0.0), (RULE, 5.0)])
def test_what_fires_waits_for_its_evidence_but_not_for_long(rule: AlertRule, must_see: float) -> None:
    bare = look("below", rule=rule, held_hours=2, is_evident=False)
    record, _ = step(None, bare, moment(), CONDUCT)
    assert record.state == "pending"
    shown, _ = step(record, replace(bare, is_evident=True), moment(must_see + 0.1), CONDUCT)
    assert shown.state == "firing"
    record, change = step(record, bare, moment(must_see + CONDUCT.evidence_seconds - 0.1), CONDUCT)
    assert (record.state, change) == ("pending", None)
    record, _ = step(record, bare, moment(must_see + CONDUCT.evidence_seconds), CONDUCT)
    assert record.state == "firing"


def test_a_campaign_that_is_over_says_so_where_it_is_below() -> None:
    record, _ = played(look("below", held_hours=2, is_over=True))
    assert (record.state, record.evidence.reasons[0]) == ("watching", OVER)
    record, _ = step(fired(), look("below", T0 + HOUR, rule=AT_ONCE, is_over=True), moment(9), CONDUCT)
    assert (record.state, record.evidence.reasons.count(OVER)) == ("resolved", 1)


@pytest.mark.parametrize("outcome", ["undecided", "above", "immature"])
def test_a_breach_that_ends_before_it_has_held_is_watched_again_at_once(outcome: Outcome) -> None:
    record, history = played(look("below"), look(outcome, T0 + 60_000), look("below", T0 + HOUR))
    assert states(history) == ["pending", "immature" if outcome == "immature" else "watching", "pending"]
    assert record.below_since_ms == T0 + HOUR
    assert record.opened_ms == record.changed_ms


@pytest.mark.parametrize("outcome", ["undecided", "immature"])
def test_a_firing_alert_stays_while_nothing_says_that_it_is_above(outcome: Outcome) -> None:
    record, history = played(look("below", rule=AT_ONCE), look(outcome, T0 + 99 * HOUR, held_hours=99))
    assert record.state == "firing"
    assert len(history) == 1


def test_an_open_alert_resolves_once_above_has_held_for_the_hold() -> None:
    above = [look("above", T0 + 9 * HOUR + minutes * 60_000, held_hours=minutes / 60) for minutes in (0, 30, 60)]
    record, history = played(look("below", held_hours=2), look("below", held_hours=2), *above)
    assert states(history) == ["pending", "firing", "resolved"]
    assert record.as_of_ms == T0 + 10 * HOUR
    assert "above" in record.evidence.reasons[0]


def test_a_resolved_alert_that_is_below_again_is_a_new_one() -> None:
    above = look("above", T0 + HOUR, rule=AT_ONCE)
    again = look("below", T0 + 2 * HOUR)
    record, history = played(look("below", rule=AT_ONCE), above, look("undecided", T0 + HOUR), again)
    assert states(history) == ["firing", "resolved", "pending"]
    assert record.number == 2
    assert len({change.record.alert_id for change in history}) == 2


def test_a_campaign_that_is_over_never_fires_and_what_is_open_resolves() -> None:
    over = look("below", T0 + 9 * HOUR, held_hours=9, is_over=True)
    record, history = played(over, over, over)
    assert states(history) == ["watching"]
    record, history = played(look("below", rule=AT_ONCE), over)
    assert states(history) == ["firing", "resolved"]
    assert history[-1].event == "over"
    assert record.evidence.reasons[0].startswith("over")
    record, history = played(look("below", rule=AT_ONCE), over, over, over)
    assert len(history) == 2


@pytest.mark.parametrize("state", ["immature", "watching", "pending", "firing", "acknowledged", "decided"])
def test_a_fault_of_the_data_blocks_any_state_and_is_left_to_the_same(state: State) -> None:
    before = replace(fired(), state=state)
    outcome: Outcome = "immature" if state == "immature" else "undecided" if state == "watching" else "below"
    faulty = look(outcome, T0 + 60_000, faults=("the cost feed is silent for 3 days",))
    blocked, change = step(before, faulty, moment(10), CONDUCT)
    assert change is not None
    assert (blocked.state, blocked.state_before) == ("blocked", state)
    assert blocked.evidence.reasons[0] == "the cost feed is silent for 3 days"
    still, change = step(blocked, replace(faulty, held_since_ms=0), moment(999), CONDUCT)
    assert change is None
    back, change = step(still, look(outcome, T0 + 120_000), moment(1000), CONDUCT)
    assert change is not None
    assert (back.state, back.state_before, change.event) == (state, None, "unblocked")


def test_while_the_data_are_at_fault_nothing_holds() -> None:
    breach = look("below", held_hours=0)
    faulty = look("below", T0 + 2 * HOUR, held_hours=2, faults=("lag",))
    fresh = look("below", T0 + 3 * HOUR, held_hours=0)
    record, history = played(breach, faulty, fresh, fresh)
    assert states(history) == ["pending", "blocked", "pending"]
    assert record.below_since_ms == T0 + 3 * HOUR


def test_nothing_fires_while_a_fault_is_suspected_however_short_the_hold() -> None:
    doubtful = look("below", rule=AT_ONCE, doubts=("lag: transactions are being caught up with",))
    record, history = played(doubtful, doubtful)
    assert states(history) == ["pending"]
    assert record.evidence.reasons[0].startswith("lag: ")
    assert record.below_since_ms is None, "what a half-read history says is not remembered"
    record, change = step(record, look("below", rule=AT_ONCE), moment(20), CONDUCT)
    assert change is not None
    assert record.state == "firing"


def test_a_suspected_fault_neither_resolves_an_alert_nor_unblocks_it_nor_begins_another() -> None:
    doubts = ("transactions stand",)
    record, change = step(fired(), look("above", rule=AT_ONCE, doubts=doubts), moment(10), CONDUCT)
    assert (record.state, change) == ("firing", None)
    blocked, _ = step(record, look("below", faults=("halted",)), moment(20), CONDUCT)
    kept, change = step(blocked, look("below", doubts=doubts), moment(30), CONDUCT)
    assert (kept.state, kept.evidence.reasons[0], change) == ("blocked", "transactions stand", None)
    resolved, _ = step(fired(), look("above", rule=AT_ONCE), moment(10), CONDUCT)
    same, change = step(resolved, look("below", T0 + HOUR, rule=AT_ONCE, doubts=doubts), moment(20), CONDUCT)
    assert (same, change) == (resolved, None)


def test_a_block_that_an_earlier_process_has_found_stands_until_this_one_has_watched_for_long_enough() -> None:
    young = look("below", young="as last recorded")
    blocked, _ = step(fired(), look("below", faults=("dead letters",)), moment(0), CONDUCT)
    own, _ = step(blocked, young, moment(1), CONDUCT)
    assert own.state == "firing", "who has found the fault also sees its end"
    inherited = record_of(blocked.body("http://board"))
    kept, change = step(inherited, young, moment(1), CONDUCT)
    assert (kept.state, kept.evidence.reasons[0], change) == ("blocked", "as last recorded", None)
    back, _ = step(kept, look("below"), moment(61), CONDUCT)
    assert back.state == "firing"


def seen(outcome: Outcome, p_value: float, **values: Any) -> Look:
    one = look(outcome, **{"rule": AT_ONCE, **values})
    return replace(one, verdict=replace(one.verdict, p_value=p_value))


def test_the_smallest_p_value_of_all_looks_is_remembered_through_alerts_but_not_of_what_is_at_fault() -> None:
    unsure = [seen("undecided", 1e-5, doubts=("transactions stand",)), seen("undecided", 1e-6, faults=("halted",))]
    record, _ = played(seen("undecided", 0.3), seen("undecided", 0.2), *unsure, seen("undecided", 0.4))
    assert record.smallest_p_value == 0.2
    record, _ = played(seen("below", 0.1), seen("above", 0.5), seen("undecided", 0.02), seen("undecided", 0.9))
    assert (record.state, record.verdict.p_value, record.smallest_p_value) == ("resolved", 0.5, 0.02)
    again, _ = step(record, seen("below", 0.03), moment(99), CONDUCT)
    assert (again.number, again.smallest_p_value) == (2, 0.02)


def test_another_required_ratio_forgets_the_p_values_of_the_one_before() -> None:
    other = replace(AT_ONCE, min_return_ratio=AT_ONCE.min_return_ratio / 2)
    record, _ = played(seen("undecided", 1e-9), seen("undecided", 0.4, rule=other), seen("undecided", 0.6, rule=other))
    assert record.smallest_p_value == 0.4


def test_the_p_values_of_a_resolved_alerts_campaign_belong_to_the_ratio_that_they_were_held_against() -> None:
    other = replace(AT_ONCE, min_return_ratio=5.0)
    record, _ = played(seen("below", 0.04), seen("above", 0.5))
    assert (record.state, earlier_p_value(record, AT_ONCE), earlier_p_value(record, other)) == ("resolved", 0.04, 1.0)
    found = []
    for p_value in (0.5, 0.001, 0.7):
        record, _ = step(record, seen("undecided", p_value, rule=other), moment(99), CONDUCT)
        record = record_of(record.body("http://board"))
        found.append((earlier_p_value(record, other), earlier_p_value(record, AT_ONCE)))
    assert found == [(0.5, 1.0), (0.001, 1.0), (0.001, 1.0)]
    assert record.rule == AT_ONCE, "it keeps what it was resolved with"
    again, _ = step(record, seen("below", 0.02, rule=other), moment(99), CONDUCT)
    assert (again.number, earlier_p_value(again, other)) == (2, 0.001)


def test_a_record_of_a_version_without_the_ratio_of_its_p_value_has_that_of_its_rule() -> None:
    record, _ = played(seen("undecided", 0.2, rule=replace(AT_ONCE, min_return_ratio=3.0)))
    body = json.loads(record.body("http://board"))
    assert body.pop("smallest_p_value_ratio") == 3.0
    assert record_of(json.dumps(body)) == replace(record, seen_since=None, told_since=None)


def test_a_record_of_a_version_without_the_smallest_p_value_has_that_of_its_newest_look() -> None:
    record, _ = played(seen("undecided", 0.2), seen("undecided", 0.4))
    body = json.loads(record.body("http://board"))
    assert record_of(json.dumps(body)).smallest_p_value == body.pop("smallest_p_value") == 0.2
    assert record_of(json.dumps(body)).smallest_p_value == 0.4


def test_a_withheld_breach_stays_pending_and_says_why() -> None:
    held = look("below", held_hours=2, withheld="9 % of what would fire are expected to be false")
    record, history = played(held, held)
    assert states(history) == ["pending"]
    assert record.evidence.reasons[0].startswith("9 %")
    record, change = step(record, replace(held, withheld=""), moment(20), CONDUCT)
    assert change is not None
    assert record.state == "firing"


def test_since_when_it_holds_is_looked_up_hour_by_hour_to_the_beginning_of_the_hold() -> None:
    rule = AlertRule(hold_minutes=150)
    now = verdict("below", T0)
    instants = instants_to_look_back(None, now, rule)
    assert instants == [T0 - HOUR, T0 - 2 * HOUR, T0 - 150 * 60_000]
    assert held_since(None, now, [(instant, "below") for instant in instants]) == T0 - 150 * 60_000
    broken: list[tuple[int, Outcome]] = [(instants[0], "below"), (instants[1], "undecided"), (instants[2], "below")]
    assert held_since(None, now, broken) == T0 - HOUR
    assert instants_to_look_back(None, verdict("undecided"), rule) == []
    assert instants_to_look_back(None, now, AT_ONCE) == []


def test_a_breach_that_goes_on_is_looked_up_only_where_nobody_looked() -> None:
    record, _ = played(look("below", T0))
    soon, late = verdict("below", T0 + 60_000), verdict("below", T0 + 3 * HOUR)
    rule = AlertRule(hold_minutes=600)
    assert instants_to_look_back(record, soon, rule) == []
    assert held_since(record, soon, []) == T0
    assert instants_to_look_back(record, late, rule) == [T0 + 2 * HOUR, T0 + HOUR]
    assert held_since(record, late, [(T0 + 2 * HOUR, "below"), (T0 + HOUR, "below")]) == T0
    assert held_since(record, late, [(T0 + 2 * HOUR, "below"), (T0 + HOUR, "above")]) == T0 + 2 * HOUR


def test_the_record_survives_being_written_and_shows_what_messages_show() -> None:
    record = applied(fired(FOUR_EYES), "decide", "lin", FOUR_EYES, decision="stop", reason="r").record
    body = record.body("http://board")
    assert record_of(body) == replace(record, seen_since=None)
    shown = json.loads(body)
    AlertData.model_validate({name: shown[name] for name in AlertData.model_fields})


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_numbers_that_json_has_not_are_written_as_none(value: float) -> None:
    odd = replace(verdict("below"), converters_needed=value, boundary=value, matured_share=1.7)
    record, _ = played(replace(look("below"), verdict=odd))
    shown = json.loads(record.body("http://board"))
    assert (shown["converters_needed"], shown["boundary"], shown["matured_share"]) == (None, None, 1.0)
