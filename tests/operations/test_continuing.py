from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from pipeline.cli.doctor import check_ledger
from pipeline.embedded.instance import run_clients
from pipeline.embedded.supervisor import Supervisor
from pipeline.errors import UserError
from pipeline.ledger.ledger import ClickHouseLedger, LedgerUnavailableError
from pipeline.operations.continuing import check_new_topics, check_settings, counted_partitions
from pipeline.policies import describe_policy, policy_of
from schemas.topics import COSTS, CUSTOMER_KEYED_TOPICS, LOGINS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.settings import Settings

COUNTED = dict.fromkeys((*CUSTOMER_KEYED_TOPICS, COSTS), 8)


@pytest.mark.parametrize(
    ("existing", "counted", "partitions"),
    [
        ((), {}, 4),  # a new database
        ((), COUNTED, 8),
        ((*CUSTOMER_KEYED_TOPICS, COSTS), COUNTED, 4),  # nothing is to be made
        ((COSTS, *CUSTOMER_KEYED_TOPICS[1:]), COUNTED, 4),  # it gets as many as its kin
    ],
)
def test_topics_that_the_ledger_can_count_with_are_made(
    existing: tuple[str, ...], counted: dict[str, int], partitions: int
) -> None:
    check_new_topics(existing, counted, partitions)


@pytest.mark.parametrize(
    ("existing", "counted", "named"),
    [
        ((), COUNTED, CUSTOMER_KEYED_TOPICS[0]),
        ((), {LOGINS: 3, COSTS: 4}, LOGINS),
        (CUSTOMER_KEYED_TOPICS, COUNTED, COSTS),
    ],
)
def test_topics_with_another_number_than_the_ledger_s_are_not_made(
    existing: tuple[str, ...], counted: dict[str, int], named: str
) -> None:
    with pytest.raises(UserError) as refused:
        check_new_topics(existing, counted, 4)
    known = counted[named]
    assert refused.value.cause == f"{named} would be made with 4 partitions, and the ledger counts with {known}"
    assert f"ROI_KAFKA_PARTITIONS={known}" in refused.value.remedy


def test_numbers_of_partitions_are_the_ledger_s_and_none_of_a_new_database(migrated: Settings, clickhouse: Any) -> None:
    ledger = ClickHouseLedger(clickhouse, "roi", "live", "someone")
    ledger.execute("record_partition_count", topic=LOGINS, partitions=8)
    try:
        assert counted_partitions(migrated) == {LOGINS: 8}
        assert counted_partitions(migrated.model_copy(update={"clickhouse_database": "nowhere"})) == {}
    finally:
        clickhouse.command("TRUNCATE TABLE roi.partition_counts")


@pytest.mark.parametrize(
    ("update", "complaint"),
    [
        ({"clickhouse_url": "http://127.0.0.1:1"}, "ClickHouse does not answer at"),
        ({"clickhouse_writer_password": SecretStr("wrong")}, "refuses the user"),
        (
            {"clickhouse_database": "default"},
            "ClickHouse does not let roi_writer write to database default; grant both",
        ),
    ],
)
def test_numbers_of_partitions_that_cannot_be_had_are_not_taken_for_none(
    migrated: Settings, update: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(UserError, match=complaint):
        counted_partitions(migrated.model_copy(update=update))


def test_a_database_that_cannot_tell_is_not_taken_for_a_new_one(
    migrated: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise LedgerUnavailableError("DatabaseError: Received ClickHouse exception, code: 241, server response: …")

    monkeypatch.setattr(ClickHouseLedger, "fetch", fails)
    with pytest.raises(LedgerUnavailableError):
        counted_partitions(migrated)


@pytest.fixture
def begun(migrated: Settings, clickhouse: Any) -> Iterator[Settings]:
    """Settings that the live run was begun under."""
    settings = migrated.model_copy(update={"pseudonym_key": SecretStr("of these customers")})
    ClickHouseLedger(clickhouse, "roi", "live", "someone").begin(policy_of(settings), describe_policy(settings))
    yield settings
    clickhouse.command("TRUNCATE TABLE roi.runs")


def test_a_run_goes_on_under_its_own_settings(begun: Settings) -> None:
    check_settings(begun)
    check_settings(begun.model_copy(update={"pseudonym_key": SecretStr("")}))  # no worker is started here


def test_what_is_not_known_is_not_refused(migrated: Settings) -> None:
    other = migrated.model_copy(update={"reporting_currency": "USD"})
    assert check_settings(other) is False  # nobody has begun it
    assert check_settings(other.model_copy(update={"clickhouse_database": "nowhere"})) is False
    assert check_settings(other.model_copy(update={"clickhouse_url": "http://127.0.0.1:1"})) is None


def test_doctor_tells_what_a_worker_would_refuse(begun: Settings, clickhouse: Any) -> None:
    (good,) = check_ledger(begun)
    assert (good.state, good.detail) == ("ok", "the live run was begun under these settings")
    other = begun.model_copy(update={"reporting_currency": "USD"})
    with pytest.raises(UserError, match="begun under other settings than today's: ROI_REPORTING_CURRENCY CNY → USD"):
        check_ledger(other)
    clickhouse.command("TRUNCATE TABLE roi.runs")
    (new,) = check_ledger(other)
    assert (new.state, new.detail) == ("ok", "no live run is known yet")
    (unknown,) = check_ledger(begun.model_copy(update={"clickhouse_password": SecretStr("wrong")}))
    assert (unknown.state, "does not tell" in unknown.detail) == ("failed", True)


@pytest.mark.parametrize("key", ["of these customers", "", "of others"])
def test_nothing_is_started_over_a_run_that_cannot_go_on(begun: Settings, key: str) -> None:
    changed = {"reporting_currency": "USD", "pseudonym_key": SecretStr(key)}
    if key == "of others":
        del changed["reporting_currency"]
    said: list[str] = []
    keeper = Supervisor(None, said.append)
    with pytest.raises(UserError, match="ROI_PSEUDONYM_KEY" if key == "of others" else "ROI_REPORTING_CURRENCY CNY"):
        asyncio.run(run_clients(begun.model_copy(update=changed), 0, 1, keeper))
    assert (said, keeper.pids()) == ([], {})


def test_a_run_whose_rules_no_worker_has_recorded_is_told_by_its_fingerprint(begun: Settings, clickhouse: Any) -> None:
    clickhouse.command("TRUNCATE TABLE roi.runs")
    policy = replace(policy_of(begun), window_ms=1)
    given = {"fingerprint": policy.fingerprint(), "models": ["m"], "zone": "UTC", "rules": ""}
    ClickHouseLedger(clickhouse, "roi", "live", "someone").execute("begin_run", settings="window_days=0.1", **given)
    with pytest.raises(UserError, match=r"ROI_ATTRIBUTION__WINDOW_DAYS 0\.1 → 7\.0"):
        check_settings(begun)
    check_settings(begun.model_copy(update={"pseudonym_key": SecretStr("")}))
