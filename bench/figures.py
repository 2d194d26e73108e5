"""The arithmetic of measurements, apart from how they are taken."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import asdict, dataclass
from math import ceil
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bench.cores import WORDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Partition = tuple[str, int]
BOARD_TARGET_MS: Final = 200
"""95 of 100 queries of panels are to be answered within."""
VISIBLE_TARGET_MS: Final = 1_000
"""99 of 100 events are to be visible within, counted from their acceptance."""


@dataclass(frozen=True, slots=True)
class Throughput:
    """Events handled between the first and the last one seen, and the processor time that took."""

    events: int
    seconds: float
    cpu_seconds: float

    @property
    def rate(self) -> float:
        """Events per second."""
        return self.events / self.seconds

    @property
    def cpu_microseconds(self) -> float:
        """Processor time of one event."""
        return self.cpu_seconds / self.events * 1e6

    def as_json(self) -> dict[str, float]:
        """Return plain values."""
        return asdict(self) | {"events_per_second": self.rate, "cpu_microseconds_per_event": self.cpu_microseconds}

    def __str__(self) -> str:
        return f"{self.rate:,.0f} events/s, {self.cpu_microseconds:.2f} µs CPU an event"


class Sample(NamedTuple):
    """How far a process had come at one moment."""

    at: float
    done: int
    cpu_seconds: float


class Row(NamedTuple):
    """One line of the table; ``beside`` compares the result with others of the same run."""

    measured: str
    on: str
    result: str
    beside: str = ""


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least ``share`` of all are not above (nearest rank).

    Raises:
        ValueError: there are no values, or ``share`` is not in (0, 1].
    """
    if not values:
        raise ValueError("values is empty, must have at least one")
    if not 0 < share <= 1:
        raise ValueError(f"share == {share}, must be in (0, 1]")
    return sorted(values)[ceil(share * len(values)) - 1]


def throughput(samples: Sequence[Sample]) -> Throughput:
    """Return the speed from the first sample to the first that shows the most done.

    Raises:
        ValueError: the samples show no progress.
    """
    if not samples or samples[0].done == samples[-1].done:
        raise ValueError("samples show no progress, must show some: measure more events")
    first, last = samples[0], next(sample for sample in samples if sample.done == samples[-1].done)
    return Throughput(last.done - first.done, last.at - first.at, last.cpu_seconds - first.cpu_seconds)


def visible_latencies(
    accepted: Mapping[Partition, Sequence[tuple[int, float]]], polls: Sequence[tuple[float, Mapping[Partition, int]]]
) -> list[float]:
    """Return for each event the seconds from its acceptance until a poll showed it: an upper bound.

    Args:
        accepted: offset and time of acknowledgement of each event, by partition.
        polls: time at which a query's answer was there and the next offset it showed per partition, in order.

    Raises:
        ValueError: an event is not visible at the last poll.
    """
    latencies = []
    for partition, events in accepted.items():
        shown = [positions.get(partition, 0) for _, positions in polls]
        for offset, at in events:
            # the first poll whose next offset lies behind the event's
            first = bisect_right(shown, offset)
            if first == len(shown):
                raise ValueError(f"offset {offset} of {partition} was never visible")
            latencies.append(max(0.0, polls[first][0] - at))
    return latencies


def throughput_rows(broker: str, measured: Mapping[str, Throughput], *, baseline: str, ceiling: str) -> list[Row]:
    """Return one row per process, slowest first, each compared with the baseline and the ceiling of the same run."""
    rows = []
    for name, speed in sorted(measured.items(), key=lambda item: item[1].rate):
        beside = []
        if name != baseline and baseline in measured:
            beside.append(f"{speed.rate / measured[baseline].rate:.1f} times {baseline}")
        if name != ceiling and ceiling in measured:
            beside.append(f"{speed.rate / measured[ceiling].rate:.0%} of {ceiling}")
        rows.append(Row(name, broker, str(speed), ", ".join(beside)))
    return rows


