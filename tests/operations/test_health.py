from __future__ import annotations

from typing import Any

import pytest

from pipeline.operations.evaluators import EvaluatorSeen
from pipeline.operations.halts import Halted, LogFault
from pipeline.operations.health import Death, Disk, Observations, Trouble, failed, faults

NOW = 10_000.0
CRASH = "exit code 1: KeyError"


def deaths(*ages: float, part: str = "worker-1", is_killed: bool = False) -> tuple[Death, ...]:
    return tuple(Death(part, NOW - age, CRASH, is_killed) for age in ages)


def test_nothing_seen_is_nothing_at_fault() -> None:
    assert faults(Observations(NOW)) == []


def test_a_worker_that_died_twice_in_five_minutes_is_told_with_the_last_cause() -> None:
    (fault,) = faults(Observations(NOW, deaths=deaths(200, 3)))
    assert fault.is_lasting
    assert fault.cause == f"died 2 times in five minutes, last 3 s ago: {CRASH}"
    assert "worker-1" in fault.remedy


def test_two_workers_that_died_of_the_same_count_together() -> None:
    both = (*deaths(20), *deaths(10, part="worker-2"))
    assert [fault.part for fault in faults(Observations(NOW, deaths=both))] == ["worker"]


def test_the_last_death_is_told_and_before_it_the_last_that_nobody_caused() -> None:
    (fault,) = faults(Observations(NOW, deaths=(*deaths(90), *deaths(10, part="worker-2", is_killed=True))))
    assert fault.cause.startswith("died 2 times in five minutes, last 10 s ago: ")
    assert fault.cause.endswith(f"; the last one by itself 90 s ago: {CRASH}")
    assert fault.remedy == "look into the log of worker-1"


def test_a_server_that_does_not_answer_comes_before_the_workers_that_have_died_of_it() -> None:
    servers = (("Kafka", "does not answer", "start it"),)
    kafka, worker = faults(Observations(NOW, unreachable=servers, deaths=deaths(200, 3)))
    assert (kafka.part, worker.part, worker.is_lasting) == ("Kafka", "worker", False)


def test_one_death_or_an_old_one_is_no_fault() -> None:
    assert faults(Observations(NOW, deaths=deaths(301, 5))) == []


def test_killed_workers_and_dying_servers_are_told_but_come_back() -> None:
    killed = Observations(NOW, deaths=(*deaths(9, 5, is_killed=True), *deaths(4, 2, part="endpoint")))
    found = faults(killed)
    assert {fault.part for fault in found} == {"worker", "endpoint"}
    assert len(failed(found)) == 2
    assert not [fault for fault in found if fault.is_lasting]


def test_a_full_disk_comes_first_and_a_nearly_full_one_warns() -> None:
    halt = Halted("bank.costs.v1", "bad_share", "60 % are bad", "roi resume", "noon")
    full, halted = faults(Observations(NOW, halts=(halt,), disk=Disk("data", 1_000_000, 64_000_000)))
    assert (full.part, full.is_lasting, halted.part) == ("disk of data", True, "bank.costs.v1")
    (low,) = faults(Observations(NOW, disk=Disk("data", 500_000_000, 100_000_000_000)))
    assert low.severity == "warning"
    assert faults(Observations(NOW, disk=Disk("data", 40_000_000, 64_000_000))) == []


def test_a_server_that_does_not_answer_is_a_fault_that_may_pass() -> None:
    (fault,) = faults(Observations(NOW, unreachable=(("ClickHouse", "does not answer", "start it"),)))
    assert fault.severity == "failed"
    assert not fault.is_lasting


def test_a_missing_topic_is_a_fault_that_names_the_remedy() -> None:
    (fault,) = faults(Observations(NOW, missing_topics=("bank.customers.v1",)))
    assert str(fault) == (
        "bank.customers.v1: this topic is missing; roi migrate creates topics; "
        "where Kafka has access lists, they may be hidden from this user (DESCRIBE)"
    )
    assert fault.severity == "failed"


def test_a_process_in_trouble_says_why_and_since_when() -> None:
    trouble = Trouble("worker-1", "block 7 not acknowledged (Code: 243)", NOW - 45)
    (fault,) = faults(Observations(NOW, troubles=(trouble,), lag=5, block_age_seconds=45))
    assert str(fault).startswith("worker-1: block 7 not acknowledged (Code: 243), since 45 s")


def test_a_process_that_does_not_answer_is_missed_and_told_once() -> None:
    seen = Observations(NOW, silent=("worker-1", "board"), troubles=(Trouble("board", "no answer", NOW - 9),))
    worker, board = failed(faults(seen))
    assert str(worker).startswith("worker-1: does not answer: frozen")
    assert str(board).startswith("board: does not answer: frozen")  # also where the supervisor has noticed by now


@pytest.mark.parametrize(
    "noticed",
    [{"silent": ("broker",)}, {"troubles": (Trouble("broker", "no answer", NOW - 9),)}],
    ids=["asked", "noted"],
)
def test_a_frozen_broker_is_told_once_with_its_process_and_what_wakes_it(noticed: dict[str, Any]) -> None:
    servers = (("Kafka", "does not answer", "start it"), ("ClickHouse", "does not answer", "start it"))
    broker, clickhouse = failed(faults(Observations(NOW, unreachable=servers, broker_pid=77, **noticed)))
    assert str(broker).startswith("broker: Kafka does not answer: the broker's process 77 ")
    assert "frozen, or without any processor time; kill -CONT 77, or stop and start the instance" in str(broker)
    assert clickhouse.part == "ClickHouse"


