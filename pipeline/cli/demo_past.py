"""What the demo does beside its table: a backtest of its bank's past, kept for the board of backtests."""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING, Final

import typer

from pipeline.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.embedded.child import Part
    from pipeline.embedded.supervisor import Supervisor
    from pipeline.settings import Settings

NAME: Final = "demo"
_PAUSE_SECONDS: Final = 5.0
_LOWEST_PRIORITY: Final = 19
_FEW_EVENTS: Final = 20_000  # a few seconds of the demo's rate: the workers have caught up with the past
_NEW_MS: Final = 600_000
_TRIES: Final = 3


async def try_the_past(supervisor: Supervisor, settings: Settings, root: Path) -> None:
    """Backtest once the past has come and is counted. Should that fail, it is said, and the demo goes on."""
    tries = 0
    while not supervisor.stopping and tries < _TRIES:
        await supervisor.pause(_PAUSE_SECONDS)
        if await supervisor.unless_stopping(asyncio.to_thread(_is_counted, settings), otherwise=False):
            try:
                await supervisor.run_to_end(_backtest_part(root))
            except UserError as error:
                typer.echo(f"no backtest is kept for the board: {error.cause}", err=True)
                tries += 1
            else:
                return


def _is_counted(settings: Settings) -> bool:
    """Tell whether events of now are counted, and hardly any wait; whom parts do not answer sees it in the table."""
    from pipeline.clickhouse.reader import Reader
    from pipeline.operations.lag import log_ends, positions

    try:
        rows = positions(Reader(settings, timeout_seconds=10.0))
        newest = max((row["watermark_ms"] for row in rows), default=0)
        if newest < time.time() * 1000 - _NEW_MS:
            return False
        return sum(standing.lag for standing in log_ends(settings).standings(rows)) <= _FEW_EVENTS
    except UserError:
        return False


def _backtest_part(root: Path) -> Part:
    """Return the command, in one process of the lowest priority: the live numbers come first."""
    from pipeline.embedded.child import Part, own_environment, own_module

    chosen = ("--keep", NAME, "--every", "6h", "--workers", "1")
    command = own_module("pipeline", "backtest", "--data", str(root), *chosen)
    environment = own_environment(os.environ)
    return Part("backtest", command, environment, stage=1, stop_seconds=0.8, niceness=_LOWEST_PRIORITY)
