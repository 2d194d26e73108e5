from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.alerts.actions import Action
from pipeline.alerts.desk import Desk
from pipeline.alerts.evaluator import PIECE, Evaluator
from pipeline.alerts.lifecycle import Conduct
from pipeline.alerts.log import Addressing, Notification
from pipeline.alerts.record import Campaign, Moment
from pipeline.backoff import Backoff
from pipeline.errors import FencedError
from tests.alerts.building import AT_ONCE, HOUR, T0, look
from tests.support.fakes_alerts import AlertTables, FakeAlertStore

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from pipeline.alerts.lifecycle import Change
    from pipeline.alerts.log import LogRow, NotificationState
    from pipeline.alerts.record import Look

FIRES = look("below", rule=AT_ONCE)
GOOD = look("above", T0 + HOUR, rule=AT_ONCE)


class Office:
    """A store, a desk on it, an evaluator at the desk, and clocks that a test sets."""

    def __init__(self, *, repeat_seconds: float = 600.0, conduct: Conduct | None = None) -> None:
        self.tables = AlertTables()
        self.seconds = 0.0
        self.wall_ms = T0
        self.addressing = Addressing("http://board", ("floor",), frozenset({"floor", "boss"}))
        self._repeat_seconds = repeat_seconds
        self._conduct = conduct or Conduct()
        self.counted: Counter[str] = Counter()
        self.begin()

    def begin(self, owner: str = "first") -> Evaluator:
        """Take over, as a new process does."""
        self.store = FakeAlertStore(self.tables, owner)
        self.desk = Desk(self.store, self.store.claim(), self.store.load(), clock=lambda: self.seconds)
        self.evaluator = Evaluator(
            self.desk,
            self._conduct,
            self.addressing,
            repeat_seconds=self._repeat_seconds,
            told=self,
            now=lambda: Moment(self.wall_ms, self.seconds),
        )
        return self.evaluator

    def changed(self, change: Change) -> None:
        self.counted[change.record.state] += 1

    def acted(self, outcome: str, count: int) -> None:
        self.counted[outcome] += count

    def turn(self, *looks: Look) -> None:
        run(self.evaluator.turn(looks))

    def ask(self, kind: str, by: str = "lin", action_id: str | None = None, **body: Any) -> dict[str, Any]:
        """Hand an action in, have it applied, and return its outcome."""
        alert_id = next((record.alert_id for record in self.desk.records.values()), "")
        one = Action(action_id or f"act-{len(self.tables.actions)}", alert_id, kind, by, body, self.wall_ms)
        self.tables.actions.append(one)
        run(self.evaluator.apply(self.store.actions()))
        _, row = self.tables.log["action", one.action_id]
        return {"state": row.state, **json.loads(row.body)}

    def settle(self, state: NotificationState) -> None:
        """Have all notices that wait end so, as whoever sends does."""
        notices = [replace(one, state=state) for one in self.desk.notifications.values()]
        run(self.desk.write([one.row(self.wall_ms) for one in notices]))

    def pass_time(self, seconds: float) -> None:
        self.seconds += seconds
        self.wall_ms += round(seconds * 1000)

    def rows(self, kind: str) -> list[LogRow]:
        return [row for _, row in self.tables.log.values() if row.kind == kind]

    def notices(self) -> list[tuple[str, str, str]]:
        told = [Notification.of(row) for row in self.rows("notification")]
        return [(one.receiver, one.message_type, one.state) for one in told]


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


@pytest.fixture
def office() -> Office:
    return Office()


def test_a_change_of_state_comes_with_its_entry_its_message_and_its_notices(office: Office) -> None:
    office.turn(FIRES)
    assert {kind: len(office.rows(kind)) for kind in ("alert", "change", "message", "notification")} == {
        "alert": 1,
        "change": 1,
        "message": 1,
        "notification": 1,
    }
    (message,) = office.rows("message")
    (notice,) = office.rows("notification")
    assert json.loads(notice.body)["message_id"] == message.id
    assert json.loads(json.loads(message.body)["payload"])["type"] == "alert.firing"
    assert office.notices() == [("floor", "alert.firing", "waiting")]
    assert office.counted == {"firing": 1}


