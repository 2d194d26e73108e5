"""The bank's figures as boards show them: counted now and then on a large ledger, at each question on a small one."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from dashboards.boards.bank import BANK
from dashboards.definitions.macros import TimeRange
from pipeline.api.panel_data import PanelData
from pipeline.clickhouse.migrations import migrate
from pipeline.metrics.definitions import BOARD_PREFIX, COUNTED_FOR_BOARDS
from pipeline.state.policy import Policy
from tests.figures.comparing import differences, read
from tests.oracle.building import Ledger
from tests.state.rules import KEY
from tests.support.core_player import CorePlayer

if TYPE_CHECKING:
    from pipeline.settings import Settings
    from tests.oracle.facts import Row

LARGE = 2_000_000


@pytest.fixture
def client(spare: Settings, spare_client: Any) -> Any:
    spare_client.command("DROP DATABASE IF EXISTS roi")
    migrate(spare)
    return spare_client


def _play(client: Any, number: int) -> None:
    ledger = Ledger()
    ledger.customer("c", "growth")
    for each in range(number):
        ledger.touch(f"t-{each}", f"2026-03-0{1 + each} 09:00", customer_id="c", kind="send", recommended=True)
        ledger.pay(f"x-{each}", f"2026-03-0{1 + each} 10:00", 100, customer_id="c", kind="account_open")
        ledger.login(f"2026-03-0{1 + each} 11:00", customer_id="c")
    CorePlayer(client, "roi", "live", Policy(future_ms=None, pseudonym_key=KEY), ledger.log).play(Random(1))


def _shown(client: Any, view: str) -> tuple[list[Row], set[Any]]:
    rows = read(client, f"{BOARD_PREFIX}{view}", "live")
    return [{name: row[name] for name in row if name != "counted_at"} for row in rows], {
        row["counted_at"] for row in rows
    }


def _count_again(client: Any) -> None:
    for view in COUNTED_FOR_BOARDS:
        client.command(f"SYSTEM REFRESH VIEW roi.counted_{view}")
        client.command(f"SYSTEM WAIT VIEW roi.counted_{view}")


def _counted_within_a_minute(client: Any) -> dict[str, tuple[list[Row], set[Any]]]:
    """Count all views, and again where a minute ended between two of them; return what is shown of each."""
    while True:
        _count_again(client)
        counted = {view: _shown(client, view) for view in COUNTED_FOR_BOARDS}
        if len({str(at)[:16] for _, instants in counted.values() for at in instants}) == 1:
            return counted


def _said_by_panels(settings: Settings) -> set[str]:
    """Return to the minute when panels of the bank's figures say that their rows were counted."""
    data, times, said = PanelData(settings), TimeRange.between(0, 4 * 10**12), set()
    for panel in BANK.panels:
        place = next(place for place, column in enumerate(panel.columns) if column.role == "counted")
        answer = asyncio.run(data.answer(panel.sql, times, {"run": ["live"]}))
        assert answer.rows or panel.id == "bank-plans", panel.id
        said |= {str(row[place])[:16] for row in answer.rows}
    return said


def test_a_small_ledger_is_counted_at_each_question(client: Any) -> None:
    for number in (1, 2):
        _play(client, number)
        for view in COUNTED_FOR_BOARDS:
            rows, instants = _shown(client, view)
            assert rows, view
            assert instants == {None}, view
            assert differences(read(client, view, "live"), rows) == [], view
    _count_again(client)
    for view in COUNTED_FOR_BOARDS:
        assert client.query(f"SELECT count() FROM roi.counted_{view}").result_rows == [(0,)]


def test_a_large_ledger_is_shown_as_it_was_last_counted(client: Any, spare: Settings) -> None:
    _play(client, 1)
    client.command(
        f"INSERT INTO roi.ledger (run, kind, at) SELECT 'live', 'filler', number FROM numbers({LARGE})",
        settings={"max_insert_threads": 1},
    )
    for view in COUNTED_FOR_BOARDS:  # not counted yet
        assert differences(read(client, view, "live"), _shown(client, view)[0]) == [], view
    counted = _counted_within_a_minute(client)
    assert _said_by_panels(spare) == {min(map(str, counted["transaction_figures"][1]))[:16]}
    before = {view: read(client, view, "live") for view in COUNTED_FOR_BOARDS}
    _play(client, 3)
    for view, (rows, instants) in counted.items():
        assert differences(before[view], rows) == [], view
        assert len(instants - {None}) == len(instants) == 1
        assert _shown(client, view) == (rows, instants)
    assert before != {view: read(client, view, "live") for view in COUNTED_FOR_BOARDS}
    _count_again(client)
    for view in COUNTED_FOR_BOARDS:
        assert differences(read(client, view, "live"), _shown(client, view)[0]) == [], view
