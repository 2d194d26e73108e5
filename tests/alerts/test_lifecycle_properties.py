from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.alerts.actions import act
from pipeline.alerts.lifecycle import Change, Conduct, step
from pipeline.alerts.record import AlertRecord, Moment, record_of
from pipeline.alerts.verdict import Outcome
from schemas.alerts import OPEN_STATES
from tests.alerts.building import AT_ONCE, HOUR, RULE, T0, action, look
from tests.support.depth import depth

if TYPE_CHECKING:
    from pipeline.alerts.record import Look
    from schemas.alerts import State

OUTCOMES: Final = get_args(Outcome)
# what may follow a state; the first of an alert follows none
FOLLOWS: Final[dict[State | None, set[State]]] = {
    None: {"immature", "watching", "pending", "firing", "blocked"},
    "immature": {"watching", "pending", "firing", "blocked"},
    "watching": {"immature", "pending", "firing", "blocked"},
    "pending": {"immature", "watching", "firing", "blocked"},
    "firing": {"acknowledged", "decided", "resolved", "blocked"},
    "acknowledged": {"decided", "resolved", "blocked"},
    "decided": {"decided", "resolved", "blocked"},
    "blocked": {"immature", "watching", "pending", "firing", "acknowledged", "decided"},
    "resolved": set(),
}
LOOKS = st.tuples(
    st.sampled_from(OUTCOMES),
    st.integers(0, 180),
    st.integers(0, 120),
    st.sampled_from([(), (), (), ("lag",)]),
    st.sampled_from([(), (), (), ("perhaps",)]),
    st.sampled_from(["", "", "young"]),
    st.sampled_from([False] * 9 + [True]),
    st.sampled_from(["", "", "", "too many"]),
    st.booleans(),
)
ACTIONS = st.tuples(
    st.sampled_from(["acknowledge", "decide", "approve", "note", "explode"]),
    st.sampled_from(["lin", "wu"]),
    st.fixed_dictionaries(
        {},
        optional={
            "decision": st.sampled_from(["stop", "optimise", "continue", "other", 7]),
            "reason": st.sampled_from(["because", "", " "]),
            "note": st.sampled_from(["seen", ""]),
        },
    ),
)


@settings(max_examples=depth(600), deadline=None)
@given(
    events=st.lists(st.one_of(LOOKS, ACTIONS), max_size=40),
    walls=st.lists(st.integers(-5 * HOUR, 5 * HOUR), min_size=40, max_size=40),
    four_eyes=st.booleans(),
)
def test_no_sequence_leads_to_an_impossible_transition_two_open_stops_or_a_lost_state(
    *, events: list[tuple[Any, ...]], walls: list[int], four_eyes: bool
) -> None:
    conduct = Conduct(four_eyes=four_eyes)
    record: AlertRecord | None = None
    as_of = T0
    history: list[Change] = []
    for number, event in enumerate(events):
        now = Moment(T0 + walls[number], number * 3.0)
        before = record
        if len(event) == 9:
            outcome, minutes, held, faults, doubts, young, over, withheld, at_once = event
            as_of += minutes * 60_000
            one = look(outcome, as_of, held_hours=held / 60, faults=faults, is_over=over, withheld=withheld)
            one = replace(one, doubts=doubts, young=young, rule=AT_ONCE if at_once else RULE)
            record, change = step(record, one, now, conduct)
            _check_doubts(before, record, one)
        elif record is not None:
            answer = act(record, action(event[0], event[1], record.alert_id, **event[2]), now, conduct)
            change = answer if isinstance(answer, Change) else None
            record = change.record if change else record
        else:
            continue
        if change is None:
            assert before is not None
            assert before.state == record.state
            assert before.changes == record.changes
        else:
            history.append(change)
            _check_entry(before, change)
        record = replace(record_of(record.body("http://board")), seen_since=record.seen_since)  # as after a restart
    _check_stops(history, four_eyes=four_eyes)


def _check_doubts(before: AlertRecord | None, record: AlertRecord, one: Look) -> None:
    """Nothing is concluded while a fault is suspected, and nothing is unblocked by who has not watched for long."""
    state = None if before is None else before.state
    if one.is_over:
        return
    if one.doubts:
        assert record.state == state or record.state not in {"firing", "resolved"}
        assert state != "blocked" or record.state == "blocked"
        assert record.below_since_ms is None or before is record or state == "resolved"
    if one.young:  # every record here is as another process has left it
        assert state != "blocked" or record.state == "blocked"


def _check_entry(before: AlertRecord | None, change: Change) -> None:
    record = change.record
    renewed = before is None or before.alert_id != record.alert_id
    if renewed:
        assert before is None or before.state == "resolved"
        assert record.changes == 1
    else:
        assert before is not None
        assert record.changes == before.changes + 1
        assert record.entered_ms > before.entered_ms
        assert record.changed_ms == (record.entered_ms if change.is_message else before.changed_ms)
    previous = None if renewed or before is None else before.state
    assert change.previous_state == previous
    assert record.state == previous or record.state in FOLLOWS[previous]
    if before is not None and before.state == "blocked" and not renewed and record.state != "blocked":
        assert record.state == before.state_before
    assert (record.state_before is not None) == (record.state == "blocked")
    if record.state == "firing" and previous != "blocked":
        assert record.below_since_ms is not None or change.event in {"note", "proposed"}
    assert record.state != "decided" or record.decision is not None
    assert record.stop_id is None or (record.state_before or record.state) in OPEN_STATES


def _check_stops(history: list[Change], *, four_eyes: bool) -> None:
    asked: dict[str, int] = {}
    for change in history:
        if change.stop_reason is not None:
            asked[change.record.alert_id] = asked.get(change.record.alert_id, 0) + 1
            assert (change.approved_by is not None) == four_eyes
            assert change.approved_by != change.record.decided_by
            assert change.stop_reason
    assert all(count == 1 for count in asked.values())
