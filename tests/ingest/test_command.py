from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.ingest.expecting import Foreteller, Watermarks
from pipeline.state.calendar import DAY_MS
from schemas.instants import parse_instant, to_epoch_milliseconds
from schemas.topics import CAMPAIGNS, LOGINS, TOUCHES
from tests.ingest.command import run
from tests.ingest.recording import FLUSH, RecordingProducer

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.settings import Settings


@pytest.fixture
def producer(monkeypatch: pytest.MonkeyPatch) -> RecordingProducer:
    recording = RecordingProducer()
    monkeypatch.setattr("pipeline.ingest.kafka.open_producer", lambda _settings, _topics: recording)
    monkeypatch.setattr("pipeline.ingest.kafka.foreteller", foreteller)
    return recording


def foreteller(_settings: Settings, *, is_sorted: bool) -> Foreteller:
    """Return what knows a topic of one partition, whose watermark the ledger has."""
    known = {(TOUCHES, 0): epoch_ms("2026-03-20T00:00:00Z")}
    return Foreteller("CNY", 0, Watermarks(3 * DAY_MS, 10 * 60_000, {}, known, follows=not is_sorted))


def epoch_ms(text: str) -> int:
    return to_epoch_milliseconds(parse_instant(text))


def login(customer: str, at: str = "2026-03-03T10:00:00Z") -> str:
    event = {"event_id": f"{customer}-{at}", "occurred_at": at, "customer_id": customer, "channel": "app"}
    return json.dumps(event)


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
    assert summary == {
        "read": 2,
        "produced": 1,
        "refused": 1,
        "broken_files": [],
        "expected_dead_letters": {"invalid_event": 1},
    }
    assert "stdin:2: unknown topic" in result.stderr.splitlines()
    assert len(producer.records) == 1


def test_twenty_refused_lines_are_named_and_the_others_counted(producer: RecordingProducer, tmp_path: Path) -> None:
    path = tmp_path / "bad.ndjson"
    path.write_text("{nonsense\n" * 1_023)
    result = run("ingest", str(path))
    assert result.exit_code == 1
    complaints = result.stderr.splitlines()
    assert complaints[:20] == [f"{path}:{number}: not JSON" for number in range(1, 21)]
    assert complaints[20:] == ["… and 1,003 more", "refused 1,023 of 1,023 lines: not JSON 1,023"]
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


def touch(event_id: str, at: str, customer: str = "c") -> str:
    event = {"event_id": event_id, "occurred_at": at, "customer_id": customer, "campaign_id": "k", "channel": "sms"}
    return json.dumps({"topic": TOUCHES, "value": event | {"kind": "send"}})


def sent(producer: RecordingProducer) -> list[str]:
    return [json.loads(value or b"{}").get("event_id", "definition") for _, _, value in producer.records]


def test_files_are_merged_in_order_of_time_behind_the_definitions(producer: RecordingProducer, tmp_path: Path) -> None:
    campaign = {"campaign_id": "k", "name": "k", "starts_at": "2026-03-01T00:00:00Z", "goal": {"kinds": ["payment"]}}
    first, second = tmp_path / "touches", tmp_path / "rest"
    first.write_text("\n".join(touch(str(day), f"2026-03-{day}T00:00:00Z") for day in (28, 20, 24)))
    second.write_text(touch("22", "2026-03-22T00:00:00Z") + "\n" + json.dumps({"topic": CAMPAIGNS, "value": campaign}))
    assert run("ingest", str(first), str(second)).exit_code == 0
    assert sent(producer) == ["definition", "20", "22", "24", "28"]
    producer.calls.clear()
    assert run("ingest", "--no-sort", str(first), str(second)).exit_code == 0
    assert sent(producer) == ["28", "20", "24", "22", "definition"]


def test_what_workers_will_refuse_is_said_and_sent(producer: RecordingProducer, tmp_path: Path) -> None:
    path = tmp_path / "events"
    lines = [touch("late", "2026-03-16T23:59:59Z"), touch("edge", "2026-03-17T00:00:00Z"), touch("x", "2026-03-20")]
    path.write_text("\n".join(lines))
    result = run("ingest", str(path))
    assert result.exit_code == 0
    assert len(producer.records) == 3
    complaints = result.stderr.splitlines()
    assert complaints[0] == f"{path}:1: the workers will refuse it: too_late"
    assert complaints[1].startswith(f"{path}:3: the workers will refuse it: invalid_event (occurred_at")
    assert complaints[2].startswith("warning: the workers will refuse 2 of 3 events: too_late 1, invalid_event 1")


def test_a_pipe_is_judged_in_its_own_order(producer: RecordingProducer) -> None:
    lines = [touch("new", "2026-03-28T00:00:00Z"), touch("old", "2026-03-24T23:59:59Z")]
    result = run("ingest", "-", stdin="\n".join(lines).encode())
    assert sent(producer) == ["new", "old"]
    assert "stdin:2: the workers will refuse it: too_late" in result.stderr


@pytest.mark.parametrize(("at", "code"), [("2026-03-20T00:00:00Z", 0), ("0001-01-01T00:00:00Z", 1)])
def test_a_check_sends_nothing(producer: RecordingProducer, tmp_path: Path, at: str, code: int) -> None:
    path = tmp_path / "events"
    path.write_text(touch("a", at))
    result = run("ingest", "--check", str(path))
    assert (result.exit_code, result.stdout) == (code, "1 lines checked, nothing sent\n")
    assert ("the workers will refuse it" in result.stderr) == bool(code)
    assert "sent" not in result.stderr
    assert not producer.calls


def test_a_file_of_another_format_is_one_line_and_nothing_is_sent(producer: RecordingProducer, tmp_path: Path) -> None:
    good, table = tmp_path / "good", tmp_path / "table.csv"
    good.write_text(touch("a", "2026-03-20T00:00:00Z"))
    table.write_text("event_id,customer_id\n" + "1,2\n" * 30_000)
    result = run("ingest", str(good), str(table))
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
    assert "is a table with separators (CSV)" in result.stderr
    assert not producer.records