@pytest.mark.parametrize("outcome", ["immature", "undecided"])
def test_nobody_is_told_of_what_asks_nobody_to_act(office: Office, outcome: Any) -> None:
    office.turn(look(outcome))
    office.turn(look("below", T0 + 1))
    assert len(office.rows("message")) == 2
    assert office.notices() == []


def test_a_definition_names_its_receivers_and_unknown_ones_are_dead_at_once(office: Office) -> None:
    named = Campaign("spring", "Spring", "retail", receivers=("boss", "boss", "nobody"))
    office.turn(replace(FIRES, campaign=named))
    assert sorted(office.notices()) == [("boss", "alert.firing", "waiting"), ("nobody", "alert.firing", "dead")]


def test_a_write_whose_answer_was_lost_is_repeated_and_makes_nothing_twice(office: Office) -> None:
    office.store.loses_answers = 2
    office.turn(FIRES)
    office.turn(FIRES)
    assert Counter(row.kind for _, row in office.tables.log.values()) == Counter(
        ("alert", "change", "message", "notification")
    )


def test_who_is_followed_stops_and_the_successor_goes_on_from_what_was_written(office: Office) -> None:
    office.turn(FIRES)
    former = office.evaluator
    office.begin("second")
    with pytest.raises(FencedError):
        run(former.turn([GOOD]))
    assert [record.state for record in office.desk.records.values()] == ["firing"]
    assert list(office.desk.messages) == [row.id for row in office.rows("message")]
    office.turn(GOOD)
    assert [record.state for record in office.desk.records.values()] == ["resolved"]


def test_a_step_that_was_not_written_is_taken_again_under_the_same_ids(office: Office) -> None:
    office.turn(FIRES)
    before = sorted(office.tables.log)
    office.tables.log.clear()
    office.begin("second")
    office.pass_time(30)
    office.turn(FIRES)
    assert sorted(office.tables.log) == before


def test_many_campaigns_change_in_pieces_that_are_each_whole(office: Office) -> None:
    looks = [look("below", rule=AT_ONCE, campaign_id=f"c{number}") for number in range(PIECE + 10)]
    writes: list[int] = []
    office.store.after_write = lambda: writes.append(len(office.rows("change")))
    office.turn(*looks)
    assert writes == [PIECE, PIECE + 10]


def test_an_action_is_applied_exactly_once_by_its_id(office: Office) -> None:
    office.turn(FIRES)
    assert office.ask("acknowledge", note="on it", action_id="a")["state"] == "applied"
    run(office.evaluator.apply(office.tables.actions))
    office.begin("second")
    run(office.evaluator.apply(office.store.actions()))
    assert [row.state for row in office.rows("change")] == ["firing", "acknowledged"]
    assert office.counted["applied"] == 1


def test_an_action_that_stands_there_twice_is_applied_once_and_the_outcome_tells_which(office: Office) -> None:
    office.turn(FIRES)
    (alert_id,) = office.desk.alerts
    first = Action("a", alert_id, "note", "lin", {"note": "one"}, 1)
    second = Action("a", alert_id, "note", "lin", {"note": "two"}, 2)
    run(office.evaluator.apply([first, second]))
    assert [json.loads(row.body)["note"] for row in office.rows("change")][1:] == ["one"]
    (outcome,) = office.rows("action")
    assert json.loads(outcome.body)["asked"] == first.digest != second.digest


def test_actions_of_one_round_see_each_other(office: Office) -> None:
    office.turn(FIRES)
    (alert_id,) = office.desk.alerts
    first = Action("a", alert_id, "acknowledge", "lin", {}, 1)
    second = Action("b", alert_id, "acknowledge", "wu", {}, 2)
    run(office.evaluator.apply([first, second]))
    outcomes = {row.id: row.state for row in office.rows("action")}
    assert outcomes == {"a": "applied", "b": "refused"}
    assert office.desk.records["spring"].acknowledged_by == "lin"


