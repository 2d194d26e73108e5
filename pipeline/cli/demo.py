"""`roi demo`: a whole instance, a simulated bank, and a live table of what comes out."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from pipeline.cli import options
from pipeline.cli.demo_past import try_the_past
from pipeline.cli.streams import stop_if_unread

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from pipeline.cli.demo_table import Pace
    from pipeline.embedded.child import Part
    from pipeline.embedded.directory import InstanceDirectory
    from pipeline.embedded.supervisor import Supervisor
    from pipeline.settings import Settings

    Look = Callable[[], tuple[list[dict[str, Any]], Pace]]

LONGEST_SECONDS: Final = 9.7
_UP_SECONDS: Final = 90.0
_SCREEN_SECONDS: Final = 1.0
_PLAIN_SECONDS: Final = 5.0
_FINISHED: Final = 63  # campaigns that are over: seven for each product that running ones are compared by
_RATE_SECONDS: Final = 10.0  # the rate is taken over so long at least, looks coming as far apart as they do


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="demo", epilog=options.example("roi demo --rate 5000"))(_demo)


def _demo(
    data: Annotated[
        Path, typer.Option("--data", metavar="DIR", parser=options.named_directory, help="Directory of the instance.")
    ] = Path("build/demo"),
    rate: Annotated[float, typer.Option("--rate", min=1, help="Simulated events per second.")] = 2000.0,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Worker processes.")] = 1,
) -> None:
    """Run everything here on a simulated bank and show the campaigns live, until Ctrl-C."""
    from pipeline.ending import Ending, leave

    ending = Ending(LONGEST_SECONDS)  # first of all: what comes now takes a moment
    from pipeline.embedded.directory import InstanceDirectory
    from pipeline.embedded.supervisor import Supervisor

    directory = InstanceDirectory(data)
    directory.logs.mkdir(mode=0o700, parents=True, exist_ok=True)
    supervisor = Supervisor(directory.logs, lambda line: typer.echo(line, err=True), ending=ending)

    async def run() -> None:
        await _run(directory, supervisor, rate, workers)
        if supervisor.stopping:
            leave(0)  # a look may still wait for an answer

    asyncio.run(run())


async def _run(directory: InstanceDirectory, supervisor: Supervisor, rate: float, workers: int) -> None:
    started = time.monotonic()
    async with supervisor.running():
        typer.echo(f"starting broker, ClickHouse, {workers} worker(s) and board in {directory.root} …")
        stop_if_unread()
        left_behind = _signature(directory.public_env)
        up = await supervisor.keep_once(_up_part(directory, workers), "and the demo with it")
        await supervisor.until(lambda: _signature(directory.public_env) not in {None, left_behind}, up, _UP_SECONDS)
        if not supervisor.stopping:
            typer.echo(f"up after {time.monotonic() - started:.1f} s, simulating a bank at {rate:,.0f} events/s …")
            settings = options.settings_for(directory.root)
            has_events = await supervisor.unless_stopping(asyncio.to_thread(_has_events, settings), otherwise=False)
            if not supervisor.stopping:
                simulate = _simulate_part(directory, rate, 0 if has_events else _FINISHED)
                await supervisor.keep_once(simulate, "and the demo with it")
                supervisor.run_beside(try_the_past(supervisor, settings, directory.root))
                await _show(supervisor, looker(settings), _addresses(settings, directory.root))
        await supervisor.until_stopped()


def _signature(path: Path) -> tuple[int, int] | None:
    """Tell an address file just written from one that a killed instance left behind."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_mtime_ns


def _up_part(directory: InstanceDirectory, workers: int) -> Part:
    from pipeline.cli.up import BOARD_PORT, CLICKHOUSE_PORT, KAFKA_PORT
    from pipeline.embedded.child import Part, own_environment, own_module
    from pipeline.embedded.tcp_ports import free_or_zero

    ports = (("--kafka-port", KAFKA_PORT), ("--clickhouse-port", CLICKHOUSE_PORT), ("--board-port", BOARD_PORT))
    arguments = [part for option, port in ports for part in (option, str(free_or_zero(port)))]
    command = own_module(
        "pipeline", "up", "--embedded", "--data", str(directory.root), "--workers", str(workers), *arguments
    )
    return Part("up", command, own_environment(os.environ), stage=0, stop_seconds=8.5)


