"""`status`, `drain`, `dlq`, `doctor` and `campaigns list`: their decisions, on data instead of brokers."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from pipeline.cli import drain
from pipeline.cli.dlq import Choice, to_retry
from pipeline.cli.doctor import _check_health, check_currency, check_directory, clock_finding, masked, topic_findings
from pipeline.cli.drain import Watch, count_events, defined_campaigns, wait_for_campaigns, wait_until
from pipeline.cli.erase import _kept_in
from pipeline.cli.status_look import StatusLook, summarise
from pipeline.clickhouse.reader import Reader
from pipeline.currencies import CURRENCIES
from pipeline.errors import UserError
from pipeline.operations import presence
from pipeline.operations.health import Fault, Observations
from pipeline.operations.lag import Standing
from pipeline.transport.reading import Record
from schemas.topics import CAMPAIGNS, COSTS, LOGINS, TOUCHES
from tests.operations.test_definitions import campaign
from tests.operations.test_lag import position

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from typer.testing import Result

    from pipeline.settings import Settings
    from tests.cli.conftest import FakeClickHouse


def dead(offset: int, value: bytes | None, reason: str = "not_json", key: bytes | None = b"k") -> Record:
    headers = {"dlq.reason": reason, "dlq.partition": "0", "dlq.offset": str(offset)}
    return Record(0, offset + 100, key, value, headers)


def definition_record(campaign_id: str, value: bytes | None) -> Record:
    return Record(0, 0, campaign_id.encode(), value, {})


def test_status_adds_up_partitions_and_takes_the_newest_watermark() -> None:
    rows = [
        position(LOGINS, 0, 7, accepted=6, duplicates=1, watermark_ms=1_767_225_600_000),
        position(LOGINS, 1, 5, accepted=4, dead_letters=1, watermark_ms=1_767_225_600_123),
    ]
    found = summarise([Standing(LOGINS, 0, 10, 7), Standing(LOGINS, 1, 5, 5), Standing(TOUCHES, 0, 0, 0)], rows)
    assert found == [
        {
            "topic": LOGINS,
            "partitions": 2,
            "lag": 3,
            "accepted": 10,
            "duplicates": 1,
            "dead_letters": 1,
            "watermark": "2026-01-01T00:00:00.123+00:00",
        },
        {
            "topic": TOUCHES,
            "partitions": 1,
            "lag": 0,
            "accepted": 0,
            "duplicates": 0,
            "dead_letters": 0,
            "watermark": None,
        },
    ]


def test_doctor_calls_nothing_healthy_that_it_could_not_look_at(settings: Settings) -> None:
    nowhere = {"clickhouse_url": "http://127.0.0.1:9", "kafka_bootstrap_servers": "127.0.0.1:9"}
    (found,) = _check_health(settings.model_copy(update=nowhere), None)
    assert (found.check, found.state) == ("health", "failed")
    assert found.detail.startswith("not all of it could be looked at")


def test_waiting_gives_up_at_the_deadline_and_says_what_is_missing() -> None:
    with pytest.raises(UserError, match=r"not drained in time: bank\.logins\.v1\[0\] by 3"):
        wait_until(lambda: False, time.monotonic(), lambda: "bank.logins.v1[0] by 3")


def test_defined_campaigns_are_what_a_worker_would_know() -> None:
    good = json.dumps(campaign("a")).encode()
    records = [
        definition_record("a", good),
        definition_record("b", json.dumps(campaign("b")).encode()),
        definition_record("b", None),
        definition_record("a", b"not json"),
        definition_record("c", good),
    ]
    assert defined_campaigns(records) == {"a": good.decode()}


def test_drain_waits_for_the_newest_text_of_a_definition(settings: Settings, clickhouse: FakeClickHouse) -> None:
    clickhouse.answer_rows("campaign_definitions", [{"campaign_id": "a", "definition": "old"}])
    with pytest.raises(UserError, match="campaigns not yet known to the workers: a"):
        wait_for_campaigns(Reader(settings), {"a": "new"}, time.monotonic())
    clickhouse.answer_rows("campaign_definitions", [{"campaign_id": "a", "definition": "new"}])
    assert wait_for_campaigns(Reader(settings), {"a": "new"}, time.monotonic() + 20) == 1


def test_retry_takes_each_distinct_record_once() -> None:
    letters = [dead(1, b"x"), dead(2, b"y"), dead(3, b"x"), dead(4, b"x", key=b"other"), dead(5, None)]
    assert [letter.offset - 100 for letter in to_retry(letters, Choice(None, None, None))] == [1, 2, 4, 5]


@pytest.mark.parametrize(
    ("reason", "more", "value"),
    [
        ("missing_value", {"dlq.null": "value"}, None),
        ("internal_error", {"dlq.null": "value"}, None),
        ("missing_value", {}, None),
        ("key_mismatch", {}, None),
        ("misplaced_key", {}, None),
        ("not_json", {}, b""),
        ("internal_error", {}, b""),
        ("key_mismatch", {"dlq.cut_from_bytes": "1"}, b""),
    ],
)
@pytest.mark.parametrize("key", [b"k", b"", None])
def test_retry_sends_a_null_value_as_none_and_an_empty_one_as_empty(
    key: bytes | None, reason: str, more: dict[str, str], value: bytes | None
) -> None:
    letter = dead(1, b"", reason, key)
    letter = replace(letter, headers={**letter.headers, **more})
    ((sent_key, sent),) = [(record.key, record.value) for record in to_retry([letter], Choice(None, None, None))]
    assert (sent_key, sent) == (key, value)


def test_null_and_empty_are_two_records_to_retry() -> None:
    letters = [dead(1, b""), dead(2, b"", "missing_value"), dead(3, b""), dead(4, b"", "missing_value")]
    assert [letter.offset - 100 for letter in to_retry(letters, Choice(None, None, None))] == [1, 2]


@pytest.mark.parametrize(
    ("choice", "offsets"),
    [
        (Choice(None, None, None), [1, 2]),
        (Choice("too_large", None, None), [2]),
        (Choice(None, 0, 1), [1]),
        (Choice(None, 1, None), []),
        (Choice("not_json", 0, 2), []),
    ],
)
def test_retry_takes_what_the_headers_say(choice: Choice, offsets: list[int]) -> None:
    letters = [dead(1, b"x"), dead(2, b"y", "too_large")]
    assert [letter.offset - 100 for letter in to_retry(letters, choice)] == offsets


def test_dlq_list_filters_in_the_query(roi: Callable[..., Result], clickhouse: FakeClickHouse) -> None:
    row = {"topic": LOGINS, "partition": 0, "offset": 7, "reason": "not_json", "detail": "[bold]x", "at": "2026-01-01"}
    clickhouse.answer_rows("dead_letters", [row])
    result = roi("dlq", "list", "--topic", LOGINS, "--reason", "not_json")
    assert "[bold]x" in result.stdout
    query, arguments, *_ = clickhouse.asked[0]
    assert arguments["param_topic"] == LOGINS
    assert "run = 'live'" in query  # a replay has dead letters of its own
    assert json.loads(roi("dlq", "list", "--json").stdout) == [row]


def test_campaigns_list_shows_goal_window_budget_and_totals(
    roi: Callable[..., Result], clickhouse: FakeClickHouse
) -> None:
    definition = campaign("spring", budget_minor=1_000_000, attribution_window_days=3.5) | {
        "goal": {"kinds": ["deposit", "payment"], "products": ["fund"], "min_amount_minor": 5000}
    }
    clickhouse.answer_rows(
        "campaign_definitions",
        [
            {
                "campaign_id": "spring",
                "definition": json.dumps(definition),
                "updated_at": "2026-01-01 00:00:00.000",
                "reached": 1234,
                "converters": 5,
                "cost_minor": 4200,
                "return_minor": 8400,
                "return_ratio": 2.0,
            }
        ],
    )
    words = roi("campaigns", "list").stdout
    for wanted in ("deposit, payment of fund from 50.00", "3.5", "10,000.00", "1,234", "42.00", "84.00", "2.000"):
        assert wanted in words
    assert json.loads(roi("campaigns", "list", "--json").stdout)[0]["window_days"] == 3.5


def test_apply_sends_nothing_when_one_file_is_bad(roi: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "good.json").write_text(json.dumps(campaign("a")))
    (tmp_path / "bad.json").write_text("{")
    result = roi("campaigns", "apply", str(tmp_path / "good.json"), str(tmp_path / "bad.json"))
    assert result.exit_code == 1
    assert "bad.json:1: not JSON" in result.stderr


def test_doctor_masks_every_secret(settings: Settings) -> None:
    secrets = {name: SecretStr("canary") for name, value in settings if isinstance(value, SecretStr)}
    shown = masked(settings.model_copy(update=secrets))
    assert len(secrets) >= 4
    assert "canary" not in str(shown)
    assert shown["ROI_PSEUDONYM_KEY"] == "***"
    assert shown["ROI_ATTRIBUTION__MODEL"] == "last_touch"
    assert masked(settings)["ROI_PSEUDONYM_KEY"] == "(not set)"


def test_doctor_reports_what_fails_and_exits_with_1(
    roi: Callable[..., Result], clickhouse: FakeClickHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROI_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9")
    monkeypatch.setattr("pipeline.transport.reading._CONNECT_SECONDS", 0.5)
    clickhouse.answer_rows("version()", [{"version": "26.9.1", "now_ms": round(time.time() * 1000)}])
    clickhouse.answer_rows("system.tables", [{"tables": 0}])
    result = roi("doctor", "--json")
    checks = {check["check"]: check for check in json.loads(result.stdout)["checks"]}
    assert result.exit_code == 1
    assert (checks["ClickHouse"]["state"], checks["clock"]["state"]) == ("ok", "ok")
    assert "run roi migrate" in checks["tables"]["detail"]
    assert "Kafka does not answer at 127.0.0.1:9" in checks["Kafka"]["detail"]


def test_a_code_that_is_no_currency_is_a_warning_with_the_lists_date(settings: Settings) -> None:
    assert len(CURRENCIES) == 178 - 2  # of the published list, without its codes for tests and for no currency
    assert check_currency(settings).state == "ok"
    found = check_currency(settings.model_copy(update={"reporting_currency": "XXY"}))
    assert (found.check, found.state) == ("currency", "warning")
    assert found.detail.startswith("XXY is no currency of ISO 4217 of 2026-01-01; set ROI_REPORTING_CURRENCY")


def test_doctor_questions_the_currency_without_failing_for_it(
    roi: Callable[..., Result], clickhouse: FakeClickHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROI_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9")
    monkeypatch.setattr("pipeline.transport.reading._CONNECT_SECONDS", 0.5)
    monkeypatch.setenv("ROI_REPORTING_CURRENCY", "XXY")
    clickhouse.answer_rows("version()", [{"version": "26.9.1", "now_ms": round(time.time() * 1000)}])
    clickhouse.answer_rows("system.tables", [{"tables": 9}])
    (told,) = (check for check in json.loads(roi("doctor", "--json").stdout)["checks"] if check["check"] == "currency")
    assert told["state"] == "warning"


HALTED = Fault("bank.costs.v1", "halted: 60 % are bad", "roi resume", is_lasting=True)


@pytest.mark.parametrize(
    ("found", "code"),
    [([], 0), ([replace(HALTED, severity="warning")], 0), ([HALTED], 1)],
    ids=["well", "warned", "ill"],
)
@pytest.mark.parametrize("words", [(), ("--json",)])
def test_status_exits_with_1_where_something_is_at_fault(
    roi: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, found: list[Fault], code: int, words: tuple[str, ...]
) -> None:
    look = StatusLook([], {}, 1, 0.5, [], Observations(time.time()), found)
    monkeypatch.setattr("pipeline.cli.status_look.look", lambda *_: look)
    result = roi("status", *words)
    assert result.exit_code == code
    assert ("halted: 60 % are bad" in result.stdout) is bool(found)


def test_directory_open_to_others_fails_the_check(tmp_path: Path) -> None:
    (tmp_path / "roi.env").touch(0o644)
    tmp_path.chmod(0o700)
    states = {finding.check: finding.state for finding in check_directory(tmp_path)}
    assert states == {str(tmp_path): "ok", str(tmp_path / "roi.env"): "failed"}


@pytest.mark.parametrize(("apart", "state"), [(0.0, "ok"), (-5.0, "ok"), (5.1, "warning"), (-3600.0, "warning")])
def test_clock_apart_is_a_warning(apart: float, state: str) -> None:
    assert clock_finding(1000.0 + apart, 1000.0).state == state


@pytest.mark.parametrize(
    ("partitions", "states"),
    [
        ({"a": 8, "b": 8, "c": 1}, ["ok", "ok"]),
        ({"a": 8, "b": 4, "c": 1}, ["ok", "failed"]),
        ({"a": 8}, ["failed", "ok"]),
        ({}, ["failed"]),
    ],
)
def test_missing_and_unequal_topics_fail_the_check(partitions: dict[str, int], states: list[str]) -> None:
    assert [finding.state for finding in topic_findings(partitions, 8, ("a", "b"), ("a", "b", "c"))] == states


def test_refused_definitions_are_counted_beside_the_events() -> None:
    positions = [{"accepted": 5, "duplicates": 1, "dead_letters": 4}]
    refused = [
        {"topic": TOUCHES, "reason": "not_json", "letters": 1},
        {"topic": COSTS, "reason": "not_json", "letters": 1},
        {"topic": COSTS, "reason": "too_late", "letters": 2},
        {"topic": CAMPAIGNS, "reason": "not_json", "letters": 3},
    ]
    assert count_events(positions, refused) == {
        "events": 10,
        "accepted": 5,
        "duplicates": 1,
        "refused": 4,
        "refused_by_reason": {"not_json": 2, "too_late": 2},
        "definitions_refused": 3,
    }


def test_erasing_names_the_runs_that_keep_what_they_counted() -> None:
    assert _kept_in([]) == []
    (line,) = _kept_in(["linear", "window-3"])
    assert line.endswith("roi runs drop linear; roi runs drop window-3")


def test_drain_does_not_wait_for_workers_that_another_installations_keep_out(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(presence, "workers_seen", lambda *_: presence.WorkersSeen(0, strangers_in="roi"))
    nowhere = settings.model_copy(update={"clickhouse_url": "http://127.0.0.1:9"})
    Watch(nowhere, tmp_path).raise_lasting()  # they may be those of one that was killed just now
    monkeypatch.setattr(drain, "STRANGERS_SECONDS", 0.0)
    with pytest.raises(UserError, match="not drained: workers: the workers in the consumer group roi are of another"):
        Watch(nowhere, tmp_path).raise_lasting()
