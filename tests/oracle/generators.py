"""Logs to try the pipeline and the oracle on: adversarial, small, and the same for the same seed."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Final

from hypothesis import strategies

from schemas import topics
from tests.oracle.config import OracleConfig
from tests.oracle.corruptions import encoded
from tests.oracle.log import Log, Record
from tests.oracle.murmur2 import partition_of
from tests.oracle.parsing import BadRecordError, read_event
from tests.oracle.story import Shape, StoryTeller, instant_text
from tests.oracle.verdicts import judge
from tests.oracle.world import build_world

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.oracle.events import Event

Records = dict[tuple[str, int], list[Record]]
DEFAULT_SHAPE: Final = Shape()
_STRAGGLERS_PER_EVENT: Final = 0.02
REPORTING_CURRENCY: Final = OracleConfig().currency


def random_log(seed: int, size: int, *, shape: Shape = DEFAULT_SHAPE) -> Records:
    """Return a log of ``size`` events, and their re-sends and dimension records; the same for the same arguments."""
    return build_log(Random(seed), size, shape)


def logs(max_size: int = 40, shape: Shape = DEFAULT_SHAPE) -> strategies.SearchStrategy[Records]:
    """Return a hypothesis strategy for logs of up to ``max_size`` events; shrinking leaves fewer and plainer ones."""
    return strategies.builds(
        lambda random, size: build_log(random, size, shape),
        strategies.randoms(use_true_random=False),
        strategies.integers(0, max_size),
    )


def build_log(random: Random, size: int, shape: Shape) -> Records:
    """Return a log in arrival order, with some events exactly on the border of the lateness and just past it."""
    world = build_world(random, shape.customers, shape.campaigns, bad=shape.bad_share > 0)
    arrivals = sorted(StoryTeller(random, world, shape).tell(size), key=lambda sending: sending.arrives_at)
    queues: dict[tuple[str, int], list[tuple[bytes | None, bytes | None]]] = defaultdict(list)
    for topic, key, value in world.records:
        queues[topic, _partition(key, shape.partitions)].append((key, value))
    for sending in arrivals:
        place = (sending.topic, _partition(sending.key, shape.partitions))
        queues[place].append((sending.key, sending.value))
    log = _numbered(queues)
    return _with_stragglers(random, log, shape) if shape.late else log


def _partition(key: bytes | None, partitions: int) -> int:
    return 0 if key is None else partition_of(key, partitions)


def _numbered(queues: dict[tuple[str, int], list[tuple[bytes | None, bytes | None]]]) -> Records:
    return {
        (topic, partition): [
            Record(topic, partition, offset, key, value) for offset, (key, value) in enumerate(queues[topic, partition])
        ]
        for topic, partition in sorted(queues)
    }


def _with_stragglers(random: Random, log: Records, shape: Shape) -> Records:
    """Add copies of events, under new names, that happened the lateness behind the watermark or a millisecond more."""
    queues: dict[tuple[str, int], list[tuple[bytes | None, bytes | None]]] = {}
    count = 0
    for place, records in log.items():
        queue = queues[place] = []
        watermark: int | None = None
        for record in records:
            queue.append((record.key, record.value))
            event = _event_of(record)
            if event is None:
                continue
            watermark = event.occurred_at if watermark is None else max(watermark, event.occurred_at)
            if random.random() < _STRAGGLERS_PER_EVENT:
                body = json.loads(record.value or b"{}")
                at = watermark - shape.lateness_ms - random.choice((0, 0, 1))
                body |= {"event_id": f"straggler-{place[1]}-{count}", "occurred_at": instant_text(random, at)}
                body.pop("padding", None)
                count += 1
                queue.append((record.key, encoded(body)))
    return _numbered(queues)


def _event_of(record: Record) -> Event | None:
    if record.topic in topics.DIMENSION_TOPICS:
        return None
    try:
        return read_event(record.topic, record.key, record.value, REPORTING_CURRENCY)
    except BadRecordError:
        return None


def permuted(log: Log, random: Random, config: OracleConfig) -> Records:
    """Return the log with every event partition in another arrival order and with the same verdict on every event.

    Offsets are given out anew: `dead_letters` differs in them and in nothing else. Dimension records keep their order.
    """
    verdicts = judge(log, config).verdicts
    shuffled = {}
    for place, records in log.items():
        if place[0] in topics.DIMENSION_TOPICS:
            shuffled[place] = list(records)
            continue
        order = _in_time_order(records, random, config)
        late = [record for record in records if verdicts[_place(record)].reason == "too_late"]
        order = [record for record in order if verdicts[_place(record)].reason != "too_late"]
        for record in late:
            order.insert(random.randint(_first_late_place(record, order, config), len(order)), record)
        shuffled[place] = [record._replace(offset=offset) for offset, record in enumerate(order)]
    return shuffled


def _place(record: Record) -> tuple[str, int, int]:
    return record.topic, record.partition, record.offset


def _in_time_order(records: Sequence[Record], random: Random, config: OracleConfig) -> list[Record]:
    # who arrives at most `lateness` after it happened is never behind a watermark by more than that
    arrivals: list[tuple[int, float, Record]] = []
    for record in records:
        event = _event_of(record)
        happened = random.choice(arrivals)[0] if event is None and arrivals else event.occurred_at if event else 0
        delay = random.choice((0, random.randint(0, config.lateness_ms), config.lateness_ms))
        arrivals.append((happened + delay, random.random(), record))
    return [record for _, _, record in sorted(arrivals, key=lambda arrival: arrival[:2])]


def _first_late_place(late: Record, order: Sequence[Record], config: OracleConfig) -> int:
    event = _event_of(late)
    for place, record in enumerate(order):
        before = _event_of(record)
        if event and before and before.occurred_at - config.lateness_ms > event.occurred_at:
            return place + 1
    raise ValueError(f"offset {late.offset} of {late.topic} is in time whatever comes before it")


def repartitioned(log: Log, partitions: int) -> Records:
    """Return the log as a broker with another number of partitions would hold it, each in order of occurrence.

    Raises:
        ValueError: an event of the log is too late, which depends on its partition's log alone (`Shape.late`).
    """
    verdicts = judge(log, OracleConfig()).verdicts
    if any(verdict.reason == "too_late" for verdict in verdicts.values()):
        raise ValueError("the log must have no event that is too late, build it with Shape(late=False)")
    queues: dict[tuple[str, int], list[tuple[bytes | None, bytes | None]]] = defaultdict(list)
    for record in sorted(_all(log), key=_occurred_at):
        place = (record.topic, _partition(record.key, partitions))
        queues[place].append((record.key, record.value))
    return _numbered(queues)


def _all(log: Log) -> Iterable[Record]:
    return (record for place in sorted(log) for record in log[place])


def _occurred_at(record: Record) -> int:
    event = _event_of(record)
    return 0 if event is None else event.occurred_at


def interleaved(log: Log, random: Random) -> list[Record]:
    """Return all records in one order of sending, dimension tables first; within a partition by offset."""
    dimensions = [record for record in _all(log) if record.topic in topics.DIMENSION_TOPICS]
    queues = {place: list(records) for place, records in log.items() if place[0] not in topics.DIMENSION_TOPICS}
    turns = [place for place, records in sorted(queues.items()) for _ in records]
    random.shuffle(turns)
    positions = dict.fromkeys(queues, 0)
    for place in turns:
        dimensions.append(queues[place][positions[place]])
        positions[place] += 1
    return dimensions


def clean(shape: Shape = DEFAULT_SHAPE) -> Shape:
    """Return a shape of logs without bad, late or repeated events."""
    return replace(shape, bad_share=0.0, late=False, duplicate_share=0.0)
