"""Seconds of `roi up --embedded` until the first page is there and until its worker counts: `--only start`.

Seen from outside, as who has typed the command sees it: when a part was started, when its port answered, when its page
came. A touch is sent as soon as the worker has been started; the worker counts when the touch is in `campaign_totals`.
Both are measured on a new directory and on one that holds a ledger, whose state the worker loads first.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.request import urlopen

from confluent_kafka import Producer

from bench.backlog import feed
from bench.children import REPOSITORY, running
from bench.figures import Row
from bench.owning import PORT_VARIABLE, owned
from pipeline.clickhouse.reader import Reader
from pipeline.embedded.tcp_ports import LOOPBACK, answers, usable_port
from pipeline.errors import PipelineError, UserError
from pipeline.settings import PUBLIC_ENV, load_settings
from pipeline.simulation.mixes import MixOptions, mix_events
from schemas.topics import TOUCHES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from subprocess import Popen

TARGET_SECONDS: Final = 3.0
"""The first page is to be there within."""
NEW: Final = "new"
EXISTING: Final = "existing"
PAGE: Final = "page"
COUNTS: Final = "worker counts"
_SECONDS: Final = 120.0
_POLL_SECONDS: Final = 0.01
_RARE_SECONDS: Final = 0.1
_COUNTED: Final = "SELECT touches FROM {database}.campaign_totals WHERE run = 'live' AND campaign_id = {{name:String}}"
_WORKER: Final = "pipeline\0worker"
_JANITOR: Final = "stale_address"


class Life(NamedTuple):
    """One start: on which kind of directory, and the seconds from the command to each sign of life, as they came."""

    directory: str
    signs: dict[str, float]

    def steps(self) -> dict[str, float]:
        """Return how long each step took: from the sign before it, or from the command."""
        moments = [0.0, *self.signs.values()]
        return {name: at - moments[place] for place, (name, at) in enumerate(self.signs.items())}


class Watch:
    """Looks for signs of life of a starting instance; each is noted once, in the order in which they came."""

    def __init__(self, signs: Mapping[str, Callable[[], bool]]) -> None:
        self._began = time.monotonic()
        self._awaited = dict(signs)
        self.seen: dict[str, float] = {}

    def look(self) -> bool:
        """Note what can be seen now; True when nothing is awaited any more."""
        for name, is_there in list(self._awaited.items()):
            if is_there():
                self.seen[name] = time.monotonic() - self._began
                del self._awaited[name]
        return not self._awaited

    @property
    def awaited(self) -> list[str]:
        """What has not been seen."""
        return list(self._awaited)


def measure(events: int) -> list[Life]:
    """Start on a new directory, have ``events`` counted in it, and start again on the same."""
    with tempfile.TemporaryDirectory(prefix="roi-bench-") as directory:
        folder = Path(directory)
        with _started(folder) as (signs, process):
            lives = [Life(NEW, signs)]
            settings = load_settings(folder / "data")
            now_ms = int(time.time() * 1000)
            options = MixOptions("A", events, max(1_000, events), begin_ms=now_ms - 60_000, span_ms=60_000)
            feed(settings, [process], mix_events(options))
        with _started(folder) as (signs, _):
            return [*lives, Life(EXISTING, signs)]


@contextmanager
def _started(folder: Path) -> Iterator[tuple[dict[str, float], Popen[bytes]]]:
    data = folder / "data"
    kafka, clickhouse, board, metrics = (usable_port(0, "--port") for _ in range(4))
    ports = ("--kafka-port", kafka, "--clickhouse-port", clickhouse, "--board-port", board)
    command = [str(REPOSITORY / "roi"), "up", "--embedded", "--data", str(data), *map(str, ports)]
    given = os.environ | {PORT_VARIABLE: str(metrics)}
    campaign = f"start-{time.time_ns()}"
    with running(command, folder / "log", given) as process:
        watch = Watch(
            {
                "command": lambda: _runs(process.pid, _JANITOR),  # the first that it starts
                "broker": lambda: answers(kafka),
                # what a former life has left is gone before the first process is started
                "engine": lambda: _runs(process.pid, _JANITOR) and (data / "tmp" / "endpoint.ready").exists(),
                "topics and tables": lambda: _runs(process.pid, _WORKER) and _sent(kafka, campaign),
                PAGE: lambda: answers(board) and _has_page(board),
                "worker joined": rarely(lambda: owned(metrics) > 0),
                COUNTS: rarely(lambda: (data / PUBLIC_ENV).exists() and _counts(data, campaign)),
            }
        )
        deadline = time.monotonic() + _SECONDS
        while not watch.look():
            if process.poll() is not None or time.monotonic() > deadline:
                missing = ", ".join(watch.awaited)
                raise UserError(f"roi up did not come to: {missing}", f"run it alone: {' '.join(command)}")
            time.sleep(_POLL_SECONDS)
        yield watch.seen, process


def rarely(check: Callable[[], bool]) -> Callable[[], bool]:
    """Return a check that is made ten times a second at most: what it asks has better things to do while it starts."""
    due = 0.0

    def asked() -> bool:
        nonlocal due
        if time.monotonic() < due:
            return False
        found = check()
        due = time.monotonic() + _RARE_SECONDS
        return found

    return asked


def _runs(parent: int, words: str) -> bool:
    """Return whether a process has a child with these words on its command line (Linux)."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return any(words in _command_line(child) for child in children)


def _command_line(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:  # it has just ended
        return ""


def _sent(port: int, campaign: str) -> bool:
    """Send a touch of a campaign beside the watching, which does not wait for the broker's answer."""
    touch = {
        "event_id": campaign,
        "customer_id": "ann",
        "campaign_id": campaign,
        "occurred_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "channel": "sms",
        "kind": "send",
    }
    producer = Producer({"bootstrap.servers": f"{LOOPBACK}:{port}", "partitioner": "murmur2_random"})
    producer.produce(TOUCHES, json.dumps(touch).encode(), b"ann")
    threading.Thread(target=producer.flush, daemon=True).start()
    return True


def _has_page(port: int) -> bool:
    with urlopen(f"http://{LOOPBACK}:{port}/", timeout=30) as answer:
        return bool(answer.status == 200 and b"<html" in answer.read().lower())


def _counts(data: Path, campaign: str) -> bool:
    settings = load_settings(data)
    try:
        query = _COUNTED.format(database=settings.clickhouse_database)
        rows = Reader(settings).rows(query, {"name": campaign})
    except PipelineError:
        return False
    return bool(rows and int(rows[0]["touches"]) == 1)


def start_rows(lives: list[Life]) -> list[Row]:
    """Return one row per start, with its steps."""
    rows = []
    for directory, signs in lives:
        steps = ", ".join(f"{name} {seconds:.1f}" for name, seconds in Life(directory, signs).steps().items())
        verdict = "within" if signs[PAGE] <= TARGET_SECONDS else "over"
        result = f"first page after {signs[PAGE]:.1f} s, worker counts after {signs[COUNTS]:.1f} s"
        beside = f"page {verdict} {TARGET_SECONDS:.0f} s; steps, s: {steps}"
        rows.append(
            Row(f"roi up on {'a new' if directory == 'new' else 'an existing'} directory", "tansu", result, beside)
        )
    return rows
