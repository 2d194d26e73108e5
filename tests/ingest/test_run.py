from __future__ import annotations

import gzip
import io
import json
import random

from pipeline.ingest.records import AUTO, LONGEST_LINE, parser_for
from pipeline.ingest.run import Ingestion
from pipeline.ingest.sources import text_chunks
from pipeline.ingest.writer import EnvelopeWriter
from pipeline.simulation.bank import Bank, BankOptions
from schemas.topics import CAMPAIGNS, COSTS, CUSTOMERS, LOGINS
from tests.ingest.recording import FLUSH, RecordingProducer


class Run:
    """An ingestion into memory."""

    def __init__(self, topic: str = AUTO) -> None:
        self.producer = RecordingProducer()
        self.complaints: list[str] = []
        self.ingestion = Ingestion(self.producer, parser_for(topic), self.complaints.append)

    def take(self, content: bytes, name: str = "events") -> None:
        self.ingestion.read(name, text_chunks(io.BytesIO(content), lambda _size: None))


def line(topic: str, key: str) -> bytes:
    field = "campaign_id" if topic in {CAMPAIGNS, COSTS} else "customer_id"
    return json.dumps({"topic": topic, "value": {field: key}}).encode() + b"\n"


def test_lines_of_every_kind_of_ending_are_taken_and_empty_ones_skipped() -> None:
    run = Run(LOGINS)
    a, b, c, d = (b'{"customer_id":"%s"}' % name for name in (b"a", b"b", b"c", b"d"))
    run.take(b"\xef\xbb\xbf" + a + b"\r\n\r\n  \n" + b + b"\n\t" + c + b" \n" + d)
    assert [key for _, key, _ in run.producer.records] == [b"a", b"b", b"c", b"d"]
    assert (run.ingestion.tally.read, run.ingestion.tally.produced, run.ingestion.tally.refused) == (4, 4, 0)
    assert run.ingestion.tally.complete
    assert not run.complaints


def test_files_put_one_behind_the_other_keep_their_marks() -> None:
    run = Run(LOGINS)
    a, b, mark = b'{"customer_id":"a"}', b'{"customer_id":"b"}', b"\xef\xbb\xbf"
    run.take(mark + a + b"\n" + mark + b + b"\r\n " + mark + b" \r\n")
    assert [value for _, _, value in run.producer.records] == [a, b]
    assert not run.complaints


def test_refused_lines_are_named_and_the_rest_goes_on() -> None:
    run = Run(LOGINS)
    run.take(b'{"customer_id":"a"}\n\nnonsense\n{"customer_id":"b"}\n', "first")
    run.take(b"7\n" + b"x" * (LONGEST_LINE + 700_000) + b'\n{"customer_id":"c"}', "second")
    assert [key for _, key, _ in run.producer.records] == [b"a", b"b", b"c"]
    assert [complaint.split(" ")[0] for complaint in run.complaints] == ["first:3:", "second:1:", "second:2:"]
    assert (run.ingestion.tally.read, run.ingestion.tally.refused) == (6, 3)
    assert not run.ingestion.tally.complete


def test_line_numbers_hold_across_chunks() -> None:
    content = b"".join(line(LOGINS, f"customer-{number}") for number in range(40_000))
    run = Run()
    run.take(content + b"nonsense\n" + content + b"nonsense")
    assert [complaint.split(":")[1] for complaint in run.complaints] == ["40001", "80002"]


def test_cut_gzip_keeps_what_was_read_and_the_next_file_follows() -> None:
    run = Run()
    packed = gzip.compress(b"".join(line(LOGINS, str(random.Random(number).random())) for number in range(2_000)))
    run.take(packed[: len(packed) // 2], "cut.gz")
    kept = len(run.producer.records)
    run.take(line(LOGINS, "after"))
    assert kept > 500
    assert len(run.producer.records) == kept + 1
    assert run.ingestion.tally.broken == ["cut.gz"]
    assert not run.ingestion.tally.complete
    assert "cut" in run.complaints[-1]


def test_definitions_are_acknowledged_before_the_events_behind_them() -> None:
    run = Run()
    run.take(line(CAMPAIGNS, "k") + line(CUSTOMERS, "c"))
    run.take(line(LOGINS, "c") + line(COSTS, "k") + line(CUSTOMERS, "d") + line(LOGINS, "d"), "another file")
    calls = ["flush" if call == FLUSH else call[0] for call in run.producer.calls]
    assert calls == [CAMPAIGNS, CUSTOMERS, "flush", LOGINS, COSTS, CUSTOMERS, "flush", LOGINS]


def test_finish_waits_for_everything() -> None:
    run = Run()
    run.take(line(LOGINS, "c"))
    run.ingestion.finish()
    assert run.producer.calls[-1] == FLUSH


def test_what_the_writer_wrote_is_read_back_the_same() -> None:
    bank = Bank(BankOptions(customers=50, campaigns=8, backfill_days=1), 1_795_000_000_000)
    records: list[tuple[str, bytes, bytes | None]] = [*bank.definitions(), (CUSTOMERS, b"gone", None)]
    records += [(event.topic, event.key, event.value) for event in bank.events(live_seconds=0)]
    file = io.BytesIO()
    writer = EnvelopeWriter(file)
    for topic, key, value in records:
        writer.send(topic, key, value)
    writer.flush()
    run = Run()
    run.take(file.getvalue())
    assert run.producer.records == records
    assert not run.complaints
