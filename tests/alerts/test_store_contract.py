from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from pipeline.alerts.actions import Action
from pipeline.alerts.log import LogRow, Notification
from pipeline.alerts.store import ClickHouseAlertStore, encode
from pipeline.errors import FencedError
from tests.support.fakes_alerts import AlertTables, FakeAlertStore

if TYPE_CHECKING:
    from pipeline.alerts.store import AlertStore

pytestmark = pytest.mark.contract


class Bench(Protocol):
    """One database that several instances open."""

    def open(self, owner: str) -> AlertStore: ...
    def hand_in(self, action: Action) -> None: ...


class FakeBench:
    def __init__(self) -> None:
        self._tables = AlertTables()

    def open(self, owner: str) -> FakeAlertStore:
        return FakeAlertStore(self._tables, owner)

    def hand_in(self, action: Action) -> None:
        self._tables.actions.append(action)


class ClickHouseBench:
    def __init__(self, client: Any) -> None:
        self._client = client
        for table in ("alert_log", "alert_actions", "alert_leases"):
            client.command(f"TRUNCATE TABLE roi.{table}")

    def open(self, owner: str) -> ClickHouseAlertStore:
        return ClickHouseAlertStore(self._client, "roi", owner)

    def hand_in(self, action: Action) -> None:
        self._client.command(
            "INSERT INTO roi.alert_actions (action_id, alert_id, action, by, body, at) VALUES "
            f"('{action.action_id}', '{action.alert_id}', '{action.action}', '{action.by}', "
            f"""'{{"note": "seen"}}', fromUnixTimestamp64Milli({action.at_ms}, 'UTC'))"""
        )


@pytest.fixture(params=["fake", pytest.param("clickhouse", marks=pytest.mark.process)])
def bench(request: pytest.FixtureRequest) -> Bench:
    return FakeBench() if request.param == "fake" else ClickHouseBench(request.getfixturevalue("clickhouse"))


def alert(state: str, number: int = 1) -> LogRow:
    return LogRow("alert", f"alr_{number}", f"alr_{number}", "spring", state, 1_790_000_000_123, '{"值": "1:2"}')


def message(state: str) -> LogRow:
    return LogRow("message", "msg_1", "alr_1", "spring", state, 1_790_000_000_123, "{}")


def notification(state: str) -> LogRow:
    return LogRow("notification", "ntf_1", "alr_1", "spring", state, 1_790_000_000_123, "{}")


def silence(state: str) -> LogRow:
    return LogRow("silence", "sil_1", "", "spring", state, 1_790_000_000_123, "{}")


def test_every_claim_has_a_greater_epoch(bench: Bench) -> None:
    first, second = bench.open("first"), bench.open("second")
    epoch = first.claim()
    assert second.claim() == epoch + 1
    assert first.claim() == epoch + 2 == second.newest_epoch()


def test_an_installation_has_a_name_that_no_other_has(bench: Bench) -> None:
    assert bench.open("first").installation() == bench.open("second").installation()
    assert len(bench.open("first").installation()) > 30
    assert "00000000-0000" not in bench.open("first").installation()


def test_what_was_written_is_loaded_as_it_was(bench: Bench) -> None:
    store = bench.open("first")
    rows = [alert("firing"), message("waiting"), notification("waiting"), silence("active")]
    store.write(encode(rows, store.claim(), 1))
    assert store.load() == rows


def test_a_later_write_replaces_and_an_earlier_one_that_arrives_late_does_not(bench: Bench) -> None:
    store = bench.open("first")
    epoch = store.claim()
    store.write(encode([alert("firing")], epoch, 2))
    store.write(encode([alert("pending")], epoch, 1))
    assert store.load() == [alert("firing")]
    store.write(encode([alert("acknowledged")], epoch, 3))
    assert store.load() == [alert("acknowledged")]


def test_a_write_that_is_repeated_changes_nothing(bench: Bench) -> None:
    store = bench.open("first")
    write = encode([alert("firing"), message("waiting")], store.claim(), 1)
    store.write(write)
    store.write(write)
    assert store.load() == [alert("firing"), message("waiting")]