def latency_row(broker: str, measured: Mapping[str, Any], words: str = "") -> Row:
    """Return the row of a latency measurement (`bench.latency` prints its fields); ``words`` follow its rate."""
    values = f"p50 {measured['p50_ms']:.0f} ms, p99 {measured['p99_ms']:.0f} ms, worst {measured['worst_ms']:.0f} ms"
    kept = "within" if measured["p99_ms"] <= VISIBLE_TARGET_MS else "over"
    return Row(
        f"accepted → visible at {measured['wished_rate']:,} events/s{words}",
        broker,
        values,
        f"p99 {kept} {VISIBLE_TARGET_MS:,} ms; {measured['events']:,} events at {measured['rate']:,.0f}/s",
    )


def notice_row(measured: Mapping[str, Any]) -> Row:
    """Return the row of the alerts' latency (`bench.alerting` prints its fields)."""
    values = f"p50 {measured['p50_ms']:.0f} ms, p99 {measured['p99_ms']:.0f} ms, worst {measured['worst_ms']:.0f} ms"
    return Row(
        f"breach → notice at {measured['wished_rate']:,} events/s",
        "tansu",
        values,
        f"{measured['notices']:,} notices at {measured['rate']:,.0f} events/s",
    )


def whale_row(measured: Mapping[str, Any]) -> Row:
    """Return the row of a whale measurement (`bench.whale` prints its fields)."""
    late = f"late event p50 {measured['late_p50_us']:.0f} µs, worst {measured['late_worst_us']:.0f} µs"
    return Row(
        f"one customer with {measured['touches']:,} touches, {measured['transactions']:,} transactions, "
        f"{WORDS[measured['core']]}",
        "-",
        late,
        f"in order {measured['in_order_us']:.1f} µs an event",
    )


def memory_row(measured: Mapping[str, Any]) -> Row:
    """Return the row of a memory measurement (`bench.memory` prints its fields)."""
    live = itemgetter("live_touches", "live_transactions")(measured)
    each = ", ".join(
        f"{count / measured['customers']:.2f} {name}"
        for count, name in zip(live, ("touches", "transactions"), strict=True)
    )
    return Row(
        f"state of {measured['customers']:,} customers, {WORDS[measured['core']]}",
        "-",
        f"{measured['bytes_each']:,.0f} bytes a customer",
        f"each with {each}",
    )


def recovery_row(measured: Mapping[str, Any]) -> Row:
    """Return the row of a recovery measurement (`bench.recovery` prints its fields)."""
    return Row(
        f"take-over of {measured['customers']:,} customers, {WORDS[measured['core']]}",
        "-",
        f"{measured['seconds']:.2f} s, {measured['customers_per_second']:,.0f} customers/s",
        f"from {measured['rows']:,} ledger rows, nothing on disk",
    )


def judging_row(measured: Mapping[str, Any]) -> Row:
    """Return the row of the stop rule (`bench.judging` prints its fields)."""
    each = measured["p50_ms"] * 1e3 / measured["campaigns"]
    return Row(
        f"stop rule: {measured['campaigns']:,} campaigns judged at once",
        "-",
        f"p50 {measured['p50_ms']:.0f} ms, worst {measured['worst_ms']:.0f} ms",
        f"{each:.0f} µs a campaign, {measured['below']:,} below",
    )


def backtest_row(measured: Mapping[str, Any]) -> Row:
    """Return the row of a backtest (`bench.backtesting` prints its fields)."""
    each, memory = measured["seconds"] * 1e6 / measured["looks"], measured["memory_mb"]
    return Row(
        f"backtest: a year of {measured['campaigns']:,} campaigns by the hour",
        "-",
        f"{measured['seconds']:.1f} s, of which {measured['read_seconds']:.1f} s to read; {memory:.0f} MB",
        f"{measured['looks']:,} looks, {each:.0f} µs each, {measured['fired']:,} fired on",
    )


def facts_row(measured: Mapping[str, Any]) -> Row:
    """Return the row of the alert service's facts (`bench.facts` prints its fields)."""
    return Row(
        f"facts of {measured['campaigns']:,} campaigns, {measured['changed']} changed",
        "-",
        f"p50 {measured['tick_seconds'] * 1e3:.0f} ms, worst {measured['slowest_seconds'] * 1e3:.0f} ms",
        f"the first look {measured['first_seconds']:.0f} s",
    )


