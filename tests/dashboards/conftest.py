from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest

from dashboards.definitions.macros import TimeRange
from dashboards.registry import PANELS
from pipeline.api.panel_data import PanelData
from pipeline.clickhouse.connection import connect
from tests.dashboards.seeding import DAY_MS, seed
from tests.support.endpoint import migrated_endpoint
from tests.support.processes import starts_process

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.settings import Settings
    from tests.dashboards.seeding import Bank

_NUMBERS: Final = frozenset({"minor", "count", "share", "ratio", "p", "days", "hours", "seconds", "rate", "bytes"})


@dataclass
class Board:
    """Panels' numbers as the API gets them: macros expanded, asked as the reader, JSON of ClickHouse."""

    data: PanelData

    def show(
        self,
        panel_id: str,
        from_ms: int,
        to_ms: int,
        *,
        run: str = "live",
        campaign: Sequence[str] = (),
        tier: Sequence[str] = (),
        owner: Sequence[str] = (),
        outcome: str = "converted",
        backtest: str = "",
    ) -> list[dict[str, Any]]:
        """Return a panel's rows by column; columns are those of its definition, and numbers are numbers."""
        panel = PANELS[panel_id]
        several = {"campaign": campaign, "tier": tier, "owner": owner}
        values = {"run": [run], **several, "outcome": [outcome], "backtest": [backtest]}
        answer = asyncio.run(self.data.answer(panel.sql, TimeRange.between(from_ms, to_ms), values))
        assert [name for name, _ in answer.columns] == [column.name for column in panel.columns]
        for column, cells in zip(panel.columns, zip(*answer.rows, strict=True), strict=False):
            if column.unit in _NUMBERS:
                assert all(cell is None or isinstance(cell, int | float) for cell in cells), column.name
        return [dict(zip((name for name, _ in answer.columns), row, strict=True)) for row in answer.rows]


@pytest.fixture
def board(migrated: Settings) -> Board:
    return Board(PanelData(migrated))


@dataclass
class Seeded:
    """The boards over a bank that was seeded, and what it was seeded with."""

    board: Board
    bank: Bank
    reader: Any
    settings: Settings

    def span(self, back: float, ahead: float) -> tuple[int, int]:
        """Return a time range in days before the end of the live run, in epoch milliseconds, from 1970 on."""
        return tuple(max(0, self.bank.end_ms - round(days * DAY_MS)) for days in (back, ahead))  # type: ignore[return-value] # two


@pytest.fixture(scope="session")
@starts_process
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seeded]:
    """A ClickHouse of its own: runs live and `other`, definitions and alerts."""
    with migrated_endpoint(tmp_path_factory.mktemp("boards")) as settings:
        writer, reader = connect(settings, "writer"), connect(settings, "reader")
        reader.database = settings.clickhouse_database
        yield Seeded(Board(PanelData(settings)), seed(writer), reader, settings)
        reader.close()
        writer.close()
