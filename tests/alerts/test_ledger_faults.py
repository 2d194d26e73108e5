"""What is at fault and what is in doubt, from the ledger's rows and the logs' ends, look by look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from pipeline.alert_settings import AlertSettings
from pipeline.alerts.ledger_faults import LedgerFaults
from pipeline.alerts.lifecycle import Conduct, step
from pipeline.alerts.looking import Now
from pipeline.alerts.plans import plan_of
from pipeline.alerts.record import Moment, record_of
from pipeline.state.policy import Policy
from schemas.topics import TOUCHES, TRANSACTIONS
from tests.alerts.building import AT_ONCE, T0, look

if TYPE_CHECKING:
    from pipeline.alerts.looking import DataFaults
    from pipeline.alerts.record import AlertRecord

SETTINGS = AlertSettings(lag_seconds=60)
PLAN = plan_of("spring", None, Policy(models=("last_touch",), future_ms=None, pseudonym_key=b"key"))
NOW = Now(T0, {"spring": PLAN}, frozenset())


class Bank:
    """A ledger and a broker of which it is told how far they are, and the evaluator's part that watches them."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.durable = 100
        self.dead_letters = 0
        self.log_end: int | None = 100
        self.silent_since: float | None = None
        self.watcher = self.taken_over()

    def taken_over(self) -> LedgerFaults:
        return LedgerFaults(
            self, SETTINGS, lambda _: {}, self, clocks=lambda: Moment(T0 + round(1000 * self.seconds), self.seconds)
        )

    def fetch(self, name: str, **parameters: Any) -> list[list[Any]]:
        del parameters
        transactions = [TRANSACTIONS, "life", 0, 100, T0, 100, 0, 0]
        touches = [TOUCHES, "life", 0, self.durable, T0, self.durable, 0, self.dead_letters]
        if name == "alert_feeds":
            return [touches, transactions]
        return [[1, T0, 0]] if name == "alert_pulse" else []

    def newest(self) -> tuple[float, dict[tuple[str, str, int], int]] | None:
        seconds = self.seconds if self.silent_since is None else self.silent_since
        return None if self.log_end is None else (seconds, {(TOUCHES, "life", 0): self.log_end})

    def look(self, after: float = 1.0) -> DataFaults:
        self.seconds += after
        return self.watcher.faults(NOW)

    def stepped(self, record: AlertRecord | None, found: DataFaults) -> AlertRecord:
        """Return the alert of a campaign that is below and need not hold."""
        faults, doubts = found.faults.get("spring", ()), found.doubts.get("spring", ())
        one = look("below", rule=AT_ONCE, young=found.young, faults=faults, doubts=doubts)
        return step(record, one, Moment(T0, self.seconds), Conduct(wall_hold_seconds=0))[0]


@pytest.fixture
def bank() -> Bank:
    return Bank()


def test_nothing_fires_between_a_start_and_the_first_word_of_how_far_the_logs_are(bank: Bank) -> None:
    bank.log_end, bank.durable = None, 7
    record = bank.stepped(None, bank.look())
    assert record.state == "pending"
    bank.log_end = 100
    record = bank.stepped(record, bank.look())
    assert record.state == "pending"
    assert record.evidence.reasons[0] == "lag: touches are being caught up with"
    record = bank.stepped(record, bank.look(3.0))
    assert record.state == "blocked"
    bank.durable = 100
    record = bank.stepped(record, bank.look())
    assert record.state == "blocked"
    bank.look(3.0)
    record = bank.stepped(record, bank.look())
    assert record.state == "pending"
    assert bank.stepped(record, bank.look()).state == "firing"


def test_while_kafka_says_nothing_for_long_all_are_blocked(bank: Bank) -> None:
    bank.log_end = None
    bank.look()
    assert bank.look(59).faults == {}
    assert bank.look(1).faults == {"spring": ("lag: not known, Kafka has not said yet where its logs end",)}


def test_kafka_that_falls_silent_for_as_long_as_a_lag_may_be_blocks_all_until_what_waited_meanwhile_is_read(
    bank: Bank,
) -> None:
    record = bank.stepped(None, bank.look())
    bank.silent_since = bank.seconds
    for _ in range(60):
        assert not bank.look().faults
    seen = []
    for second in range(300):
        if second == 100:
            bank.silent_since, bank.log_end = None, 500
        if second == 200:
            bank.durable = 500
        record = bank.stepped(record, bank.look())
        seen.append(record.state)
    assert seen[:3] == ["firing"] * 3, "for some seconds it is only suspected"
    # it stays so while the topics are caught up with, and for the seconds in which a fault may come back
    assert seen[3:202] == ["blocked"] * 199
    assert seen[-1] == "firing"
    assert seen.count("blocked") < 199 + 10


def test_a_process_that_stood_still_blocks_nobody_before_it_has_asked_kafka_again(bank: Bank) -> None:
    bank.look()
    bank.silent_since = bank.seconds
    found = bank.look(3600)
    assert (found.faults, bool(found.doubts)) == ({}, True)
    bank.silent_since = None
    assert [bank.look().faults for _ in range(10)] == [{}] * 10
    assert bank.look().doubts == {}


def test_kafka_that_is_slow_or_starts_anew_is_no_fault(bank: Bank) -> None:
    bank.look()
    for _ in range(5):
        bank.silent_since = bank.seconds
        found = [bank.look() for _ in range(55)]
        assert not any(one.faults or one.doubts for one in found)
        bank.silent_since = None
        bank.look()


