"""Two workers beside one over backlogs of the same size: `python -m bench --only processes`.

Where broker, engine and both workers share few cores, events a second tell of the cores, not of the workers. What tells
is processor time: a worker with a core of its own that never waits needs as many seconds as it uses, C for one worker
alone, and the larger of A and B for two that read at once. So two would read C / max(A, B) times as fast as one: less
than two by what two workers do twice, and by what one of them has more to do than the other.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final, NamedTuple

from bench.backlog import feed, read_backlog
from bench.figures import Row
from bench.owning import PORT_VARIABLE, owned
from bench.servers import running_broker, running_instance, running_worker
from pipeline.embedded.tcp_ports import usable_port
from pipeline.errors import UserError
from pipeline.settings import load_settings
from pipeline.simulation.mixes import MixName, MixOptions, mix_events
from schemas.topics import LANES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.backlog import Backlog
    from bench.servers import Broker

TARGET: Final = 1.8
"""Two workers are to read at least so many times as fast as one."""
_KNOWN_SHARE: Final = 10
_SETTLED_SECONDS: Final = 90.0
_POLL_SECONDS: Final = 0.25


def seconds_each(cpu_seconds: Sequence[float], events: int) -> float:
    """Return the processor time of the slowest of some workers for each event of all of them."""
    return max(cpu_seconds) / events


class Compared(NamedTuple):
    """The backlog of one worker, and that of two."""

    one: Backlog
    two: Backlog

    @property
    def would_be(self) -> float:
        """How many times as fast two would read where cores allow, by the processor time of the slower one."""
        each = [seconds_each(run.cpu_seconds, run.events) for run in self]
        return each[0] / each[1]


def measure(broker: Broker, mix: MixName, events: int) -> Compared:
    """Read a backlog with one worker, and another one of the same events with two."""
    return Compared(_read(broker, mix, events, 1), _read(broker, mix, events, 2))


def _read(broker: Broker, mix: MixName, events: int, count: int) -> Backlog:
    known = max(1, events // _KNOWN_SHARE)
    stream = list(mix_events(MixOptions(mix, known + events, customers=max(1_000, events // 10))))
    with running_broker(broker) as bootstrap, running_instance(bootstrap) as data, ExitStack() as stack:
        settings = load_settings(data)
        ports = [usable_port(0, "--metrics-port") for _ in range(count)]
        given = [{PORT_VARIABLE: str(port)} for port in ports]
        workers = [stack.enter_context(running_worker(data, environment=one)) for one in given]
        _await_shares(ports, len(LANES) * settings.kafka_partitions)
        before = feed(settings, workers, stream[:known])
        return read_backlog(settings, workers, before, stream[known:])


def _await_shares(ports: Sequence[int], shards: int) -> None:
    """Wait until the workers own every shard, each its share."""
    deadline = time.monotonic() + _SETTLED_SECONDS
    fair = shards // len(ports)
    while (shares := [owned(port) for port in ports]) != [fair] * len(ports):
        if time.monotonic() > deadline:
            raise UserError(f"workers own {shares} of {shards} shards, not {fair} each", "run them alone: roi worker")
        time.sleep(_POLL_SECONDS)


def process_rows(broker: str, found: Compared) -> list[Row]:
    """Return one row for one worker, one for two, and one for what two would do where cores allow."""
    one, two = found
    each = " and ".join(f"{seconds:.2f}" for seconds in two.cpu_seconds)
    verdict = "at least" if found.would_be >= TARGET else "below"
    derived = f"{sum(one.cpu_seconds):.2f} s of one / {max(two.cpu_seconds):.2f} s of the slower of two"
    times = f"{two.rate / one.rate:.2f} times one here, {two.cpu_microseconds / one.cpu_microseconds:.2f} times its CPU"
    return [
        Row("one worker", broker, str(one), f"{sum(one.cpu_seconds):.2f} s CPU for {one.events:,} events"),
        Row("two workers", broker, str(two), f"{times}: {each} s"),
        Row(
            "two workers where cores allow",
            broker,
            f"would read {found.would_be:.2f} times as fast as one",
            f"{derived}; {verdict} the target of {TARGET}",
        ),
    ]
