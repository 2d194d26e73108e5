from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.api.server import build_board
from pipeline.operations import observing
from pipeline.settings import Settings
from tests.cli.conftest import Answer, FakeClickHouse
from tests.support.serving import visiting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import ClientSession

ROW: dict[str, Any] = {
    "campaign_id": "<script>alert(1)</script>",
    "touches": 9,
    "reached": 1234,
    "conversions": 2.5,
    "converters": 2,
    "cost_minor": 100,
    "return_minor": 150,
    "aum_minor": 0,
    "conversion_rate": 0.0016,
    "cpa_minor": 50.0,
    "return_ratio": 1.5,
    "min_return_ratio": 2.0,
    "net_roi": 0.5,
    "alert_state": "firing",
    "alert_id": "alr_1",
    "updated_at": "2026-01-01 00:00:00.000",
}

EVALUATOR: dict[str, Any] = {"last_body": '{"turn_age_seconds": 0.5}', "age_seconds": 0.4}


@pytest.fixture
async def board(settings: Settings) -> AsyncIterator[ClientSession]:
    async with visiting(build_board(settings)) as client:
        yield client


async def test_json_is_the_views_rows(board: ClientSession, clickhouse: FakeClickHouse) -> None:
    clickhouse.answer_rows("campaign_totals", [ROW])
    assert await (await board.get("/api/campaigns")).json() == [ROW]


async def test_health_follows_clickhouse(board: ClientSession, clickhouse: FakeClickHouse) -> None:
    assert (await board.get("/healthz")).status == 503
    for table in ("halted_topics", "log_faults", "worker_deaths"):
        clickhouse.answer_rows(table, [])
    clickhouse.answer_rows("alert_leases", [EVALUATOR])
    assert (await board.get("/healthz")).status == 200


async def test_health_tells_halted_topics_and_dying_workers(board: ClientSession, clickhouse: FakeClickHouse) -> None:
    halt = {"topic": "bank.costs.v1", "kind": "bad_share", "cause": "too many", "remedy": "mend it", "halted_at": "now"}
    clickhouse.answer_rows("halted_topics", [halt])
    clickhouse.answer_rows("log_faults", [])
    clickhouse.answer_rows("alert_leases", [EVALUATOR])
    clickhouse.answer_rows("worker_deaths", [{"host": "a", "cause": "KeyError", "at": time.time() - 1}] * 2)
    response = await board.get("/healthz")
    assert response.status == 503
    assert [fault["part"] for fault in (await response.json())["faults"]] == ["bank.costs.v1", "worker"]


async def test_health_tells_that_nobody_decides_about_alerts(board: ClientSession, clickhouse: FakeClickHouse) -> None:
    for table in ("halted_topics", "log_faults", "worker_deaths"):
        clickhouse.answer_rows(table, [])
    clickhouse.answer_rows("alert_leases", [EVALUATOR | {"age_seconds": 60.0}])
    response = await board.get("/healthz")
    assert response.status == 503
    assert [fault["part"] for fault in (await response.json())["faults"]] == ["alerts"]


async def test_health_tells_a_broker_that_does_not_answer(
    clickhouse: FakeClickHouse, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observing, "QUESTION_SECONDS", 0.5)
    for table in ("halted_topics", "log_faults", "worker_deaths"):
        clickhouse.answer_rows(table, [])
    clickhouse.answer_rows("alert_leases", [EVALUATOR])
    with socket.create_server(("127.0.0.1", 0)) as frozen:  # takes connections and says nothing
        address = f"127.0.0.1:{frozen.getsockname()[1]}"
        told = Settings(**settings.model_dump(exclude_unset=True) | {"kafka_bootstrap_servers": address})
        async with visiting(build_board(told)) as client:
            response = await client.get("/healthz")
            (fault,) = (await response.json())["faults"]
    assert (response.status, fault["part"]) == (503, "Kafka")
    assert address in fault["cause"]


async def test_the_boards_own_life_depends_on_nobody(board: ClientSession) -> None:
    assert (await board.get("/livez")).status == 200


async def test_failing_clickhouse_is_said_without_its_internals(
    board: ClientSession, clickhouse: FakeClickHouse
) -> None:
    clickhouse.answers["campaign_totals"] = Answer(b"Code: 1. stack of internals", 500)
    response = await board.get("/api/campaigns")
    text = await response.text()
    assert response.status == 503
    assert "ClickHouse refused the query" in text
    assert "internals" not in text


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8080", 200),
        ("localhost", 200),
        ("[::1]:8080", 200),
        ("evil.example", 421),
        ("evil.example:8080", 421),
    ],
)
async def test_foreign_host_names_are_refused(
    board: ClientSession, clickhouse: FakeClickHouse, host: str, status: int
) -> None:
    clickhouse.answer_rows("campaign_totals", [ROW])
    assert (await board.get("/", headers={"Host": host})).status == status
