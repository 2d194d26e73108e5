"""What the ledger keeps about topics: halts, faults of logs, numbers of partitions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pipeline.ledger.ledger import ClickHouseLedger
from schemas.topics import LOGINS, TOUCHES

if TYPE_CHECKING:
    from pipeline.ledger.ledger import LedgerPort
    from tests.ledger.conftest import Bench

BAD = ("bad_share", "too many bad events", "correct the producer")


def halt(ledger: LedgerPort, topic: str, name: str, *, cause: str = BAD[1]) -> None:
    ledger.execute("record_halt", topic=topic, id=name, kind=BAD[0], cause=cause, remedy=BAD[2])


@pytest.mark.contract
def test_a_halt_holds_until_it_is_resumed(bench: Bench) -> None:
    ledger = bench.open("one")
    halt(ledger, TOUCHES, "a")
    halt(ledger, TOUCHES, "a")  # told twice after a lost reply
    assert bench.open("two").fetch("load_halts") == [[TOUCHES, *BAD, 0]]
    ledger.execute("resume_topic", topic=LOGINS, skip_bad=False)
    assert len(ledger.fetch("load_halts")) == 1
    ledger.execute("resume_topic", topic=TOUCHES, skip_bad=False)
    assert ledger.fetch("load_halts") == []
    halt(ledger, TOUCHES, "a")  # the late repetition of a halt that is over
    assert ledger.fetch("load_halts") == []


@pytest.mark.contract
def test_all_workers_halts_of_a_topic_are_resumed_together(bench: Bench) -> None:
    ledger = bench.open("one")
    for name in ("a", "b"):
        halt(ledger, TOUCHES, name)
    halt(ledger, LOGINS, "c")
    ledger.execute("resume_topic", topic=TOUCHES, skip_bad=False)
    assert [row[0] for row in ledger.fetch("load_halts")] == [LOGINS]


@pytest.mark.contract
def test_skipping_bad_events_is_known_until_it_has_ended(bench: Bench) -> None:
    ledger = bench.open("one")
    halt(ledger, TOUCHES, "a")
    ledger.execute("end_skipping", topic=TOUCHES)
    ledger.execute("resume_topic", topic=TOUCHES, skip_bad=True)
    assert ledger.fetch("load_halts") == [[TOUCHES, *BAD, 1]]
    ledger.execute("end_skipping", topic=TOUCHES)
    assert ledger.fetch("load_halts") == []


@pytest.mark.contract
def test_a_plain_resumption_ends_skipping_too(bench: Bench) -> None:
    ledger = bench.open("one")
    halt(ledger, TOUCHES, "a")
    ledger.execute("resume_topic", topic=TOUCHES, skip_bad=True)
    halt(ledger, TOUCHES, "b")
    ledger.execute("resume_topic", topic=TOUCHES, skip_bad=False)
    assert ledger.fetch("load_halts") == []


@pytest.mark.contract
def test_the_first_number_of_partitions_stands(bench: Bench) -> None:
    ledger = bench.open("one")
    ledger.execute("record_partition_count", topic=TOUCHES, partitions=8)
    ledger.execute("record_partition_count", topic=TOUCHES, partitions=16)
    assert ledger.fetch("load_partition_counts") == [[TOUCHES, 8]]


def test_faults_of_logs_are_recorded_together(clickhouse: Any, run_name: str) -> None:
    columns = {"topics": [TOUCHES, LOGINS], "partitions": [3, 0], "faults": ["cut_short", "recreated"]}
    offsets = {"next_offsets": [10, 7], "log_starts": [0, 0], "log_ends": [6, 0]}
    ClickHouseLedger(clickhouse, "roi", run_name, "one").execute("record_log_faults", **columns, **offsets)
    query = f"SELECT * EXCEPT (run, found_at) FROM roi.log_faults WHERE run = '{run_name}' ORDER BY topic"
    assert clickhouse.query(query).result_rows == [
        (LOGINS, 0, "recreated", 7, 0, 0),
        (TOUCHES, 3, "cut_short", 10, 0, 6),
    ]


def test_the_view_shows_halts_in_force_with_the_first_cause(clickhouse: Any, run_name: str) -> None:
    ledger = ClickHouseLedger(clickhouse, "roi", run_name, "one")
    halt(ledger, TOUCHES, "b", cause="first")
    halt(ledger, TOUCHES, "a", cause="second")
    query = f"SELECT topic, kind, cause, remedy, resumed_at FROM roi.halted_topics WHERE run = '{run_name}'"
    assert clickhouse.query(query).result_rows == [(TOUCHES, BAD[0], "first", BAD[2], None)]
    ledger.execute("resume_topic", topic=TOUCHES, skip_bad=True)
    assert clickhouse.query(query).result_rows == []
    history = f"SELECT count(), countIf(resumed_at >= halted_at) FROM roi.halts FINAL WHERE run = '{run_name}'"
    assert clickhouse.query(history).result_rows == [(2, 2)]
