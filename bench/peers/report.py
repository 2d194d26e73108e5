"""What every peer is told and tells."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from dataclasses import dataclass, field
from typing import Any, Final

USER_VARIABLE: Final = "ROI_BENCH_CLICKHOUSE_USER"
PASSWORD_VARIABLE: Final = "ROI_BENCH_CLICKHOUSE_PASSWORD"  # noqa: S105 - the name of a variable


@dataclass(frozen=True, slots=True)
class Task:
    """Read these topics until that many events were seen.

    Attributes:
        job: ``trivial`` = cost by campaign, nothing kept; ``full`` = the contract's core numbers (`bench.peers.job`).
        partitions: of each topic.
        clickhouse: address of the HTTP interface that the full job's rows go to.
        login: its user and password; they come by the environment, as anyone may read a command line.
    """

    bootstrap: str
    topics: list[str]
    events: int
    job: str = "trivial"
    partitions: int = 8
    clickhouse: str = ""
    login: tuple[str, str] = ("", "")

    @classmethod
    def from_arguments(cls) -> Task:
        """Read the process's arguments and environment."""
        parser = argparse.ArgumentParser()
        parser.add_argument("--bootstrap", required=True)
        parser.add_argument("--topics", required=True, help="names, separated by commas")
        parser.add_argument("--events", required=True, type=int)
        parser.add_argument("--job", choices=("trivial", "full"), default="trivial")
        parser.add_argument("--partitions", type=int, default=8)
        parser.add_argument("--clickhouse", default="")
        arguments = parser.parse_args()
        return cls(
            arguments.bootstrap,
            arguments.topics.split(","),
            arguments.events,
            arguments.job,
            arguments.partitions,
            arguments.clickhouse,
            (os.environ.get(USER_VARIABLE, ""), os.environ.get(PASSWORD_VARIABLE, "")),
        )


@dataclass(slots=True)
class Stopwatch:
    """Counts events and times them, in wall clock and processor time.

    `start` it when reading begins. Where that moment is not known, the first batch starts it and is not counted, as
    nobody saw how long it took. Where a client fetches in threads of its own before the first record is handed over,
    `open` it before that client is started: processor time counts from there, wall clock from `begin`.
    """

    wanted: int
    events: int = 0
    _began: float | None = field(default=None, init=False)
    _cpu: float = field(default=0.0, init=False)
    _opened: float | None = field(default=None, init=False)
    _uncounted: int = field(default=0, init=False)

    def start(self) -> None:
        """Begin to count."""
        self._began = time.perf_counter()
        self._cpu = time.process_time() if self._opened is None else self._opened

    def open(self) -> None:
        """Count processor time from now on; events and wall clock from the first record on."""
        self._opened = time.process_time()

    def begin(self) -> None:
        """Begin to count, unless that is done: what comes first, the first record's work or the first result."""
        if self._began is None:
            self.start()

    def counted(self, events: int) -> bool:
        """Take note of a batch; True when enough were seen."""
        if self._began is None:
            self.start()
            self._uncounted = events
        else:
            self.events += events
        return self.events + self._uncounted >= self.wanted

    def tell(self, **extra: Any) -> None:
        """Print the result up to now, a JSON object."""
        seconds = time.perf_counter() - (self._began or 0.0)
        result = {"events": self.events, "seconds": seconds, "cpu_seconds": time.process_time() - self._cpu}
        # a line of its own: Faust has moved the cursor about
        sys.stdout.write(f"\n{json.dumps(result | extra)}\n")
        sys.stdout.flush()

    def saw(self, events: int) -> bool:
        """Take note of a batch; True when enough were seen and the result has been printed."""
        if not self.counted(events):
            return False
        self.tell()
        return True
