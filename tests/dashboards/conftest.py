from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest

from dashboards.definitions.macros import TimeRange
from dashboards.registry import PANELS
from pipeline.api.panel_data import PanelData

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.settings import Settings

_NUMBERS: Final = frozenset({"minor", "count", "share", "ratio", "days", "hours", "seconds", "rate", "bytes"})


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
    ) -> list[dict[str, Any]]:
        """Return a panel's rows by column; columns are those of its definition, and numbers are numbers."""
        panel = PANELS[panel_id]
        values = {"run": [run], "campaign": campaign, "tier": tier, "owner": owner}
        answer = asyncio.run(self.data.answer(panel.sql, TimeRange.between(from_ms, to_ms), values))
        assert [name for name, _ in answer.columns] == [column.name for column in panel.columns]
        for column, cells in zip(panel.columns, zip(*answer.rows, strict=True), strict=False):
            if column.unit in _NUMBERS:
                assert all(cell is None or isinstance(cell, int | float) for cell in cells), column.name
        return [dict(zip((name for name, _ in answer.columns), row, strict=True)) for row in answer.rows]


@pytest.fixture
def board(migrated: Settings) -> Board:
    return Board(PanelData(migrated))
