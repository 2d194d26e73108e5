"""How long an accepted event takes to be visible in ClickHouse, at a steady rate.

Accepted is the broker's acknowledgement. Visible is the first answer of ClickHouse in which the event's offset lies
before its partition's durable position: positions are written in the same block as the results, so whoever reads the
views then sees the event in them. ClickHouse is asked when a block has come into the ledger's folder: the latencies are
upper bounds, by what a question takes, some 20 to 50 ms.

Producing and asking share the cores with what is measured, so they take as little of them as they can: `bench.steady`
says how events are written. Of many events a second some are timed, evenly spread.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import threading
import time
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.figures import percentile, visible_latencies
from bench.parts import Parts
from bench.steady import prepared, produce
from bench.workload import LedgerProgress
from pipeline.errors import UserError
from pipeline.settings import load_settings
from pipeline.simulation.mixes import MixOptions, mix_events
from pipeline.transport.admin import TopicAdmin
from schemas.topics import EVENT_TOPICS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.figures import Partition
    from pipeline.settings import Settings

_POLL_SECONDS: Final = 0.2
_SILENT_SECONDS: Final = 1.0  # asked then, whatever the folder shows
# a part is renamed into place a moment before it is read; others than blocks make parts, too
_ASK_AGAIN_SECONDS: Final = 0.01
_ASK_AGAIN: Final = 3
_VISIBLE_SECONDS: Final = 60.0
_WARM_UP_SECONDS: Final = 2.0


class Positions(threading.Thread):
    """Asks for the durable positions whenever a block has come, beside the producing."""

    def __init__(self, progress: LedgerProgress, parts: Parts) -> None:
        super().__init__(daemon=True)
        self._progress = progress
        self._parts = parts
        self._stopped = threading.Event()
        self.polls: list[tuple[float, Mapping[Partition, int]]] = []

    def run(self) -> None:
        """Ask until stopped."""
        while not self._stopped.is_set():
            has_come = self._parts.await_new(self._stopped, _SILENT_SECONDS)
            self._ask()
            for _ in range(_ASK_AGAIN if has_come else 0):
                if len(self.polls) > 1 and self.polls[-1][1] != self.polls[-2][1]:
                    break
                self._stopped.wait(_ASK_AGAIN_SECONDS)
                self._ask()

    def _ask(self) -> None:
        self.polls.append(self._progress.positions())

    def stop(self) -> None:
        """Ask once more, and end."""
        self._stopped.set()
        self.join()


def log_ends(settings: Settings) -> dict[Partition, int]:
    """Return the next offset of every partition that holds events."""
    with TopicAdmin(settings) as admin:
        found = admin.log_bounds(EVENT_TOPICS)
    return {(tp.topic, tp.partition): bounds.end for tp, bounds in found.items() if bounds.end}


def await_visible(positions: Positions, ends: Mapping[Partition, int]) -> None:
    """Wait until a poll shows everything up to these offsets.

    Raises:
        UserError: it does not within a minute.
    """
    deadline = time.monotonic() + _VISIBLE_SECONDS
    while not positions.polls or any(positions.polls[-1][1].get(partition, 0) < end for partition, end in ends.items()):
        if time.monotonic() > deadline or not positions.is_alive():
            raise UserError("events are not visible a minute after the last one", "see the worker's log")
        time.sleep(_POLL_SECONDS)


def measure(settings: Settings, rate: int, seconds: float) -> dict[str, float]:
    """Return the percentiles in milliseconds, and the rate that was reached."""
    # made beforehand, as making them is no part of what is measured; dated now, as live events are
    count, warm_up = int(rate * seconds), int(rate * _WARM_UP_SECONDS)
    options = MixOptions(
        "A",
        warm_up + count,
        customers=100_000,
        begin_ms=int(time.time() * 1000),
        span_ms=int((_WARM_UP_SECONDS + seconds) * 1000),
    )
    events = mix_events(options)
    first, rest = (prepared(settings, islice(events, part), rate) for part in (warm_up, count))
    positions = Positions(LedgerProgress(settings), Parts.of_ledger(settings))
    positions.start()
    # the first events wait for the worker to join its group: that is not the steady state
    produce(settings, first, rate)
    await_visible(positions, log_ends(settings))
    began = time.monotonic()
    acknowledged = produce(settings, rest, rate)
    ended = time.monotonic()
    await_visible(positions, log_ends(settings))
    positions.stop()
    latencies = visible_latencies(acknowledged.accepted, positions.polls)
    return {
        "wished_rate": rate,
        "rate": count / (ended - began),
        "events": count,
        "timed": len(latencies),
        "p50_ms": percentile(latencies, 0.5) * 1e3,
        "p99_ms": percentile(latencies, 0.99) * 1e3,
        "worst_ms": max(latencies) * 1e3,
    }


def main() -> None:
    """Measure on a running instance and print the result as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="directory of a running instance with workers")
    parser.add_argument("--rate", type=int, default=20_000, help="events per second")
    parser.add_argument("--seconds", type=float, default=20.0)
    arguments = parser.parse_args()
    gc.disable()  # its pauses would be taken for the pipeline's
    result = measure(load_settings(arguments.data), arguments.rate, arguments.seconds)
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
