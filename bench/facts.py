"""The facts' part of a tick of the alert service: ten thousand campaigns known, some fifty changed; printed as JSON.

Run as its own process: it starts a ClickHouse, fills its ledger by INSERT SELECT and measures `LiveFacts`.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from bench.children import own_module, running
from bench.servers import wait_until
from pipeline.alerts.facts import LedgerFacts
from pipeline.alerts.live import LiveFacts
from pipeline.clickhouse.connection import connect
from pipeline.clickhouse.migrations import migrate
from pipeline.settings import Settings
from pipeline.state.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CAMPAIGNS: Final = 10_000
CHANGED: Final = 50
TICKS: Final = 20
_SHARDS: Final = 8
_TOUCHES: Final = 600  # of each campaign so far
_CREDITS: Final = 60
_COSTS: Final = 14
_BEGIN_MS: Final = 1_772_380_800_000
_SPAN_MS: Final = 14 * 86_400_000
_PASSWORD: Final = "bench-only"  # noqa: S105 - of a server that lives as long as this process, on loopback


def main() -> None:
    """Measure and print."""
    campaigns = int(sys.argv[1]) if len(sys.argv) > 1 else CAMPAIGNS
    with serving() as settings:
        client = connect(settings, "writer")
        sys.stdout.write(json.dumps(measure(client, campaigns)) + "\n")
        client.close()


@contextmanager
def serving() -> Iterator[Settings]:
    """Run a ClickHouse with an empty ledger; yield the settings to reach it by."""
    with tempfile.TemporaryDirectory(prefix="roi-bench-") as directory:
        folder = Path(directory)
        ready, log = folder / "ready", folder / "log"
        command = own_module(
            "pipeline.embedded.clickhouse", "--path", str(folder / "data"), "--port", "0", "--ready-file", str(ready)
        )
        names = {"ROI_CLICKHOUSE_PASSWORD": _PASSWORD, "ROI_CLICKHOUSE_WRITER_PASSWORD": _PASSWORD}
        with running(command, log, environment=dict(os.environ) | names) as process:
            wait_until(ready.exists, process, log)
            settings = Settings(
                clickhouse_url=ready.read_text().strip(),
                clickhouse_password=_PASSWORD,
                clickhouse_writer_password=_PASSWORD,
            )
            migrate(settings)
            yield settings


def measure(client: Any, campaigns: int) -> dict[str, float]:
    """Fill a ledger and return how long the first look and later ones take, in seconds."""
    fill(client, campaigns)
    live = LiveFacts(LedgerFacts(client, "roi", "bench"), Policy(pseudonym_key=b"bench"))
    begun = time.perf_counter()
    live.refresh()
    first = time.perf_counter() - begun
    names = sorted(live.plans)
    begun = time.perf_counter()
    for start in range(0, len(names), 1_000):
        live.statistics(names[start : start + 1_000])
    every = time.perf_counter() - begun
    ticks: list[float] = []
    columns: list[float] = []
    for tick in range(1, TICKS + 1):
        add_block(client, campaigns, tick)
        begun = time.perf_counter()
        refreshed = live.refresh()
        ticks.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        live.statistics(refreshed.changed)
        columns.append(time.perf_counter() - begun)
        if len(refreshed.changed) != CHANGED or refreshed.waiting:
            raise SystemExit(f"{len(refreshed.changed)} campaigns changed, {refreshed.waiting} wait")
    return {
        "campaigns": campaigns,
        "changed": CHANGED,
        "first_seconds": first,
        "every_seconds": every,
        "tick_seconds": median(ticks),
        "slowest_seconds": max(ticks),
        "columns_seconds": median(columns),
    }


def fill(client: Any, campaigns: int) -> None:
    """Write what a ledger of so many campaigns holds."""
    settings = {"max_insert_threads": 1, "max_threads": 2}
    for kind, each in (("touch", _TOUCHES), ("credit", _CREDITS), ("cost", _COSTS)):
        for start in range(0, campaigns, 1_000):
            client.command(_rows(kind, each, start, min(1_000, campaigns - start), 1), settings=settings)
    client.command(_positions(1, _BEGIN_MS + _SPAN_MS))


def add_block(client: Any, campaigns: int, tick: int, minutes: int = 0) -> None:
    """Write a block that changes some campaigns, and moves event time on."""
    start = tick * 997 % (campaigns - CHANGED)
    for kind, each in (("touch", 20), ("credit", 2)):
        client.command(_rows(kind, each, start, CHANGED, tick + 1))
    client.command(_positions(tick + 1, _BEGIN_MS + _SPAN_MS + minutes * 60_000))


def _rows(kind: str, each: int, start: int, campaigns: int, version: int) -> str:
    words = {"each": each, "start": start, "count": campaigns * each, "version": version, "shards": _SHARDS}
    return _statement(kind, words | {"begin": _BEGIN_MS, "span": _SPAN_MS})


def _positions(version: int, watermark: int) -> str:
    return _statement("position", {"version": version, "watermark": watermark, "shards": _SHARDS})


def _statement(kind: str, words: Mapping[str, int]) -> str:
    text = (Path(__file__).parent / "facts_sql" / f"{kind}.sql").read_text()
    return text.format_map(words)


if __name__ == "__main__":
    main()