def _has_events(settings: Settings) -> bool:
    """Tell a demo that is continued: its finished campaigns are known, and once more they would be too late."""
    from pipeline.clickhouse.reader import Reader
    from pipeline.operations.lag import positions

    return bool(positions(Reader(settings, timeout_seconds=10.0)))


def _simulate_part(directory: InstanceDirectory, rate: float, finished: int) -> Part:
    from pipeline.embedded.child import Part, own_environment, own_module

    history = ("--finished", str(finished))
    command = own_module("pipeline", "simulate", "--data", str(directory.root), "--rate", str(rate), *history)
    return Part("simulate", command, own_environment(os.environ), stage=1, stop_seconds=0.8)


def looker(settings: Settings) -> Look:
    """Return a function that reads the campaigns and the pace, remembering the look before for the rate."""
    from pipeline.cli.demo_table import Pace
    from pipeline.clickhouse import sql
    from pipeline.clickhouse.reader import Reader
    from pipeline.operations.lag import log_ends, positions

    reader = Reader(settings, timeout_seconds=10.0)
    statement = sql.query("demo_campaigns", settings.clickhouse_database)
    before: list[tuple[float, int]] = []

    def look() -> tuple[list[dict[str, Any]], Pace]:
        rows = positions(reader)
        now = time.monotonic()
        events = sum(row["accepted"] + row["duplicates"] + row["dead_letters"] for row in rows)
        rate = (events - before[0][1]) / (now - before[0][0]) if before else None
        before.append((now, events))
        while len(before) > 1 and before[1][0] <= now - _RATE_SECONDS:
            del before[0]
        newest = max((row["written_ms"] for row in rows), default=None)
        fresh = None if newest is None else max(0.0, time.time() - newest / 1000)
        lag = sum(standing.lag for standing in log_ends(settings).standings(rows))
        return reader.rows(statement), Pace(events, rate, lag, fresh)

    return look


async def _show(supervisor: Supervisor, look: Look, addresses: str) -> None:
    if sys.stdout.isatty() and not options.is_plain_terminal():
        await _show_on_screen(supervisor, look, addresses)
    else:
        typer.echo(addresses)
        await _print_lines(supervisor, look)


async def _show_on_screen(supervisor: Supervisor, look: Look, addresses: str) -> None:
    from rich.live import Live

    from pipeline.cli.demo_table import live_table

    with Live(auto_refresh=False) as live:

        async def draw() -> None:
            rows, pace = await asyncio.to_thread(look)
            size = shutil.get_terminal_size()
            live.update(live_table(rows, pace, addresses, size.lines, size.columns), refresh=True)

        await _repeat(supervisor, draw, _SCREEN_SECONDS)


async def _print_lines(supervisor: Supervisor, look: Look) -> None:
    from pipeline.cli.demo_table import plain_lines

    async def draw() -> None:
        rows, pace = await asyncio.to_thread(look)
        typer.echo(plain_lines(rows, pace) + "\n")
        stop_if_unread()

    await _repeat(supervisor, draw, _PLAIN_SECONDS)


async def _repeat(supervisor: Supervisor, draw: Callable[[], Coroutine[Any, Any, None]], seconds: float) -> None:
    """Draw again and again until the end; a look that fails is told and tried again, for parts may be restarting."""
    from pipeline.errors import UserError

    while not supervisor.stopping:
        try:
            await supervisor.unless_stopping(draw(), otherwise=None)
        except UserError as error:
            if not supervisor.stopping:
                typer.echo(f"waiting: {error.cause}", err=True)
        await supervisor.pause(seconds)


def _addresses(settings: Settings, root: Path) -> str:
    return "\n".join(
        (
            f"board       {settings.board_url}",
            f"ClickHouse  {settings.clickhouse_url}  (user {settings.clickhouse_user}, password in {root / 'roi.env'})",
            f"Kafka       {settings.kafka_bootstrap_servers}",
            f"query       ./roi sql 'SHOW TABLES' --data {root}",
            "Ctrl-C ends everything",
        )
    )
