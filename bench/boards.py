"""How long the panels' queries take on a full database while events come in; printed as JSON.

The ledger is filled by INSERT … SELECT: every minute of every campaign, and three touches, three transactions, a credit
and ten login days of every customer. Then a worker takes it over and events arrive at the rate asked for, and every
panel's query runs as a board would send it: one at a time, then a whole board at once.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bench.children import own_module, running
from bench.figures import percentile
from bench.servers import running_worker
from bench.workload import LedgerProgress
from dashboards.definitions.macros import TimeRange, expand
from dashboards.registry import BOARDS
from pipeline.clickhouse import sql
from pipeline.clickhouse.answers import OPTIONS
from pipeline.clickhouse.connection import connect
from pipeline.clickhouse.reader import Reader
from pipeline.errors import UserError
from pipeline.ledger.ledger import ClickHouseLedger
from pipeline.policies import policy_of
from pipeline.settings import load_settings
from pipeline.transport.admin import TopicAdmin
from pipeline.worker.shard import shard_number
from schemas.topics import EVENT_TOPICS, LANE_OF_TOPIC

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipeline.settings import Settings

RATE: Final = 5_000
RANGES_HOURS: Final = (24, 7 * 24, 90 * 24)
_DAY_MS: Final = 86_400_000
_SCRIPTS: Final = Path(__file__).parent / "boards_sql"
_TABLES: Final = (
    "definition",
    "minute",
    "cohort",
    "segment",
    "touch",
    "transaction",
    "adjustment",
    "credit",
    "cost",
    "login",
    "profile",
    "activity",
)
_FILLING: Final = {"max_threads": 1, "max_insert_threads": 1}
_FILLING_AT_ONCE: Final = 2
"""Statements that fill at the same time: sorting and writing a block keeps one core busy, and an engine has two."""
_AT_ONCE: Final = 6
"""Queries of an opened board at the same time: the threads that the board's server has on two cores."""
_TAKE_OVER_SECONDS: Final = 300.0
_BEHIND_SECONDS: Final = 3.0
"""A worker that keeps up is behind by less: the events of a block that is being written, and of the next one."""
_POLL_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Size:
    """How much the ledger holds; shards as many as the topics have partitions."""

    campaigns: int
    days: int
    customers: int


@dataclass(frozen=True, slots=True)
class Filled:
    """What was written, and how long it took to make hours and days of the minutes and to count the bank's figures."""

    rows: int
    seconds: float
    rollup_seconds: float
    figures_seconds: float


def fill(settings: Settings, size: Size) -> Filled:
    """Write the ledger of an instance without workers, up to now."""
    client = connect(settings, "writer", silence_seconds=3_600)
    database, began = settings.clickhouse_database, time.monotonic()
    ClickHouseLedger(client, database, "live", "bench").begin(policy_of(settings), "bench")
    now_ms = int(time.time() * 1000)
    begin_day = now_ms // _DAY_MS - size.days + 1
    words: dict[str, object] = asdict(size) | {
        "database": database,
        "shards": settings.kafka_partitions,
        "begin_day": begin_day,
        "begin_ms": begin_day * _DAY_MS,
        "span_ms": now_ms - begin_day * _DAY_MS,
    }
    with ThreadPoolExecutor(_FILLING_AT_ONCE) as pool:
        for done in [pool.submit(_fill_table, settings, _script(table, words)) for table in _TABLES]:
            done.result()
    _place(settings, client, words)
    filling = time.monotonic()
    for statement in _rollups(database):
        client.command(statement)
    rollup_seconds = time.monotonic() - filling
    # months of background merges leave few parts; to wait for them here would be to measure beside them
    client.command(f"OPTIMIZE TABLE {database}.ledger FINAL")
    rows = int(client.command(_script("count", words)))
    counting = time.monotonic()
    for view in client.query(_script("counted", words)).result_columns[0]:
        client.command(f"SYSTEM REFRESH VIEW {database}.{view}")
        client.command(f"SYSTEM WAIT VIEW {database}.{view}")
    figures_seconds = time.monotonic() - counting
    client.close()
    return Filled(rows, time.monotonic() - began, rollup_seconds, figures_seconds)


def _fill_table(settings: Settings, statement: str) -> None:
    client = connect(settings, "writer", silence_seconds=3_600)
    client.command(statement, settings=_FILLING)
    client.close()


def _script(name: str, words: Mapping[str, object]) -> str:
    return (_SCRIPTS / f"{name}.sql").read_text(encoding="utf-8").format_map(words)


def _rollups(database: str) -> list[str]:
    (migration,) = sql.MIGRATIONS.glob("*_rollups.sql")
    return sql.statements(migration.read_text(encoding="utf-8").replace("{database}", database))


def _place(settings: Settings, client: Any, words: Mapping[str, object]) -> None:
    """Say that the (empty) topics have been read to their end."""
    with TopicAdmin(settings) as admin:
        topics = admin.topics()
    for topic, lane in LANE_OF_TOPIC.items():
        identity = {"topic": topic, "topic_id": topics[topic].topic_id, "lane": shard_number(lane, 0) >> 16}
        client.command(_script("position", {**words, **identity}))


