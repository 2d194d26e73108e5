"""What every peer is told and tells."""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Task:
    """Read these topics until that many events were seen."""

    bootstrap: str
    topics: list[str]
    events: int

    @classmethod
    def from_arguments(cls) -> Task:
        """Read the process's arguments."""
        parser = argparse.ArgumentParser()
        parser.add_argument("--bootstrap", required=True)
        parser.add_argument("--topics", required=True, help="names, separated by commas")
        parser.add_argument("--events", required=True, type=int)
        arguments = parser.parse_args()
        return cls(arguments.bootstrap, arguments.topics.split(","), arguments.events)


@dataclass(slots=True)
class Stopwatch:
    """Counts events and times them, in wall clock and processor time.

    `start` it when reading begins. Where that moment is not known, the first batch starts it and is not counted, as
    nobody saw how long it took.
    """

    wanted: int
    events: int = 0
    _began: float | None = field(default=None, init=False)
    _cpu: float = field(default=0.0, init=False)
    _uncounted: int = field(default=0, init=False)

    def start(self) -> None:
        """Begin to count."""
        self._began, self._cpu = time.perf_counter(), time.process_time()

    def saw(self, events: int) -> bool:
        """Take note of a batch; True when enough were seen and the result has been printed."""
        if self._began is None:
            self.start()
            self._uncounted = events
            return False
        self.events += events
        if self.events + self._uncounted < self.wanted:
            return False
        seconds, cpu = time.perf_counter() - self._began, time.process_time() - self._cpu
        result = {"events": self.events, "seconds": seconds, "cpu_seconds": cpu}
        # a line of its own: Faust has moved the cursor about
        sys.stdout.write(f"\n{json.dumps(result)}\n")
        sys.stdout.flush()
        return True