@pytest.mark.parametrize(
    "noticed",
    [{"silent": ("endpoint",)}, {"troubles": (Trouble("endpoint", "no answer", NOW - 9),)}],
    ids=["asked", "noted"],
)
def test_a_frozen_endpoint_is_told_as_a_part_and_not_to_be_started(noticed: dict[str, Any]) -> None:
    servers = (("ClickHouse", "does not answer", "start it"),)
    (endpoint,) = failed(faults(Observations(NOW, unreachable=servers, is_endpoint_own=True, **noticed)))
    assert endpoint.part == "endpoint"
    assert endpoint.remedy.endswith("look into the log of endpoint")
    (_, clickhouse) = sorted(str(it) for it in faults(Observations(NOW, unreachable=servers, **noticed)))[::-1]
    assert clickhouse == "ClickHouse: does not answer; start it", "the settings name another"


def test_a_broker_that_was_silent_for_a_moment_is_not_frozen() -> None:
    assert faults(Observations(NOW, troubles=(Trouble("broker", "no answer", NOW - 3),), broker_pid=77)) == []


def test_workers_that_have_left_their_group_are_missed() -> None:
    seen = Observations(NOW, workers_are_gone=True)
    (fault,) = failed(faults(seen))
    assert "none is in the consumer group" in fault.cause


def test_another_installations_workers_in_the_group_are_told_with_what_to_do_and_nothing_else_is() -> None:
    seen = Observations(NOW, group_of_strangers="roi", lag=5, block_age_seconds=90)
    (fault,) = failed(faults(seen))
    assert fault.cause == "the workers in the consumer group roi are of another installation, or of an older release"
    assert "give each installation a ROI_KAFKA_GROUP of its own" in fault.remedy
    assert fault.is_lasting


def test_records_that_wait_while_no_block_is_written_are_told() -> None:
    (fault,) = faults(Observations(NOW, lag=5, block_age_seconds=31))
    assert fault.severity == "warning"
    (fault,) = failed(faults(Observations(NOW, lag=5, block_age_seconds=61)))
    assert "start a worker if none runs" in fault.remedy
    assert faults(Observations(NOW, lag=0, block_age_seconds=3_000)) == []
    assert faults(Observations(NOW, lag=5, block_age_seconds=2)) == []
    halt = Halted("bank.costs.v1", "bad_share", "60 % are bad", "roi resume", "noon")
    (fault,) = faults(Observations(NOW, halts=(halt,), lag=5, block_age_seconds=3_000))
    assert fault.part == "bank.costs.v1", "its records wait for it to be resumed"


def test_a_log_read_beyond_its_end_fails_and_a_recreated_one_warns() -> None:
    found = [LogFault("bank.costs.v1", kind, 1, "noon", 3, 0) for kind in ("recreated", "cut_short")]
    assert [fault.severity for fault in faults(Observations(NOW, log_faults=tuple(found)))] == ["failed", "warning"]


@pytest.mark.parametrize(
    ("seen", "said", "severity"),
    [
        (EvaluatorSeen(), "no evaluator has run yet", "warning"),
        (EvaluatorSeen(16.0), "no evaluator runs", "failed"),
        (EvaluatorSeen(1.0, has_ended=True), "no evaluator runs", "failed"),
        (EvaluatorSeen(1.0, turn_age_seconds=31.0, reasons=("looks: away",)), "31 s old: looks: away", "failed"),
    ],
)
def test_it_is_told_when_nobody_decides_about_alerts_or_nobody_gets_to_it(
    seen: EvaluatorSeen, said: str, severity: str
) -> None:
    (fault,) = faults(Observations(NOW, evaluator=seen))
    assert (fault.part, fault.severity, fault.is_lasting) == ("alerts", severity, False)
    assert said in fault.cause


def test_an_evaluator_that_lives_and_looks_is_no_fault() -> None:
    assert faults(Observations(NOW, evaluator=EvaluatorSeen(14.0, turn_age_seconds=29.0))) == []


def test_an_evaluator_that_was_just_started_is_waited_for() -> None:
    before = EvaluatorSeen(600.0, has_ended=True)
    for seen in (before, EvaluatorSeen()):
        (fault,) = faults(Observations(NOW, evaluator=seen, evaluator_begun_seconds=4.0))
        assert str(fault) == "alerts: the evaluator was started 4 s ago and has not looked yet; wait a moment"
        assert fault.severity == "warning"
    (fault,) = failed(faults(Observations(NOW, evaluator=EvaluatorSeen(), evaluator_begun_seconds=31.0)))
    assert fault.cause.startswith("the evaluator runs, but there has been no sign of life: it cannot write")
    (fault,) = failed(faults(Observations(NOW, evaluator=before, evaluator_begun_seconds=31.0)))
    assert fault.cause.startswith("the evaluator runs, but the last sign of life is 600 s old: it cannot write")
