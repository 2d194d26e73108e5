"""All boards, and panels by their ids."""

from __future__ import annotations

from typing import Final

from dashboards.boards.alerts import ALERTS
from dashboards.boards.backtest import BACKTEST
from dashboards.boards.bank import BANK
from dashboards.boards.campaign import CAMPAIGN
from dashboards.boards.campaigns import CAMPAIGNS
from dashboards.boards.experiments import EXPERIMENTS
from dashboards.boards.operations import OPERATIONS
from dashboards.boards.users import USERS

BOARDS: Final = (CAMPAIGNS, CAMPAIGN, EXPERIMENTS, USERS, ALERTS, BACKTEST, BANK, OPERATIONS)
PANELS: Final = {panel.id: panel for board in BOARDS for panel in board.panels}


def board_of(panel_id: str) -> str:
    """Return the id of the board that a panel stands on."""
    return next(board.id for board in BOARDS if any(panel.id == panel_id for panel in board.panels))