def test_a_flood_among_the_very_first_records_blocks(bank: Bank) -> None:
    bank.durable = 0
    bank.watcher.wait()
    bank.durable = bank.log_end = 300
    bank.dead_letters = 120
    assert "dead letters" in bank.look().faults["spring"][0]
    for _ in range(20):
        assert "dead letters" in bank.look(30).faults["spring"][0]
    bank.durable = bank.log_end = 3_000
    bank.look()
    assert not bank.look(60).faults


def test_a_flood_among_the_very_first_records_blocks_though_looks_waited_for_a_backlog_to_be_read(bank: Bank) -> None:
    bank.durable, bank.log_end = 0, 2_000_000
    assert bank.watcher.is_backlog_read()
    bank.seconds += 5
    bank.durable, bank.dead_letters = 1_000_000, 400_000
    assert bank.watcher.is_backlog_read()
    bank.seconds += 5
    bank.durable = 2_000_000
    assert not bank.watcher.is_backlog_read()
    assert "dead letters" in bank.look().faults["spring"][0]
    assert bank.look(48).young, "the feeds have been watched since the start, not since the first look"
    assert not bank.look(1).young


def test_the_ledger_is_not_asked_for_a_backlog_where_there_can_be_none(bank: Bank) -> None:
    bank.log_end, bank.durable = 150_000, 149_000
    assert not bank.watcher.is_backlog_read()
    bank.durable = -1  # whoever asked now would be misled
    assert not bank.watcher.is_backlog_read()
    bank.log_end, bank.durable = 450_000, 149_000
    assert bank.watcher.is_backlog_read()


def test_without_a_word_of_kafka_no_backlog_is_known(bank: Bank) -> None:
    bank.log_end = None
    assert not bank.watcher.is_backlog_read()


def test_a_flood_of_dead_letters_blocks_through_a_take_over_in_the_middle_of_it(bank: Bank) -> None:
    bank.look()
    bank.dead_letters = 200
    record = bank.stepped(None, bank.look())
    assert record.state == "blocked"
    record = record_of(record.body("http://board"))
    bank.watcher = bank.taken_over()
    seen = []
    for second in range(300):
        bank.dead_letters += second < 100  # ten of them say something
        bank.durable = bank.log_end = bank.durable + 50 * (second >= 100)
        record = bank.stepped(record, bank.look())
        seen.append(record.state)
    assert 100 <= seen.count("blocked") < 100 + 70
    assert "blocked" not in seen[seen.count("blocked") :]


def taken_over_with_notes(bank: Bank) -> None:
    """Let another process decide: what it knows of the former one has been JSON in the ledger."""
    noted = msgspec.json.decode(msgspec.json.encode(bank.watcher.noted))
    bank.watcher = bank.taken_over()
    bank.watcher.go_on_from(noted)


def test_a_flood_of_dead_letters_still_is_one_for_whoever_takes_over_until_good_records_follow(bank: Bank) -> None:
    bank.look()
    bank.dead_letters = 60
    before = bank.look().faults
    assert before == {"spring": ("dead letters: more than 10 % of the newest touches are refused; see roi dlq list",)}
    for _ in range(3):
        taken_over_with_notes(bank)
        assert [bank.look(20.0).faults for _ in range(10)] == [before] * 10
    bank.durable = bank.log_end = 100 + 99
    taken_over_with_notes(bank)
    assert bank.look().faults == before
    bank.durable = bank.log_end = 100 + 100
    taken_over_with_notes(bank)
    bank.look()
    assert bank.look(3.0).faults == {}


def test_a_flood_that_nobody_has_seen_is_found_by_whoever_takes_over(bank: Bank) -> None:
    bank.look()
    bank.dead_letters = 60
    taken_over_with_notes(bank)
    assert bank.look(600.0).faults


def test_a_flood_is_not_forgotten_by_a_process_that_stood_still(bank: Bank) -> None:
    bank.look()
    bank.dead_letters = 60
    before = bank.look().faults
    assert before
    assert bank.look(600.0).faults == before
    bank.dead_letters += 5
    assert bank.look(600.0).faults == before


def test_feeds_are_noted_while_a_backlog_is_read_and_while_there_is_nothing_to_judge(bank: Bank) -> None:
    assert bank.watcher.noted == {}
    bank.watcher.wait()
    waited = bank.watcher.noted[TOUCHES]
    assert waited == {"samples": [(T0, 100, 0, 0)], "is_flooded": False}
    bank.watcher = bank.taken_over()
    bank.log_end = 1_000_000
    assert bank.watcher.is_backlog_read()
    assert bank.watcher.noted[TOUCHES] == waited


@pytest.mark.parametrize("noted", [[], {"a": 1}, {"a": {"samples": [], "is_flooded": False}}, None])
def test_notes_of_another_shape_say_nothing(bank: Bank, noted: Any) -> None:
    bank.watcher.go_on_from(noted)
    assert bank.look().young
    assert bank.look().faults == {}


def test_who_has_not_looked_for_long_begins_to_watch_anew(bank: Bank) -> None:
    assert bank.look().young
    assert bank.look(30).young
    assert not bank.look(30).young
    assert not bank.look(60).young
    assert bank.look(61).young
