"""ClickHouse without this pipeline: raw tables, JSON parsed by the engine, everything counted anew at each refresh.

Taking in is measured on the mix's own JSON (through files: a Kafka table's parsing without its fetching, so too cheap
rather than too dear). `ReplacingMergeTree` and `FINAL` drop duplicates, an `ASOF JOIN` finds the last touch. To reach a
window's size, more rows of the same shares are made inside the engine, which costs no parsing and is not counted. A
refresh is measured twice and the second counts. What this cannot do: touches of one instant (the join picks any of
them), reversals that come late, five models.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from chdb import session

from bench.peers.truth import Numbers, differences, numbers_of
from pipeline.clickhouse.sql import statements
from pipeline.simulation.mixes import MixOptions, mix_events
from schemas.topics import EVENT_TOPICS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_SQL: Final = Path(__file__).parent / "sql" / "alone"
LANES: Final = ("logins", "transactions", "touches", "costs")
REFRESH: Final = ("credit", "spend", "active")
_CHUNK: Final = 10_000_000


class Engine:
    """The engine in this process, on a folder of its own."""

    def __init__(self, folder: Path, customers: int, window: int) -> None:
        self._session = session.Session(str(folder / "engine"))
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
        """Return a query's rows."""
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


def numbers_now(engine: Engine) -> Numbers:
    """Return what a refresh says."""
    credit = {row["campaign_id"]: row for row in engine.rows("credit")}
    none = {"conversions": 0, "converters": 0, "return_minor": 0}
    campaigns = {
        row["campaign_id"]: (
            int(row["touches"]),
            int(row["reached"]),
            int(credit.get(row["campaign_id"], none)["conversions"]),
            int(credit.get(row["campaign_id"], none)["converters"]),
            int(row["cost_minor"]),
            int(credit.get(row["campaign_id"], none)["return_minor"]),
        )
        for row in engine.rows("spend")
    }
    return Numbers(campaigns, {int(row["day"]): int(row["mau"]) for row in engine.rows("active")})


def measure(window: int, parsed: int, folder: Path) -> dict[str, Any]:
    """Return the cost of taking in and of a refresh with a window of so many events.

    Args:
        window: events in the raw tables at the refresh.
        parsed: how many of them are taken in as JSON.
        folder: an empty one.
    """
    options = MixOptions("A", parsed, customers=max(1000, window // 10))
    write_files(folder, mix_events(options))
    engine = Engine(folder, options.customers, window)
    engine.run("tables")
    taken = timed(lambda: engine.run_all(LANES))
    wrong = differences(numbers_now(engine), numbers_of(mix_events(options)))
    if window > parsed:
        for first in range(parsed, window, _CHUNK):
            engine.run("grow", first=first, count=min(_CHUNK, window - first))
    refresh = {}
    for name in REFRESH:
        timed(partial(engine.rows, name))
        refresh[name] = timed(partial(engine.rows, name))
    return {"window": window, "parsed": parsed, "taken": taken, "refresh": refresh, "wrong": wrong}


def main() -> None:
    """Measure one window and print it as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--window", type=int, required=True, help="events in the tables")
    parser.add_argument("--parsed", type=int, required=True, help="how many of them come as JSON")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="roi-bench-") as folder:
        found = measure(arguments.window, arguments.parsed, Path(folder))
    sys.stdout.write(f"{json.dumps(found)}\n")


if __name__ == "__main__":
    main()
