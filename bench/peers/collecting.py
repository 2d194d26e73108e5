"""Where the facts of a peer meet: added up in memory, written to ClickHouse about every second, told at the end."""

from __future__ import annotations

import base64
import time
from collections import defaultdict
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

from bench.peers.job import add_spend
from bench.peers.report import Stopwatch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.peers.job import Fact, Spend
    from bench.peers.report import Task

CAMPAIGN_TABLE: Final = "peer_campaigns"
ACTIVITY_TABLE: Final = "peer_activity"
FLUSH_SECONDS: Final = 1.0


class Rows:
    """Writes rows to ClickHouse's HTTP interface over one connection, in the caller's thread.

    Raises:
        RuntimeError: the server refused rows; its first line tells why.
    """

    def __init__(self, task: Task) -> None:
        self._connection = HTTPConnection(urlsplit(task.clickhouse).netloc, timeout=60)
        login = base64.b64encode(":".join(task.login).encode()).decode()
        self._headers = {"Authorization": f"Basic {login}"}

    def insert(self, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Insert rows of numbers and plain texts."""
        body = "".join("\t".join(map(str, row)) + "\n" for row in rows)
        if not body:
            return
        query = quote(f"INSERT INTO roi.{table} FORMAT TabSeparated")
        self._connection.request("POST", f"/?query={query}", body.encode(), self._headers)
        answer = self._connection.getresponse()
        words = answer.read()
        if answer.status != 200:
            raise RuntimeError(words.decode(errors="replace").splitlines()[0])


class Collector:
    """Adds up what a peer has found and ends the measurement when all events were seen and all rows written."""

    def __init__(self, task: Task) -> None:
        self.watch = Stopwatch(task.events)
        self.sums: dict[str, int] = {}
        self._rows = Rows(task) if task.job == "full" else None
        self._campaigns: dict[str, list[int]] = defaultdict(lambda: [0] * 6)
        self._activity: dict[int, int] = defaultdict(int)
        self._due = 0.0

    def add(self, fact: Fact) -> None:
        """Add a fact of the full job."""
        if fact is None:
            return
        name, what = fact
        if isinstance(name, str) and isinstance(what, tuple):
            sums = self._campaigns[name]
            for place, increment in enumerate(what):
                if increment:
                    sums[place] += increment
        elif isinstance(name, int) and isinstance(what, int):
            self.add_edge(name, 1)
            self.add_edge(what, -1)

    def add_edge(self, day: int, change: int) -> None:
        """Add a change of the number of active customers from a day on."""
        self._activity[day] += change

    def add_spend(self, spend: Spend) -> None:
        """Add an event of the trivial job."""
        add_spend(self.sums, spend)

    def saw(self, events: int) -> bool:
        """Take note of events whose facts have been added; True when it was the last and the result is printed."""
        if self.watch.counted(events):
            self.finish()
            return True
        now = time.monotonic()
        if now >= self._due:
            self.flush()
            self._due = now + FLUSH_SECONDS
        return False

    def finish(self) -> None:
        """Write the last rows and print the result."""
        self.flush()
        self.watch.tell(sums=self.sums)

    def flush(self) -> None:
        """Write what has been added since the last time."""
        if self._rows is None:
            return
        self._rows.insert(CAMPAIGN_TABLE, ((name, *sums) for name, sums in self._campaigns.items()))
        self._rows.insert(ACTIVITY_TABLE, ((day, change) for day, change in self._activity.items() if change))
        self._campaigns.clear()
        self._activity.clear()
