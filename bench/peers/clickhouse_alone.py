"""ClickHouse without this pipeline: raw tables, JSON parsed by the engine, everything counted anew at each refresh.

Taking in is measured on the mix's own JSON (through files: a Kafka table's parsing without its fetching, so too cheap
rather than too dear). `ReplacingMergeTree` and `FINAL` drop duplicates, an `ASOF JOIN` by sorted merging, which the
tables' order suits, finds the last touch. To reach a window's size, more rows of the same shares are made inside the
engine, which costs no parsing and is not counted; refreshes begin when its merges have ended. A refresh is measured
twice and the second counts. What this cannot do: touches of one instant (the join picks any of them), reversals that
come late, five models.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import sys
import tempfile
import time
from functools import partial
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from chdb import session

from bench.peers.truth import MEASURES, Numbers, differences, numbers_from, numbers_of
from pipeline.clickhouse.sql import statements
from pipeline.simulation.mixes import MixOptions, mix_events
from schemas.topics import EVENT_TOPICS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_SQL: Final = Path(__file__).parent / "sql" / "alone"
LANES: Final = ("logins", "transactions", "touches", "costs")
REFRESH: Final = ("credit", "spend", "active")
_CHUNK: Final = 10_000_000
STEP_SECONDS: Final = 600.0
_MERGE_POLL_SECONDS: Final = 0.5
_DISK_BYTES: Final = 60
"""Of one event: 27 were measured at most, and merging holds them twice."""
_MEMORY_BYTES: Final = 50
"""Of one event in a refresh: 30 were measured at 100 million, with what the engine always takes."""


class Engine:
    """The engine in this process, on a folder of its own."""

    def __init__(self, folder: Path, customers: int, window: int, seconds: float = STEP_SECONDS) -> None:
        self._session = session.Session(str(folder / "engine"))
        self._session.query(f"SET max_execution_time = {ceil(seconds)}")
        self._places = {"{folder}": str(folder), "{customers}": str(customers), "{events}": str(window)}

    def run(self, name: str, **places: object) -> None:
        """Run a script's statements."""
        for statement in statements(self._filled(name, places)):
            self._session.query(statement)

    def run_all(self, names: Iterable[str]) -> None:
        """Run several scripts."""
        for name in names:
            self.run(name)

    def rows(self, name: str) -> list[dict[str, Any]]:
        """Return a query's rows.

        Raises:
            RuntimeError: the engine gave up, at its limit of time or of memory or for another reason.
        """
        text = str(self._session.query(self._filled(name, {}), "JSONEachRow"))
        return [json.loads(line) for line in text.splitlines()]

    def _filled(self, name: str, places: dict[str, object]) -> str:
        text = (_SQL / f"{name}.sql").read_text()
        for place, value in (self._places | {f"{{{key}}}": str(value) for key, value in places.items()}).items():
            text = text.replace(place, value)
        return text


def timed(work: Callable[[], object]) -> dict[str, float]:
    """Return wall clock and processor seconds of some work, all threads of this process."""
    began, cpu = time.perf_counter(), _cpu()
    work()
    return {"seconds": time.perf_counter() - began, "cpu_seconds": _cpu() - cpu}


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def write_files(folder: Path, events: Iterable[tuple[str, bytes, bytes]]) -> None:
    """Write each topic's events to a file, one JSON object a line."""
    files = {topic: (folder / topic).open("wb") for topic in EVENT_TOPICS}
    for topic, _, value in events:
        files[topic].write(value + b"\n")
    for file in files.values():
        file.close()


def numbers_now(engine: Engine, right: Numbers) -> Numbers:
    """Return what a refresh says, MAU for the days of the right numbers."""
    found: dict[str, dict[str, Any]] = {}
    for row in [*engine.rows("spend"), *engine.rows("credit")]:
        found.setdefault(row["campaign_id"], dict.fromkeys(MEASURES, 0)).update(row)
    return numbers_from(found.values(), engine.rows("active"), right.active)


def available_bytes() -> int:
    """Return the memory that processes can still get without swapping (Linux)."""
    line = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemAvailable:"))
    return int(line.split()[1]) * 1024


def unfit(window: int, free_disk: int, free_memory: int) -> str | None:
    """Return why a window of so many events cannot be measured with what is free, in bytes; None = it can."""
    for what, each, free in (("disk", _DISK_BYTES, free_disk), ("memory", _MEMORY_BYTES, free_memory)):
        needed = window * each
        if needed > free:
            return f"needs {needed / 1e9:.1f} GB of {what}, {free / 1e9:.1f} GB are free"
    return None


def settle(engine: Engine, seconds: float) -> None:
    """Wait until the engine merges no more, no longer than so many seconds."""
    deadline = time.monotonic() + seconds
    while int(engine.rows("merging")[0]["merges"]) and time.monotonic() < deadline:
        time.sleep(_MERGE_POLL_SECONDS)


def refreshed(engine: Engine, name: str) -> dict[str, Any]:
    """Return the cost of a query the second time it is asked, or why it has none."""
    try:
        timed(partial(engine.rows, name))
        return dict(timed(partial(engine.rows, name)))
    except RuntimeError as error:
        return {"why": str(error).strip().splitlines()[0]}


def measure(window: int, parsed: int, folder: Path, seconds: float = STEP_SECONDS) -> dict[str, Any]:
    """Return the cost of taking in and of a refresh with a window of so many events.

    Args:
        window: events in the raw tables at the refresh.
        parsed: how many of them are taken in as JSON.
        folder: an empty one.
        seconds: longest time of a query.
    """
    why = unfit(window, shutil.disk_usage(folder).free, available_bytes())
    if why is not None:
        return {"window": window, "why": why}
    options = MixOptions("A", parsed, customers=max(1000, window // 10))
    write_files(folder, mix_events(options))
    engine = Engine(folder, options.customers, window, seconds)
    engine.run("tables")
    taken = timed(lambda: engine.run_all(LANES))
    right = numbers_of(mix_events(options))
    wrong = differences(numbers_now(engine, right), right)
    for first in range(parsed, window, _CHUNK):
        engine.run("grow", first=first, count=min(_CHUNK, window - first))
    settle(engine, seconds)
    refresh = {name: refreshed(engine, name) for name in REFRESH}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"window": window, "parsed": parsed, "taken": taken, "refresh": refresh, "wrong": wrong, "peak_bytes": peak}


def main() -> None:
    """Measure one window and print it as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--window", type=int, required=True, help="events in the tables")
    parser.add_argument("--parsed", type=int, required=True, help="how many of them come as JSON")
    parser.add_argument("--seconds", type=float, default=STEP_SECONDS, help="longest time of a query")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="roi-bench-") as folder:
        found = measure(arguments.window, arguments.parsed, Path(folder), arguments.seconds)
    sys.stdout.write(f"{json.dumps(found)}\n")


if __name__ == "__main__":
    main()
