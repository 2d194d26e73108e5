"""Panels over HTTP: their list, their numbers, the changes as they come, and what is refused."""

from __future__ import annotations

import asyncio
import gc
import json
from typing import TYPE_CHECKING, Any

import pytest

from dashboards.registry import BOARDS, PANELS
from pipeline.api.answers import ApiError
from pipeline.api.panel_data import PanelData
from pipeline.api.watching import Watches
from pipeline.clickhouse.reader import Reader
from tests.api.conftest import SECONDS

if TYPE_CHECKING:
    from pipeline.settings import Settings
    from tests.api.conftest import Api

RANKING = "campaigns-ranking"


async def test_every_panel_is_listed_with_its_board_and_texts(local: Api) -> None:
    listed = await local.get("/api/panels", None)
    assert {one["id"] for one in listed} == set(PANELS)
    assert all(one["title"] and one["description"] and one["unit"] and one["board"] for one in listed)
    boards = await local.get("/api/boards", None)
    assert [board["id"] for board in boards] == [board.id for board in BOARDS]
    assert {panel for board in boards for panel in board["panels"]} == set(PANELS)


async def test_a_panels_columns_are_those_of_its_definition(local: Api) -> None:
    found = await local.get(f"/api/panels/{RANKING}?from=now-7d&to=now&run=live&campaign=nobody", None)
    assert [column["name"] for column in found["columns"]] == [column.name for column in PANELS[RANKING].columns]
    assert all(column["type"] and column["unit"] for column in found["columns"])
    assert found["rows"] == []


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("from=yesterday", 422),
        ("from=2026-01-01", 422),
        ("from=0001-01-01T00:00:00%2B14:00", 422),
        ("from=2026-02-30T00:00:00Z", 422),
        ("from=now&to=now-1d", 422),
        ("from=now&to=now", 200),
        ("from=2026-01-01T00:00:00Z&to=2026-01-01T08:00:00%2B08:00", 200),
        ("from=0&to=4102444800000", 200),
        ("from=latest-999999w&to=9999-12-31T23:59:59Z", 200),
        ("run=nobody", 404),
        ("run=%27%5C%00&campaign=%E5%A4%8F", 404),
        ("campaign=%27%5C%00&campaign=%E5%A4%8F&campaign=%F0%9F%8E%89&campaign=%22%0A", 200),
        ("campaign=%ED%A0%80&tier=%FF", 200),
        ("from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00%2B08:00", 200),
        ("from=1760000000000&to=latest", 200),
        ("campaign=%27)%20OR%201=1--&owner=%5C", 200),
    ],
)
async def test_a_time_range_is_read_or_refused_with_a_remedy(local: Api, query: str, status: int) -> None:
    answered, body = await local.ask("GET", f"/api/panels/{RANKING}?{query}", None)
    assert answered == status, body
    assert status == 200 or body["remedy"]


async def test_an_unknown_panel_or_variable_is_not_found(local: Api) -> None:
    assert (await local.ask("GET", "/api/panels/nothing", None))[0] == 404
    assert (await local.ask("GET", "/api/variables/nothing", None))[0] == 404


@pytest.mark.parametrize("name", ["run", "campaign", "tier", "owner"])
async def test_a_variable_lists_values_with_texts(local: Api, name: str) -> None:
    values = await local.get(f"/api/variables/{name}", None)
    assert all(set(one) == {"value", "text"} for one in values)


async def test_a_stream_begins_with_the_numbers_of_every_panel_watched(local: Api) -> None:
    async with local.visitor.get(f"/api/stream?panels={RANKING}&from=now-7d&to=now") as response:
        assert response.headers["Content-Type"].startswith("text/event-stream")
        sent = await _first_event(response)
    assert sent["id"] == RANKING
    assert sent["rows"] == (await local.get(f"/api/panels/{RANKING}?from=now-7d&to=now", None))["rows"]


