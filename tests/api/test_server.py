from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest

from pipeline.api import board
from pipeline.api.guard import MOST_BODY_BYTES
from pipeline.api.server import build_app, build_board
from pipeline.build import VERSION
from pipeline.operations import lag
from pipeline.operations.health import Observations
from pipeline.operations.lag import Standing, Waiting
from pipeline.settings import Settings
from schemas.topics import LOGINS
from tests.support.endpoint import ROOT
from tests.support.serving import serving, visiting
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import ClientSession

NOWHERE = Settings(clickhouse_url="http://127.0.0.1:9")
END_SECONDS = 5


@pytest.fixture
async def visitor() -> AsyncIterator[ClientSession]:
    async with visiting(build_board(NOWHERE)) as client:
        yield client


async def test_the_description_names_the_products_version_and_every_route(visitor: ClientSession) -> None:
    described = await (await visitor.get("/openapi.json")).json()
    assert described["info"]["version"] == VERSION
    assert set(described["paths"]) == set(build_app(NOWHERE).openapi()["paths"])
    assert "/api/campaigns" in described["paths"]


async def test_what_is_at_fault_is_listed_as_the_health_tells_it() -> None:
    frozen = Settings(clickhouse_url="http://127.0.0.1:9", kafka_bootstrap_servers="127.0.0.1:9")
    async with visiting(build_board(frozen)) as client:
        listed = await client.get("/api/faults")
        told = await client.get("/healthz")
        assert (listed.status, told.status) == (200, 503)
        faults = await listed.json()
        assert faults == (await told.json())["faults"]
        assert [fault["part"] for fault in faults] == ["Kafka", "ClickHouse"]
        assert all(fault["cause"] and fault["remedy"] for fault in faults)


async def test_pages_that_ask_at_once_share_a_look_at_what_is_at_fault(
    visitor: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []

    def observed(*_: object, **__: object) -> Observations:
        looks.append(1)
        return Observations(now=0.0, unreachable=(("Kafka", "does not answer", "wait"),))

    monkeypatch.setattr(board, "observe", observed)
    answers = await asyncio.gather(*(visitor.get("/api/faults") for _ in range(20)))
    assert ([answer.status for answer in answers], len(looks)) == ([200] * 20, 1)


async def test_a_page_is_told_what_is_at_fault_now_and_not_what_was_when_somebody_asked_before(
    visitor: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    causes = iter(["one", "another"])

    def observed(*_: object, **__: object) -> Observations:
        return Observations(now=0.0, unreachable=(("Kafka", next(causes), "wait"),))

    monkeypatch.setattr(board, "observe", observed)
    monkeypatch.setattr(board, "_SHARED_SECONDS", 0.0)
    for cause in ("one", "another"):
        (fault,) = await (await visitor.get("/api/faults")).json()
        assert fault["cause"] == cause


async def test_a_page_is_told_of_records_that_nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Settings(clickhouse_url="http://127.0.0.1:9", kafka_bootstrap_servers="127.0.0.1:9")
    standing = Waiting([{"topic": LOGINS}], [Standing(LOGINS, 0, 3_149, 0)], 404.0)
    monkeypatch.setattr(board, "observe", lambda *_, **__: Observations(now=0.0))
    monkeypatch.setattr(board, "waiting", lambda *_: standing)
    monkeypatch.setattr(board, "_SHARED_SECONDS", 0.0)
    monkeypatch.setattr(lag, "_WATCH_SECONDS", 0.0)
    async with visiting(build_board(told)) as client:
        assert await (await client.get("/api/faults")).json() == []
        (fault,) = await (await client.get("/api/faults")).json()
    assert (fault["part"], fault["cause"]) == (
        "workers",
        "3,149 records wait, and the last block was written 404 s ago",
    )


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/nothing", "/api/campaigns/"])
async def test_there_are_no_pages_that_load_scripts_from_elsewhere(visitor: ClientSession, path: str) -> None:
    response = await visitor.get(path)
    assert (response.status, await response.json()) == (404, {"error": "Not Found", "remedy": "see /openapi.json"})


@pytest.mark.parametrize("path", ["/", "/livez", "/api/campaigns", "/nothing", "/openapi.json"])
async def test_every_answer_is_for_nobodys_cache_and_frame(visitor: ClientSession, path: str) -> None:
    headers = (await visitor.get(path)).headers
    assert (headers["Cache-Control"], headers["X-Frame-Options"]) == ("no-store", "DENY")
    assert (headers["X-Content-Type-Options"], headers["Referrer-Policy"]) == ("nosniff", "no-referrer")
    assert "Server" not in headers


@pytest.mark.parametrize("path", ["/", "/livez", "/healthz"])
async def test_pages_may_be_asked_for_their_head(visitor: ClientSession, path: str) -> None:
    response = await visitor.head(path)
    assert response.status in {200, 503}
    assert await response.read() == b""


@pytest.mark.parametrize("sent", ["in chunks", "whole"])
async def test_a_body_beyond_the_limit_is_not_read(visitor: ClientSession, sent: str) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(MOST_BODY_BYTES // 1024 + 1):
            yield b"x" * 1024

    data = endless() if sent == "in chunks" else b"x" * (MOST_BODY_BYTES + 1)
    response = await visitor.post("/api/campaigns", data=data)
    assert response.status in ({405} if sent == "in chunks" else {413})  # nobody reads a body that no route wants


async def test_http_without_a_host_is_refused() -> None:
    async with serving(build_board(NOWHERE)) as address:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(address.rpartition(":")[2]))
        writer.write(b"GET / HTTP/1.0\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 421")
        writer.close()


async def test_with_tokens_it_answers_to_every_name() -> None:
    tokens = {"lin": {"hash": "0" * 64, "role": "viewer"}}
    settings = Settings(clickhouse_url="http://127.0.0.1:9", api={"tokens": tokens})
    async with visiting(build_board(settings)) as client:
        assert (await client.get("/livez", headers={"Host": "roi.bank.example"})).status == 200


@pytest.mark.process
def test_a_process_ends_within_seconds_even_while_it_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as frozen, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        environment = dict(os.environ) | {"ROI_CLICKHOUSE_URL": f"http://127.0.0.1:{frozen.getsockname()[1]}"}
        command = [sys.executable, "-m", "pipeline.api", "--port", str(port)]
        with subprocess.Popen(command, env=environment, cwd=ROOT, stderr=subprocess.PIPE) as process:
            try:
                wait_until(lambda: _is_alive(port), 30)
                with socket.create_connection(("127.0.0.1", port)) as waiting:
                    waiting.sendall(b"GET /api/campaigns HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    asked, _ = frozen.accept()
                    with asked:
                        began = time.monotonic()
                        process.send_signal(signal.SIGTERM)
                        assert process.wait(END_SECONDS * 2) == 0
                        assert time.monotonic() - began < END_SECONDS
                    assert waiting.recv(1 << 16).startswith(b"HTTP/1.1 503 ")
                assert process.stderr is not None
                assert b"Traceback" not in process.stderr.read()
            finally:
                process.kill()


@pytest.mark.process
def test_a_port_in_use_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        command = [sys.executable, "-m", "pipeline.api", "--port", str(taken.getsockname()[1])]
        refused = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert refused.stderr.startswith("error: 127.0.0.1:")
    assert refused.stderr.count("\n") == 1


def _is_alive(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/livez", timeout=5) as response:
            return bool(json.load(response)["status"] == "ok")
    except OSError:
        return False
