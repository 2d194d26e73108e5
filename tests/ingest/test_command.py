from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from schemas.topics import CAMPAIGNS, LOGINS
from tests.ingest.command import run
from tests.ingest.recording import FLUSH, RecordingProducer

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def producer(monkeypatch: pytest.MonkeyPatch) -> RecordingProducer:
    recording = RecordingProducer()
    monkeypatch.setattr("pipeline.ingest.kafka.open_producer", lambda _settings, _topics: recording)
    return recording


def login(customer: str) -> str:
    return json.dumps({"customer_id": customer})


def test_files_are_taken_in_order_and_acknowledged(producer: RecordingProducer, tmp_path: Path) -> None:
    first, second = tmp_path / "a.ndjson", tmp_path / "b.ndjson"
    first.write_text(f"{login('a')}\n{login('b')}")
    second.write_text(f"{login('c')}\n")
    result = run("ingest", str(first), str(second), "--topic", LOGINS)
    assert result.exit_code == 0
    assert result.stdout.startswith("3 events acknowledged by Kafka, in ")
    assert [key for _, key, _ in producer.records] == [b"a", b"b", b"c"]
    assert producer.calls[-1] == FLUSH


def test_stdin_is_a_file_too_and_json_sums_up(producer: RecordingProducer) -> None:
    lines = [{"topic": CAMPAIGNS, "value": {"campaign_id": "k"}}, {"topic": "nowhere", "value": {}}]
    result = run("ingest", "-", "--json", stdin="\n".join(map(json.dumps, lines)).encode())
    summary: dict[str, Any] = json.loads(result.stdout)
    assert result.exit_code == 1
    assert summary.pop("seconds") >= 0
    assert summary == {"read": 2, "produced": 1, "refused": 1, "broken_files": []}
    assert result.stderr == "stdin:2: unknown topic\n"
    assert len(producer.records) == 1


def test_twenty_refused_lines_are_named_and_the_others_counted(producer: RecordingProducer, tmp_path: Path) -> None:
    path = tmp_path / "bad.ndjson"
    path.write_text("nonsense\n" * 1_023)
    result = run("ingest", str(path))
    assert result.exit_code == 1
    complaints = result.stderr.splitlines()
    assert complaints[:20] == [f"{path}:{number}: not JSON" for number in range(1, 21)]
    assert complaints[20:] == ["… and 1,003 more"]
    assert not producer.records


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["ingest", "missing.ndjson"], 1, "missing.ndjson is not there; correct the name"),
        (["ingest", "-", "--topic", "logins"], 2, "must be auto or one of bank.logins.v1"),
        (["ingest"], 2, "Missing argument"),
        (["simulate", "--duration", "1", "--events", "1"], 2, "not both"),
        (["simulate", "--bad", "0.6", "--disorder", "0.6"], 2, "may not sum to more than 1"),
        (["simulate", "--customers", "0"], 2, "--customers"),
    ],
)
def test_mistakes_are_one_line_and_nothing_is_sent(
    producer: RecordingProducer, arguments: list[str], code: int, words: str
) -> None:
    result = run(*arguments)
    assert result.exit_code == code
    assert words in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not producer.calls


def test_missing_file_stops_before_the_files_that_are_there(producer: RecordingProducer, tmp_path: Path) -> None:
    path = tmp_path / "good.ndjson"
    path.write_text(login("a"))
    assert run("ingest", str(path), str(tmp_path / "typo"), "--topic", LOGINS).exit_code == 1
    assert run("ingest", str(path), str(tmp_path), "--topic", LOGINS).exit_code == 1
    assert not producer.calls


def test_simulation_writes_a_file_that_is_ingested_whole(producer: RecordingProducer, tmp_path: Path) -> None:
    events, truth = tmp_path / "events.ndjson.gz", tmp_path / "truth.json"
    options = ["--customers", "300", "--campaigns", "8", "--backfill-days", "2", "--truth", str(truth)]
    written = run("simulate", "--out", str(events), "--events", "1500", "--json", *options)
    assert written.exit_code == 0
    assert json.loads(written.stdout)["events"] == 1_500
    assert run("ingest", str(events)).exit_code == 0
    assert len(producer.records) == 8 + 300 + 1_500
    assert producer.calls.index(FLUSH) == 308
    campaigns = json.loads(truth.read_text())["campaigns"]
    assert set(campaigns) == {key.decode() for topic, key, _ in producer.records if topic == CAMPAIGNS}
    assert all(campaign["return_ratio"] > 0 for campaign in campaigns.values())


def test_simulation_sends_the_past_at_once_and_ends_after_its_duration(producer: RecordingProducer) -> None:
    options = ["--customers", "200", "--campaigns", "8", "--backfill-days", "1", "--rate", "100"]
    result = run("simulate", "--duration", "0", *options)
    assert result.exit_code == 0
    assert "events acknowledged by Kafka" in result.stdout
    assert len(producer.records) == pytest.approx(208 + 1_600, rel=0.2)
    assert producer.calls[208] == FLUSH
    assert producer.calls[-1] == FLUSH


def test_unwritable_output_is_a_mistake(producer: RecordingProducer, tmp_path: Path) -> None:
    result = run("simulate", "--out", str(tmp_path / "missing" / "events"))
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr
    assert not producer.calls
