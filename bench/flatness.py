"""Whether a worker's processor time an event stays the same where customers, campaigns or partitions are many.

One of the three grows at a time, the others stay as in `Point`. The worker knows its customers before: it has counted
``known_each`` events of each on average, and then reads a backlog of mix A, whose processor time counts
(`bench.backlog`). Each customer has ten events in seven days, however many customers there are, as in the throughput: a
bank of fifty times the customers has fifty times the events a day. A touch can be credited for one day and come 0.4
days late, so that the two events of each known customer, 1.4 days of them, are all that any worker would still hold for
crediting: with seven days and three, five million customers would need fifty million events first.

Runs of an axis' points take turns: a shared machine's speed changes by more from minute to minute than what is asked.
Bare getmany is measured on the same topics: how fast the machine was just then, and what the client itself needs with
so many partitions.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from bench.backlog import feed, read_backlog
from bench.servers import running_broker, running_instance, running_worker
from bench.throughput import GETMANY, peer
from pipeline.settings import load_settings
from pipeline.simulation.mixes import MixOptions, mix_events

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.backlog import Backlog
    from bench.figures import Throughput
    from bench.servers import Broker

Axis = Literal["customers", "campaigns", "partitions"]
POINTS: Final[dict[Axis, tuple[int, ...]]] = {
    "customers": (100_000, 500_000, 1_000_000, 5_000_000),
    "campaigns": (10, 100, 500, 2_000),
    "partitions": (4, 16, 64),
}
QUICK_POINTS: Final[dict[Axis, tuple[int, ...]]] = {
    "customers": (10_000, 50_000),
    "campaigns": (10, 100),
    "partitions": (4, 16),
}
KNOWN_EACH: Final = 2.0
_DAILY: Final = 10 / 7
_DAY_MS: Final = 86_400_000
_MEMORY: Final = {"ROI_ATTRIBUTION__WINDOW_DAYS": "1.0", "ROI_TIME__LATENESS_DAYS": "0.4"}
_FETCHED: Final = 500_000


@dataclass(frozen=True, slots=True)
class Point:
    """How many there are of what may grow."""

    customers: int = 100_000
    campaigns: int = 50
    partitions: int = 8

    def moved(self, axis: Axis, value: int) -> Point:
        """Return the same but for one axis."""
        return replace(self, **{axis: value})

    def as_json(self) -> dict[str, int]:
        """Return plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Size:
    """How much is read.

    Attributes:
        events: of one measured backlog.
        known_each: events of each customer, on average, that were counted before.
    """

    events: int
    known_each: float = KNOWN_EACH


class Measured(NamedTuple):
    """What one point has shown once: the worker's backlog, and bare getmany."""

    backlog: Backlog
    getmany: Throughput


def measure(broker: Broker, point: Point, size: Size) -> Measured:
    """Fill an installation of its own, have a worker know the customers, and measure it over the backlog after that.

    Raises:
        UserError: a part of the installation failed.
    """
    given = _MEMORY | {"ROI_KAFKA_PARTITIONS": str(point.partitions)}
    with running_broker(broker) as bootstrap, running_instance(bootstrap, environment=given) as data:
        settings = load_settings(data)
        known = max(1, int(point.customers * size.known_each))
        with running_worker(data, environment=given) as worker:
            stream = known + size.events
            count = feed(settings, [worker], mix_events(options(point, 0, known, stream)))
            events = list(mix_events(options(point, known, size.events, stream)))
            backlog = read_backlog(settings, [worker], count, events)
        return Measured(backlog, peer(GETMANY, bootstrap, min(count + backlog.events, _FETCHED)))


def options(point: Point, first: int, events: int, stream: int) -> MixOptions:
    """Return the part of the point's one stream of ``stream`` events that begins at number ``first``.

    Each stream ends when a mix does: a long one would reach into the future, whose events are refused.
    """
    plain = MixOptions("A", events, point.customers, point.campaigns, seed=1 + first, first_number=first)
    each_ms = _DAY_MS / (point.customers * _DAILY)
    begin_ms = plain.begin_ms + plain.span_ms - int(stream * each_ms)
    return replace(plain, begin_ms=begin_ms + int(first * each_ms), span_ms=int(events * each_ms))


def spread(values: Sequence[float]) -> float:
    """Return how many times the smallest the largest is.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("values is empty, must have at least one")
    return max(values) / min(values)