def queries(times: TimeRange) -> Iterator[tuple[str, str, str]]:
    """Yield board, panel and SQL of all panels that ask ClickHouse, as a board that has just been opened sends them."""
    for board in BOARDS:
        values = {"run": ["live"], "campaign": [], "tier": [], "owner": [], "outcome": ["converted"], "backtest": [""]}
        if board.id == "campaign":
            values["campaign"] = ["campaign-007"]
        for panel in board.panels:
            if panel.source == "clickhouse":
                yield board.id, panel.id, expand(panel.sql, times, values)


@dataclass(slots=True)
class Times:
    """Milliseconds of one board's queries alone, by panel and hours of the range, and of whole boards by hours."""

    alone: dict[str, dict[int, list[float]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    opened: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))


def measure(settings: Settings, rounds: int) -> dict[str, Times]:
    """Return how long each board's panels take: each query by itself, and all of a board at once."""
    reader = Reader(settings)
    found: dict[str, Times] = defaultdict(Times)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for hours in RANGES_HOURS * rounds:
            now_ms = int(time.time() * 1000)
            texts: dict[str, list[str]] = defaultdict(list)
            for board, panel, text in queries(TimeRange.between(now_ms - hours * 3_600_000, now_ms)):
                texts[board].append(text)
                found[board].alone[panel][hours].append(_milliseconds(reader, text))
            for board, together in texts.items():
                began = time.perf_counter()
                for done in [pool.submit(_milliseconds, reader, text) for text in together]:
                    done.result()
                found[board].opened[hours].append((time.perf_counter() - began) * 1e3)
    return found


def _milliseconds(reader: Reader, text: str) -> float:
    began = time.perf_counter()
    _, chunks = reader.stream(text, "JSONCompact", options=OPTIONS)
    sum(map(len, chunks))
    return (time.perf_counter() - began) * 1e3


def report(found: Mapping[str, Times]) -> dict[str, dict[str, Any]]:
    """Return each board's percentiles and its slowest panel; a panel's is that of its slowest range."""
    boards: dict[str, dict[str, Any]] = {}
    for board, times in found.items():
        every = [each for ranges in times.alone.values() for samples in ranges.values() for each in samples]
        panels, medians = (
            {panel: max(percentile(each, share) for each in ranges.values()) for panel, ranges in times.alone.items()}
            for share in (0.95, 0.5)
        )
        boards[board] = {
            "p50_ms": percentile(every, 0.5),
            "p95_ms": percentile(every, 0.95),
            "queries": len(every),
            "panels": panels,
            "panels_p50": medians,
            "slowest": max(panels, key=lambda panel: panels[panel]),
            "opened_p95_ms": {hours: percentile(samples, 0.95) for hours, samples in times.opened.items()},
        }
    return boards


def _await_keeping_up(settings: Settings, progress: LedgerProgress, rate: int) -> None:
    """Wait until the worker has taken the ledger over and has read what had piled up meanwhile.

    While it catches up it takes in as much as it can, and queries would be measured beside more than ``rate``.
    """
    deadline = time.monotonic() + _TAKE_OVER_SECONDS
    with TopicAdmin(settings) as admin:
        while True:
            taken = sum(progress.positions()[1].values())
            behind = sum(admin.end_offsets(EVENT_TOPICS).values()) - taken
            if taken > 0 and behind < rate * _BEHIND_SECONDS:
                return
            if time.monotonic() > deadline:
                raise UserError(f"the worker is {behind:,} events behind", "measure at a lower --rate")
            time.sleep(_POLL_SECONDS)


def run(data: Path, size: Size, rate: int, rounds: int) -> dict[str, object]:
    """Fill an instance, let events come in and measure."""
    settings = load_settings(data)
    filled = fill(settings, size)
    progress = LedgerProgress(settings)
    feed = own_module(
        "bench.feeding", *("--data", data, "--rate", rate, "--customers", size.customers, "--campaigns", size.campaigns)
    )
    with running_worker(data), running(feed, data.parent / "feed.log"):
        _await_keeping_up(settings, progress, rate)
        measure(settings, 1)  # what is compiled or cached once
        began, before = progress.positions()
        boards = report(measure(settings, rounds))
        ended, after = progress.positions()
    taken = sum(after.values()) - sum(before.values())
    return asdict(size) | asdict(filled) | {"wished_rate": rate, "rate": taken / (ended - began), "boards": boards}


def main() -> None:
    """Measure on a running instance without workers and print the result as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="directory of a fresh instance without workers")
    parser.add_argument("--campaigns", type=int, default=200)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--rate", type=int, default=RATE, help="events per second")
    parser.add_argument("--rounds", type=int, default=10)
    arguments = parser.parse_args()
    size = Size(arguments.campaigns, arguments.days, arguments.customers)
    sys.stdout.write(json.dumps(run(arguments.data, size, arguments.rate, arguments.rounds)) + "\n")


if __name__ == "__main__":
    main()
