"""What the ledger asks of ClickHouse, and what it makes of the answers; the client is a recording one."""

from __future__ import annotations

import json
from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError
from pydantic import SecretStr

from pipeline.alerts.facts import LedgerFacts
from pipeline.clickhouse import sql
from pipeline.clickhouse.connection import connect
from pipeline.errors import FencedError, UserError
from pipeline.ledger.ledger import ClickHouseLedger, LedgerUnavailableError
from pipeline.settings import Settings
from tests.ledger.building import block_of, part, touch_facts
from tests.support.kafka import free_port

if TYPE_CHECKING:
    from pipeline.clickhouse.native import Body

RUNNING = sql.query("running_blocks", "roi")
KILL = sql.query("kill_blocks", "roi")


class RecordingClient:
    """Answers statements from queues: ``running`` counts of running blocks, ``errors`` of the next commands."""

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.requests: list[dict[str, Any]] = []
        self.running: deque[int] = deque()
        self.errors: deque[Exception] = deque()
        self.claims: list[list[Any]] = []
        self.killed: list[list[str]] = []

    def command(self, statement: str, **request: Any) -> Any:
        self.statements.append(statement)
        self.requests.append(request)
        if self.errors:
            raise self.errors.popleft()
        if statement == KILL:
            self.killed.append(request["parameters"]["owners"])
        return (self.running.popleft() if self.running else 0) if statement == RUNNING else ""

    def _raw_request(self, body: Body, params: dict[str, Any], headers: dict[str, str]) -> None:
        self.requests.append({"data": bytes(body), "length": headers["Content-Length"], **params})
        if self.errors:
            raise self.errors.popleft()

    def raw_query(self, statement: str, **request: Any) -> bytes:
        self.statements.append(statement)
        if self.errors:
            raise self.errors.popleft()
        return b"\n".join(json.dumps(claim).encode() for claim in self.claims)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds


def _ledger(client: RecordingClient, clock: Clock | None = None) -> ClickHouseLedger:
    clock = clock or Clock()
    return ClickHouseLedger(client, "roi", "live", "me", monotonic=clock, wait=clock.wait)


def test_a_claim_waits_for_the_blocks_of_former_owners() -> None:
    client = RecordingClient()
    client.claims = [[3, 1, "former"], [3, 2, "me"]]
    client.running.extend([2, 1, 0])
    assert _ledger(client).claim([3]) == {3: 2}
    assert client.statements.count(RUNNING) == 3
    assert KILL not in client.statements


def test_a_claim_kills_blocks_that_outlast_its_grace() -> None:
    client, clock = RecordingClient(), Clock()
    client.claims = [[3, 1, "former"], [3, 2, "me"]]
    client.running.extend([1] * 150)
    _ledger(client, clock).claim([3])
    assert client.killed[0] == ["former", "me"]
    assert 2.0 < clock.now < 4.0


def test_every_attempt_has_a_name_of_its_own_and_the_same_bytes() -> None:
    client = RecordingClient()
    block = block_of(part(3, touches=touch_facts("t")))
    ledger = _ledger(client)
    for _ in range(2):
        ledger.write(block)
    first, second = client.requests
    assert first["data"] == second["data"] == bytes(block.body)
    assert first["length"] == str(len(first["data"]))
    names = [request["query_id"] for request in (first, second)]
    assert names[0] != names[1]
    assert all(name.startswith("roi-block-me-1-") for name in names)
    bound = {name: value for name, value in first.items() if name.startswith("param_")}
    assert bound == {"param_run": "live", "param_owner": "me", "param_shards": "[3]", "param_epochs": "[1]"}


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (DatabaseError("Code: 395. DB::Exception: FENCED: while executing"), FencedError),
        (DatabaseError("Code: 241. DB::Exception: Memory limit exceeded"), LedgerUnavailableError),
        (OperationalError("Connection refused"), LedgerUnavailableError),
        (ConnectionResetError(), LedgerUnavailableError),
        (TimeoutError(), LedgerUnavailableError),
    ],
)
def test_errors_say_whether_to_try_again(error: Exception, raised: type[Exception]) -> None:
    client = RecordingClient()
    client.errors.append(error)
    with pytest.raises(raised):
        _ledger(client).write(block_of(part(3)))


@pytest.mark.parametrize(
    "call",
    [
        lambda ledger: ledger.fetch("claims", shards=[3]),
        lambda ledger: ledger.execute("claim", shards=[3], owner="me"),
        lambda ledger: ledger.claim([3]),
    ],
)
def test_an_unanswered_call_may_be_repeated(call: Any) -> None:
    client = RecordingClient()
    client.errors.append(OperationalError("gone"))
    with pytest.raises(LedgerUnavailableError):
        call(_ledger(client))


@pytest.mark.parametrize(
    "end",
    [
        b"[1,2",
        b'["anna',
        b"Code: 241. DB::Exception: Memory limit exceeded",
        b'{"exception": "Code: 241."}',
        b'["\xff"]',
    ],
)
def test_an_answer_that_breaks_off_is_asked_for_again(end: bytes) -> None:
    class BrokenClient:
        def raw_query(self, _statement: str, **_request: Any) -> bytes:
            return b"[3,1]\n" + end

    with pytest.raises(LedgerUnavailableError) as failed:
        ClickHouseLedger(BrokenClient(), "roi", "live", "me").fetch("claims", shards=[3])
    assert str(failed.value) == "the answer to claims breaks off"
    with pytest.raises(LedgerUnavailableError) as failed:
        LedgerFacts(BrokenClient(), "roi", "live").records("alert_touches", np.dtype([("at", "<i8"), ("place", "<i8")]))
    assert str(failed.value) == "the answer to alert_touches breaks off"


def test_an_error_keeps_to_one_short_line() -> None:
    client = RecordingClient()
    client.errors.append(DatabaseError("first line " + "x" * 500 + "\nsecond line with data"))
    with pytest.raises(LedgerUnavailableError) as failed:
        _ledger(client).write(block_of(part(3)))
    assert "second" not in str(failed.value)
    assert len(str(failed.value)) < 250


def test_a_server_that_does_not_answer_is_named_with_the_remedy() -> None:
    with pytest.raises(UserError) as refused:
        connect(Settings(clickhouse_url=(address := f"http://127.0.0.1:{free_port()}")), "writer")
    assert f"does not answer at {address}" in refused.value.cause
    assert "ROI_CLICKHOUSE_URL" in refused.value.remedy


def test_a_wrong_password_is_named_and_not_shown(migrated: Settings) -> None:
    with pytest.raises(UserError) as refused:
        connect(migrated.model_copy(update={"clickhouse_writer_password": SecretStr("s3cret-guess")}), "writer")
    assert "refuses the user" in refused.value.cause
    assert "s3cret-guess" not in str(refused.value)