async def test_a_run_that_is_not_there_is_said_and_no_empty_board_is_shown(local: Api) -> None:
    for path in (f"/api/panels/{RANKING}?run=nowhere", "/api/explain/spring?run=nowhere"):
        status, body = await local.ask("GET", path, None)
        assert (status, body["error"]) == (404, "there is no run 'nowhere'")
        assert "roi runs list" in body["remedy"]
    async with local.visitor.get(f"/api/stream?panels={RANKING}&run=nowhere") as response:
        sent = await _first_event(response, "problem")
    assert (sent["id"], sent["error"]) == (RANKING, "there is no run 'nowhere'")
    assert (await local.ask("GET", "/api/variables/run?run=nowhere", None))[0] == 200, "another can be chosen there"


async def test_a_stream_says_how_long_ago_the_newest_block_was_written(local: Api) -> None:
    async with local.visitor.get(f"/api/stream?panels={RANKING}&from=now-7d&to=now") as response:
        sent = await _first_event(response, "pulse")
    written = "SELECT dateDiff('second', maxOrNull(written_at), now64(3)) AS ago FROM positions WHERE run = 'live'"
    (row,) = await asyncio.to_thread(Reader(local.settings).rows, written)
    assert sent["written_ago"] == (None if row["ago"] is None else pytest.approx(row["ago"], abs=SECONDS))


async def test_numbers_are_packed_for_those_who_take_it_and_plain_for_others(local: Api) -> None:
    numbers, events = f"/api/panels/{RANKING}?from=0&to=now", f"/api/stream?panels={RANKING}&from=0&to=now"
    for path in (numbers, events):
        for accepted, packed in (("gzip, br", "gzip"), ("identity", None)):
            async with local.visitor.get(path, headers={"Accept-Encoding": accepted}) as response:
                assert response.headers.get("Content-Encoding") == packed
                assert "Accept-Encoding" in response.headers["Vary"]
                sent = await response.json() if path == numbers else await _first_event(response)
                assert sent["id"] == RANKING
                assert {"columns", "rows", "tag", "from", "to", "latest"} <= sent.keys()


async def test_a_visitor_who_is_gone_is_not_watched_for(local: Api) -> None:
    async with local.visitor.get(f"/api/stream?panels={RANKING}&from=now-7d&to=now") as response:
        await _first_event(response)
        (watches,) = (one for one in gc.get_objects() if isinstance(one, Watches) and one._watches)
    async with asyncio.timeout(SECONDS):
        while watches._watches:  # noqa: ASYNC110 - the server notices in its own time
            await asyncio.sleep(0.01)


async def _first_event(response: Any, kind: str = "panel") -> dict[str, Any]:
    event = ""
    async for line in response.content:
        if line.startswith(b"event: "):
            event = line[7:].decode().strip()
        if line.startswith(b"data: ") and (event == kind or "pulse" not in {event, kind}):
            assert event == kind
            found: dict[str, Any] = json.loads(line[6:])
            return found
    raise AssertionError("the stream ended without an event")


async def test_all_who_ask_at_once_share_one_look_at_the_ledgers_stamp(
    migrated: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = PanelData(migrated)
    looks: list[str] = []
    rows = data._rows

    def counted(query: str, parameters: dict[str, object]) -> Any:
        looks.append(query)
        return rows(query, parameters)

    monkeypatch.setattr(data, "_rows", counted)
    found = await asyncio.gather(*(data.newest("live") for _ in range(20)))
    assert len(set(found)) == len(looks) == 1


async def test_all_who_name_an_unknown_run_at_once_share_one_look_at_the_list(
    migrated: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = PanelData(migrated)
    looks: list[str] = []
    rows = data._rows

    def counted(query: str, parameters: dict[str, object]) -> Any:
        looks.append(query)
        return rows(query, parameters)

    monkeypatch.setattr(data, "_rows", counted)
    found = await asyncio.gather(*(data.check_run(f"nowhere-{n % 3}") for n in range(20)), return_exceptions=True)
    assert all(isinstance(one, ApiError) and one.status == 404 for one in found)
    assert len(looks) == 1


async def test_runs_that_nobody_looks_at_any_more_are_forgotten(migrated: Settings) -> None:
    now = 0.0
    data = PanelData(migrated, clock=lambda: now)
    for number in range(5):
        await data.newest(f"nowhere-{number}")
        now += 1
    assert list(data._stamps) == ["nowhere-4"]