def test_a_decision_to_stop_is_one_message_on_each_topic(office: Office) -> None:
    office.turn(FIRES)
    office.ask("decide", decision="stop", reason="money is lost")
    assert office.ask("decide", "wu", decision="stop", reason="again")["state"] == "refused"
    topics = Counter(json.loads(row.body)["topic"] for row in office.rows("message"))
    assert topics == {"roi.alerts.v1": 2, "roi.stops.v1": 1}
    stop = next(json.loads(row.body) for row in office.rows("message") if "stops" in row.body)
    data = json.loads(stop["payload"])["data"]
    assert (data["decided_by"], data["approved_by"], data["reason"]) == ("lin", None, "money is lost")


@pytest.mark.parametrize(
    ("kind", "why"),
    [("acknowledge", "there is no alert"), ("explode", "there is no alert"), ("unsilence", "no such silence")],
)
def test_what_cannot_be_applied_is_refused_with_a_reason(office: Office, kind: str, why: str) -> None:
    assert why in office.ask(kind)["why"]


def test_a_firing_alert_that_nobody_acknowledges_is_told_again(office: Office) -> None:
    office.turn(FIRES)
    for _ in range(3):
        office.pass_time(600)
        office.turn(FIRES)
        office.turn(FIRES)
    reminders = [Notification.of(row) for row in office.rows("notification") if Notification.of(row).is_reminder]
    assert len(reminders) == len({one.notification_id for one in reminders}) == 3
    assert len(office.rows("message")) == 1
    office.ask("acknowledge")
    office.pass_time(6000)
    office.turn(FIRES)
    assert len(office.rows("notification")) == 4


@pytest.mark.parametrize("jump_ms", [-90 * 24 * HOUR, 90 * 24 * HOUR])
def test_a_jump_of_the_wall_clock_reminds_nobody_twice(office: Office, jump_ms: int) -> None:
    office.turn(FIRES)
    office.wall_ms += jump_ms
    office.pass_time(1)
    office.turn(FIRES)
    assert len(office.rows("notification")) == 1
    office.begin("second")  # which takes what lies before its start from the wall
    office.turn(FIRES)
    office.pass_time(1)
    office.turn(FIRES)
    assert len(office.rows("notification")) <= 2
    office.pass_time(600)
    office.turn(FIRES)
    assert len(office.rows("notification")) >= 2


def test_dead_notices_are_retried_by_hand(office: Office) -> None:
    office.turn(FIRES)
    (waiting,) = office.desk.notifications.values()
    dead = replace(waiting, state="dead", attempts=9, last_error="HTTP 500")
    run(office.desk.write([dead.row(T0)]))
    assert office.desk.notifications == {}
    assert office.ask("retry", notification_id="ntf_other")["state"] == "refused"
    assert office.ask("retry", notification_id=dead.notification_id)["state"] == "applied"
    (again,) = office.desk.notifications.values()
    assert (again.state, again.attempts, again.message_id) == ("waiting", 0, waiting.message_id)
    assert office.ask("retry")["state"] == "refused"


def test_a_test_goes_to_the_receiver_that_is_named_or_to_all(office: Office) -> None:
    assert office.ask("test", receiver="boss")["state"] == "applied"
    assert office.notices() == [("boss", "test", "waiting")]
    assert office.ask("test", receiver="nobody")["state"] == "refused"
    assert office.ask("test")["state"] == "applied"
    assert len(office.notices()) == 3
    assert office.rows("message") == []


def test_a_frozen_instance_learns_that_another_decides_before_it_sends(office: Office) -> None:
    run(office.desk.confirm())
    FakeAlertStore(office.tables, "second").claim()
    run(office.desk.confirm())  # an answer of a moment ago does
    office.pass_time(5)
    with pytest.raises(FencedError):
        run(office.desk.confirm())


def test_a_turn_waits_for_clickhouse_and_goes_on_when_it_is_there_again(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.alerts.desk.WAITS", Backoff(first_seconds=0.001, longest_seconds=0.001))
    told: list[str] = []

    def trouble(why: str) -> None:
        told.append(why)
        office.store.is_away = len(told) < 5

    office.desk._trouble = trouble
    office.store.is_away = True
    office.turn(FIRES)
    assert told == ["away"] * 5 + [""]
    assert office.notices() == [("floor", "alert.firing", "waiting")]