def board_rows(measured: Mapping[str, Any]) -> list[Row]:
    """Return one row per board beside the target, and what they were measured on (`bench.boards` prints the fields)."""
    size = f"{measured['campaigns']} campaigns, {measured['days']} days, {measured['customers']:,} customers"
    rows = [
        Row(
            f"board {name}: {len(found['panels'])} panels' queries",
            "tansu",
            f"p50 {found['p50_ms']:.0f} ms, p95 {found['p95_ms']:.0f} ms (target {BOARD_TARGET_MS})",
            f"slowest {found['slowest']}: p95 {found['panels'][found['slowest']]:.0f} ms; "
            f"all at once: p95 {max(found['opened_p95_ms'].values()):.0f} ms",
        )
        for name, found in measured["boards"].items()
    ]
    events = f"{measured['rate']:,.0f} events/s came in"
    filled = f"{measured['rows']:,} rows; hours and days filled in within {measured['rollup_seconds']:.0f} s"
    return [*rows, Row(f"boards' ledger: {size}", "tansu", events, filled)]


def tick_rows(measured: Mapping[str, Any]) -> list[Row]:
    """Return the rows of the alert service's whole tick (`bench.tick` prints its fields)."""
    kinds = {"within": f"{measured['changed']} changed", "minute": "a new minute, so that all grow older"}
    return [
        Row(
            f"whole tick of {measured['campaigns']:,} campaigns, {what}",
            "-",
            f"p50 {measured[f'{kind}_seconds'] * 1e3:.0f} ms, worst {measured[f'{kind}_slowest_seconds'] * 1e3:.0f} ms",
            f"p50 of the look {measured[f'{kind}_look_seconds'] * 1e3:.0f} ms",
        )
        for kind, what in kinds.items()
    ]


def family_rows(mix: str, one: Mapping[str, Any], five: Mapping[str, Any]) -> list[Row]:
    """Return what each metric family costs in a core (`bench.families` prints the fields)."""
    core = WORDS[one["core"]]
    names = {
        "bank.logins.v1": "logins: active users",
        "bank.transactions.v1": "transactions: credit, reversals",
        "bank.touches.v1": "touches: reach, cost, credit",
        "bank.costs.v1": "costs",
        "decode": "of it decoding, every event",
        "block": "facts, cells and credits as a block, every event",
        "all": "all of it, every event",
    }
    rows = [
        Row(f"{core}, mix {mix}: {label}", "-", f"{one[name]:.1f} µs", f"{five[name]:.1f} µs with all five models")
        for name, label in names.items()
    ]
    return [
        *rows,
        Row(
            f"{core}, mix {mix}: memory",
            "-",
            f"{one['bytes_each']:,.0f} bytes a customer",
            f"{five['bytes_each']:,.0f} with all five models",
        ),
    ]


def replay_rows(
    broker: str, live: Throughput, ceiling: Throughput, replayed: Mapping[int, tuple[Throughput, float]]
) -> list[Row]:
    """Return one row per number of processes of a replay, with the most MiB that one of them held, below the ceiling.

    Args:
        broker: what all of them read from.
        live: a worker's whole path.
        ceiling: bare aiokafka getmany.
        replayed: speed and most MiB by the number of processes.
    """
    rows = [Row("bare aiokafka getmany", broker, str(ceiling))]
    alone = min(replayed)
    for processes, (speed, peak_mib) in sorted(replayed.items()):
        beside = [f"{speed.rate / ceiling.rate:.0%} of bare aiokafka getmany"]
        beside += [f"{speed.rate / live.rate:.0%} of the live path", f"at most {peak_mib:,.0f} MiB a process"]
        if processes != alone:
            beside.insert(0, f"{speed.rate / replayed[alone][0].rate:.2f} times {alone} process")
        name = f"a replay in {processes} process{'es' if processes > 1 else ''}"
        rows.append(Row(name, broker, str(speed), ", ".join(beside)))
    return rows
