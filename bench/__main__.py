"""`python -m bench`: measure and print one table."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast, get_args

from rich.console import Console
from rich.table import Table

from bench import peer_steps, peering, replaying, throughput
from bench.children import measured
from bench.figures import (
    Row,
    backtest_row,
    board_rows,
    facts_row,
    family_rows,
    judging_row,
    latency_row,
    memory_row,
    notice_row,
    recovery_row,
    replay_rows,
    throughput_rows,
    tick_rows,
    whale_row,
)
from bench.servers import Broker, running_broker, running_instance
from pipeline.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PARTS: Final = (
    "throughput",
    "latency",
    "whale",
    "families",
    "memory",
    "recovery",
    "judging",
    "alerts",
    "facts",
    "tick",
    "boards",
    "backtest",
    "replay",
    "peers",
)
_QUICK_EVENTS: Final = 200_000
_QUICK_SECONDS: Final = 5
_QUICK_CUSTOMERS: Final = 100_000
_QUICK_CAMPAIGNS: Final = 1_000
_QUICK_DAYS: Final = 14
_FILLING_SECONDS: Final = 1_800.0
_PAGE_WIDTH: Final = 180


def _default_parts() -> tuple[str, ...]:
    """Return every part but the peers where their engines are not installed."""
    return tuple(part for part in PARTS if part != "peers" or peering.installed())


def parse(words: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure this pipeline beside its peers on the same topics.",
        epilog="example: python -m bench --quick --brokers tansu",
    )
    parser.add_argument("--quick", action="store_true", help="a minute instead of ten; the ratios waver more")
    parser.add_argument("--brokers", default="tansu,kafka", help="tansu, kafka or both (default: both)")
    parser.add_argument("--events", type=int, help=f"events to read (default 1,000,000; quick: {_QUICK_EVENTS:,})")
    parser.add_argument("--mix", choices=("A", "B"), default="A", help="A: mostly logins, B: mostly money and touches")
    parser.add_argument("--rate", type=int, default=20_000, help="events per second for the latency (default 20,000)")
    parser.add_argument("--only", default=",".join(_default_parts()), help=f"parts to measure, of {', '.join(PARTS)}")
    parser.add_argument("--json", type=Path, help="where peers' results are kept as JSON too, each as it is there")
    parser.add_argument(
        "--peer-seconds",
        type=float,
        default=peering.PEER_SECONDS,
        help="longest time of one peer (default %(default).0f)",
    )
    parser.add_argument(
        "--windows",
        type=_sizes,
        help="events in the windows of ClickHouse alone (default 1000000,10000000,100000000; quick: --events)",
    )
    parser.add_argument(
        "--window-seconds",
        type=float,
        default=peer_steps.WINDOW_SECONDS,
        help="longest time of one window (default %(default).0f)",
    )
    arguments = parser.parse_args(words)
    arguments.brokers = arguments.brokers.split(",")
    arguments.only = arguments.only.split(",")
    for given, known, option in ((arguments.brokers, get_args(Broker), "--brokers"), (arguments.only, PARTS, "--only")):
        if not set(given) <= set(known):
            parser.error(f"{option} == {','.join(given)!r}, must be of {', '.join(known)}")
    arguments.events = arguments.events or (_QUICK_EVENTS if arguments.quick else 1_000_000)
    arguments.windows = arguments.windows or ([arguments.events] if arguments.quick else list(peer_steps.WINDOWS))
    return arguments


def _sizes(words: str) -> list[int]:
    return [int(word) for word in words.split(",")]


def steps(arguments: argparse.Namespace) -> Iterator[tuple[str, Callable[[], list[Row]]]]:
    """Yield what is to be measured, each with the name to show meanwhile."""
    plan = peer_steps.Plan(
        arguments.events, arguments.mix, arguments.peer_seconds, arguments.windows, arguments.window_seconds
    )
    results = peer_steps.Results(arguments.json)
    for broker in cast("list[Broker]", arguments.brokers):
        if "throughput" in arguments.only:
            yield f"throughput on {broker}", partial(_throughput, broker, arguments)
        if "latency" in arguments.only:
            yield f"latency on {broker}", partial(_latency, broker, arguments)
        if "peers" in arguments.only:
            yield from (
                (f"the {job} job of peers on {broker}", partial(peer_steps.jobs, broker, job, plan, results))
                for job in ("trivial", "full")
            )
    customers = _QUICK_CUSTOMERS if arguments.quick else 1_000_000
    once: dict[str, tuple[str, Callable[[], list[Row]]]] = {
        "whale": ("late events of one large customer", _whale),
        "families": ("metric families", partial(_families, arguments)),
        "memory": ("memory", partial(_memory, customers)),
        "recovery": ("take-over", partial(_recovery, customers)),
        "judging": ("the stop rule", _judging),
        "facts": ("the facts of campaigns", partial(_facts, arguments)),
        "tick": ("a whole tick of the alerts", partial(_tick, arguments)),
        "alerts": ("from a breach to its notice", partial(_alerts, arguments)),
        "boards": ("the boards' queries", partial(_boards, arguments)),
        "replay": ("replays", partial(_replay, arguments)),
        "backtest": ("a year of campaigns by the hour", partial(_backtest, arguments)),
        "peers": ("ClickHouse alone", partial(peer_steps.alone, plan, results)),
    }
    yield from (step for part, step in once.items() if part in arguments.only)


def _throughput(broker: Broker, arguments: argparse.Namespace) -> list[Row]:
    found = throughput.measure(broker, arguments.events, arguments.mix)
    return throughput_rows(broker, found, baseline=throughput.STOCK_FAUST, ceiling=throughput.GETMANY)


def _latency(broker: Broker, arguments: argparse.Namespace) -> list[Row]:
    seconds = _QUICK_SECONDS if arguments.quick else 30
    with running_broker(broker) as bootstrap, running_instance(bootstrap, workers=1) as data:
        found = measured("bench.latency", "--data", data, "--rate", arguments.rate, "--seconds", seconds)
    return [latency_row(broker, found)]


def _whale() -> list[Row]:
    return [whale_row(measured("bench.whale"))]


def _memory(customers: int) -> list[Row]:
    return [memory_row(measured("bench.memory", "--customers", customers))]


def _families(arguments: argparse.Namespace) -> list[Row]:
    options = ("--mix", arguments.mix, "--events", min(arguments.events, 500_000))
    one = measured("bench.families", *options, "--models", "one")
    five = measured("bench.families", *options, "--models", "five")
    return family_rows(arguments.mix, one, five)


def _recovery(customers: int) -> list[Row]:
    with running_broker("tansu") as bootstrap, running_instance(bootstrap) as data:
        return [recovery_row(measured("bench.recovery", "--data", data, "--customers", customers))]


def _facts(arguments: argparse.Namespace) -> list[Row]:
    return [facts_row(measured("bench.facts", _QUICK_CAMPAIGNS if arguments.quick else 10_000))]


def _tick(arguments: argparse.Namespace) -> list[Row]:
    return tick_rows(measured("bench.tick", _QUICK_CAMPAIGNS if arguments.quick else 10_000))


def _backtest(arguments: argparse.Namespace) -> list[Row]:
    return [backtest_row(measured("bench.backtesting", "--campaigns", 30 if arguments.quick else 300))]


def _replay(arguments: argparse.Namespace) -> list[Row]:
    return replay_rows(*replaying.measure(arguments.events, arguments.mix))


def _judging() -> list[Row]:
    return [judging_row(measured("bench.judging"))]


def _alerts(arguments: argparse.Namespace) -> list[Row]:
    campaigns = _QUICK_SECONDS if arguments.quick else 60
    return [notice_row(measured("bench.alerting", "--campaigns", campaigns, "--rate", arguments.rate))]


def _boards(arguments: argparse.Namespace) -> list[Row]:
    options = ("--days", _QUICK_DAYS, "--customers", _QUICK_CUSTOMERS, "--rounds", 3) if arguments.quick else ()
    with running_broker("tansu") as bootstrap, running_instance(bootstrap) as data:
        found = measured("bench.boards", "--data", data, *options, seconds=_FILLING_SECONDS)
    return board_rows(found)


def main() -> int:
    """Measure everything asked for; a part that cannot be measured costs its rows, not the others'."""
    arguments = parse(sys.argv[1:])
    progress = Console(stderr=True)
    table = Table(
        "measured", "on", "result", "beside", title=f"mix {arguments.mix}, one process each", title_justify="left"
    )
    failed = False
    if not peering.installed():
        progress.print("without the peers, whose engines are not installed: make peers")
    for name, measure in steps(arguments):
        progress.print(f"measuring {name} …")
        try:
            rows = measure()
        except UserError as error:
            failed = True
            progress.print(f"[red]not measured:[/] {name}: {error.cause}; {error.remedy}")
            continue
        for row in rows:
            table.add_row(*row)
    if table.row_count:
        # a file or a pipe has no width of its own
        Console(width=None if sys.stdout.isatty() else _PAGE_WIDTH).print(table)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