def test_who_was_followed_writes_nothing_any_more(bench: Bench) -> None:
    first, second = bench.open("first"), bench.open("second")
    epoch = first.claim()
    second.claim()
    with pytest.raises(FencedError):
        first.write(encode([alert("firing")], epoch, 1))
    assert second.load() == []


def test_a_write_under_an_earlier_claim_of_the_same_instance_is_refused(bench: Bench) -> None:
    store = bench.open("first")
    earlier = store.claim()
    epoch = store.claim()
    with pytest.raises(FencedError):
        store.write(encode([alert("firing")], earlier, 1))
    store.write(encode([alert("pending")], epoch, 1))
    assert store.load() == [alert("pending")]


def test_a_later_epochs_first_write_replaces_an_earlier_ones_last(bench: Bench) -> None:
    first, second = bench.open("first"), bench.open("second")
    first.write(encode([alert("firing")], first.claim(), 999))
    second.write(encode([alert("resolved")], second.claim(), 1))
    assert second.load() == [alert("resolved")]


def test_what_is_sent_ended_or_history_is_not_loaded(bench: Bench) -> None:
    store = bench.open("first")
    epoch = store.claim()
    waiting = [message("waiting"), notification("waiting"), silence("active")]
    store.write(encode([alert("resolved"), *waiting], epoch, 1))
    settled = [message("sent"), notification("suppressed"), silence("ended")]
    history = LogRow("change", "chg_1", "alr_1", "spring", "firing", 1, "{}")
    store.write(encode([*settled, history], epoch, 2))
    assert store.load() == [alert("resolved")]


def test_dead_notifications_are_found_when_asked_for(bench: Bench) -> None:
    store = bench.open("first")
    store.write(encode([notification("dead")], store.claim(), 1))
    assert store.load() == []
    assert store.dead() == [notification("dead")]


def test_actions_wait_in_their_order_until_their_outcome_is_written(bench: Bench) -> None:
    store = bench.open("first")
    later = Action("a", "alr_1", "note", "lin", {"note": "seen"}, 1_790_000_000_002)
    sooner = Action("b", "alr_1", "acknowledge", "wu", {"note": "seen"}, 1_790_000_000_001)
    bench.hand_in(later)
    bench.hand_in(sooner)
    assert store.actions() == [sooner, later]
    store.write(encode([LogRow("action", "b", "alr_1", "spring", "applied", 1, "{}")], store.claim(), 1))
    assert store.actions() == [later]


def test_the_newest_sign_of_life_of_the_newest_epoch_is_found(bench: Bench) -> None:
    store = bench.open("first")
    assert store.lease() is None
    store.beat(7, 1, {"tick": 1})
    store.beat(7, 2, {"tick": 2})
    store.beat(6, 9, {"zombie": True})
    lease = store.lease()
    assert lease is not None
    assert (lease.epoch, lease.owner, lease.beat, lease.body, lease.has_ended) == (7, "first", 2, {"tick": 2}, False)
    assert -5 < lease.age_seconds < 60
    store.beat(7, 3, {"ended": True})
    ended = store.lease()
    assert ended is not None
    assert ended.has_ended


def test_the_newest_message_of_each_receiver_is_known_tests_aside(bench: Bench) -> None:
    store = bench.open("first")
    epoch = store.claim()
    rows = [
        told(number, receiver, sent_ms, kind).row(1_790_000_000_000)
        for number, (receiver, sent_ms, kind) in enumerate(
            [
                ("floor", 1_790_000_000_001, "alert.firing"),
                ("floor", 1_790_000_000_003, "alert.resolved"),
                ("floor", 1_790_000_000_009, "test"),
                ("boss", 1_790_000_000_002, "alert.firing"),
                ("nobody", None, "alert.firing"),
            ]
        )
    ]
    store.write(encode(rows, epoch, 1))
    assert store.last_sent() == {"floor": 1_790_000_000_003, "boss": 1_790_000_000_002}


def told(number: int, receiver: str, sent_ms: int | None, kind: str) -> Notification:
    one = Notification(f"ntf_{number}", "alr_1", "spring", receiver, f"msg_{number}", kind, "{}", 1)
    return one if sent_ms is None else replace(one, state="sent", sent_ms=sent_ms)
