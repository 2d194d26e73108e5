"""The whole path with five attribution models beside the same with one: `python -m bench --only models`.

Each has an installation of its own: a ledger keeps the models that it was begun with. Runs take turns, so that a
machine whose speed drifts is as slow for both.
"""

from __future__ import annotations

import json
from statistics import median
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from bench.backlog import feed, read_backlog
from bench.families import ALL_MODELS
from bench.figures import Row
from bench.servers import running_broker, running_instance, running_worker
from pipeline.settings import load_settings
from pipeline.simulation.mixes import MixName, MixOptions, mix_events

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.backlog import Backlog
    from bench.servers import Broker

How = Literal["one", "five"]
TARGET: Final = 0.6
"""Five models are to read at least so many times the events per second of one."""
# the worker has joined its group and counted some before the backlog that is measured
_KNOWN_SHARE: Final = 10


class Run(NamedTuple):
    """One backlog, and with how many models it was counted."""

    how: How
    backlog: Backlog


def measure(broker: Broker, mix: MixName, events: int, runs: int) -> Iterator[Run]:
    """Read a backlog with one model and with five, as often as asked for, and yield each result."""
    for number in range(runs):
        pair: tuple[How, How] = ("one", "five") if number % 2 == 0 else ("five", "one")
        for how in pair:
            yield Run(how, _read(broker, mix, events, how))


def _read(broker: Broker, mix: MixName, events: int, how: How) -> Backlog:
    models = ALL_MODELS if how == "five" else ALL_MODELS[:1]
    given = {"ROI_ATTRIBUTION__MODELS": json.dumps(models)}
    with running_broker(broker) as bootstrap, running_instance(bootstrap, environment=given) as data:
        settings = load_settings(data)
        known = max(1, events // _KNOWN_SHARE)
        stream = list(mix_events(MixOptions(mix, known + events, customers=max(1_000, events // 10))))
        with running_worker(data, environment=given) as worker:
            count = feed(settings, [worker], stream[:known])
            return read_backlog(settings, [worker], count, stream[known:])


def model_rows(broker: str, mix: str, runs: list[Run]) -> list[Row]:
    """Return the median of one model, and that of five beside it."""
    rate, cost = {}, {}
    for how in ("one", "five"):
        backlogs = [run.backlog for run in runs if run.how == how]
        rate[how] = median(backlog.rate for backlog in backlogs)
        cost[how] = median(backlog.cpu_microseconds for backlog in backlogs)
    share = rate["five"] / rate["one"]
    verdict = "at least" if share >= TARGET else "below"
    beside = f"{share:.2f} times the events/s of one ({verdict} the target of {TARGET}), "
    beside += f"{cost['five'] / cost['one']:.2f} times its CPU"
    return [
        Row(
            f"{how} model{'s' * (how == 'five')}, mix {mix}",
            broker,
            f"{rate[how]:,.0f} events/s, {cost[how]:.2f} µs CPU an event",
            beside * (how == "five"),
        )
        for how in ("one", "five")
    ]
