"""Pathway: relational tables. Duplicates by `earliest`, last touch by `asof_join`, totals by reducers, all revised.

Chosen: the relational form, which its documentation leads to, and not a stateful reducer in Python: the reducer is
about twice as fast and was wrong in measurements before this one, as it credits a transaction with what has come by
then, while a join is revised when a touch comes late. JSON, instants and filters run in its own engine; the only Python
function is the one that turns a customer's days into the ends of active months. It persists its inputs every second.
One process; its engine has threads of its own, and all their processor time is counted.
"""

from __future__ import annotations

import os
import tempfile
from functools import partial
from typing import TYPE_CHECKING, Any

import pathway as pw

from bench.peers.collecting import FLUSH_SECONDS, Collector
from bench.peers.job import DAY_MS, ENGAGED_SECONDS, MONTH_DAYS, WINDOW_MS, ZONE_MS, lane_of
from bench.peers.report import Task

if TYPE_CHECKING:
    from collections.abc import Callable

_COMMIT_MS = int(FLUSH_SECONDS * 1000)
_FIELDS: dict[str, dict[str, Any]] = {
    "logins": {"customer_id": str, "occurred_at": str, "session_seconds": float | None, "automated": bool},
    "transactions": {"customer_id": str, "occurred_at": str, "revenue_minor": int | None},
    "touches": {
        "customer_id": str,
        "occurred_at": str,
        "campaign_id": str,
        "variant": str | None,
        "kind": str,
        "cost_minor": int,
    },
    "costs": {"campaign_id": str, "amount_minor": int},
}
_ABSENT: dict[str, Any] = {
    "session_seconds": None,
    "automated": False,
    "revenue_minor": None,
    "variant": None,
    "cost_minor": 0,
}


class Ending:
    """Tells when every event has been counted and every output has caught up with that moment."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector
        self._counts: dict[str, int] = {}
        self._seen = 0
        self._done_at: int | None = None
        self._ended: dict[str, int] = {}

    def counted(self, lane: str, row: dict[str, int], time: int) -> None:
        """Take note of how many events of a lane were read."""
        self._counts[lane] = row["events"]
        total = sum(self._counts.values())
        if self._done_at is None and self._collector.watch.counted(total - self._seen):
            self._done_at = time
        self._seen = total

    def expects(self, output: str) -> None:
        """Wait for this output too."""
        self._ended[output] = -1

    def time_ended(self, output: str, time: int) -> None:
        """Take note that an output has shown all of an instant; the last one ends the process."""
        self._ended[output] = time
        if self._done_at is not None and min(self._ended.values()) >= self._done_at:
            self._collector.finish()
            os._exit(0)  # what it does to stop is not what is measured
        if output == "spend":
            self._collector.flush()


def build(task: Task) -> None:
    """Declare the tables; `pathway.run` does the rest."""
    collector = Collector(task)
    ending = Ending(collector)
    tables = {lane_of(topic): _read(task, topic) for topic in task.topics}
    for lane, table in tables.items():
        counts = table.reduce(events=pw.reducers.count())
        _watch(counts, f"count {lane}", ending, partial(_counted, ending, lane))
    if task.job == "full":
        _full(tables, collector, ending)
    else:
        spent = _spent(tables["touches"], tables["costs"])
        _watch(spent, "spend", ending, partial(_add_spend, collector))


def _read(task: Task, topic: str) -> Any:
    fields = {"event_id": str} | _FIELDS[lane_of(topic)]
    schema = pw.schema_builder(
        {
            name: pw.column_definition(dtype=kind, default_value=_ABSENT[name])
            if name in _ABSENT
            else pw.column_definition(dtype=kind)
            for name, kind in fields.items()
        }
    )
    settings = {
        "bootstrap.servers": task.bootstrap,
        "group.id": f"bench-{lane_of(topic)}",
        "auto.offset.reset": "earliest",
        "session.timeout.ms": "6000",
    }
    return pw.io.kafka.read(
        settings, topic=topic, schema=schema, format="json", autocommit_duration_ms=_COMMIT_MS, name=lane_of(topic)
    )


def _spent(touches: Any, costs: Any) -> Any:
    spends = touches.select(touches.campaign_id, cost=touches.cost_minor)
    others = costs.select(costs.campaign_id, cost=costs.amount_minor)
    both = pw.Table.concat_reindex(spends, others)
    return both.groupby(both.campaign_id).reduce(both.campaign_id, cost=pw.reducers.sum(both.cost))


def _full(tables: dict[str, Any], collector: Collector, ending: Ending) -> None:
    touches, costs = _timed(_unique(tables["touches"])), _unique(tables["costs"])
    transactions = _timed(_unique(tables["transactions"]))
    creditable = touches.filter((touches.kind != "assign") & (pw.coalesce(touches.variant, "") != "control"))
    outputs = {
        "spend": (_spent(touches, costs), ("", "", "", "", "cost", "")),
        "reach": (_by_campaign(creditable), ("events", "customers", "", "", "", "")),
        "credit": (_by_campaign(_credited(transactions, creditable)), ("", "", "events", "customers", "", "worth")),
    }
    for name, (table, measures) in outputs.items():
        _watch(table, name, ending, partial(_add_measures, collector, measures))
    _watch(_activity(_timed(tables["logins"])), "activity", ending, partial(_add_edge, collector))


def _unique(table: Any) -> Any:
    columns = {name: pw.reducers.earliest(table[name]) for name in table.column_names() if name != "event_id"}
    return table.groupby(table.event_id).reduce(table.event_id, **columns)


def _timed(table: Any) -> Any:
    return table.with_columns(
        at=table.occurred_at.dt.strptime("%Y-%m-%dT%H:%M:%S%.f%z", contains_timezone=True).dt.timestamp(unit="ms")
    ).with_columns(at=pw.cast(int, pw.this.at))


def _credited(transactions: Any, creditable: Any) -> Any:
    joined = transactions.asof_join(
        creditable,
        transactions.at,
        creditable.at,
        transactions.customer_id == creditable.customer_id,
        how=pw.JoinMode.LEFT,
    ).select(
        campaign_id=creditable.campaign_id,
        customer_id=transactions.customer_id,
        worth=pw.coalesce(transactions.revenue_minor, 0),
        age=transactions.at - pw.coalesce(creditable.at, transactions.at - WINDOW_MS - 1),
    )
    return joined.filter(joined.age <= WINDOW_MS).with_columns(campaign_id=pw.unwrap(pw.this.campaign_id))


def _by_campaign(table: Any) -> Any:
    worth = {"worth": pw.reducers.sum(table.worth)} if "worth" in table.column_names() else {}
    pairs = table.groupby(table.campaign_id, table.customer_id).reduce(
        table.campaign_id, events=pw.reducers.count(), **worth
    )
    worth = {name: pw.reducers.sum(pairs[name]) for name in worth}
    return pairs.groupby(pairs.campaign_id).reduce(
        pairs.campaign_id, events=pw.reducers.sum(pairs.events), customers=pw.reducers.count(), **worth
    )


def _activity(logins: Any) -> Any:
    engaged = logins.filter(
        ~logins.automated & (pw.coalesce(logins.session_seconds, float(ENGAGED_SECONDS)) >= ENGAGED_SECONDS)
    )
    dated = engaged.select(engaged.customer_id, day=(engaged.at + ZONE_MS) // DAY_MS)
    days = dated.groupby(dated.customer_id, dated.day).reduce(dated.customer_id, dated.day)
    customers = days.groupby(days.customer_id).reduce(days=pw.reducers.sorted_tuple(days.day))
    ends = customers.select(edge=pw.apply_with_type(month_ends, tuple[int, ...], customers.days)).flatten(pw.this.edge)
    return ends.groupby(ends.edge).reduce(ends.edge, customers=pw.reducers.count())


def month_ends(days: tuple[int, ...]) -> tuple[int, ...]:
    """Return the days on which a customer begins to count as active, and minus those on which it ceases to."""
    ends: list[int] = []
    for day in days:
        if ends and day <= -ends[-1]:
            ends[-1] = -(day + MONTH_DAYS)
        else:
            ends += [day, -(day + MONTH_DAYS)]
    return tuple(ends)


def _watch(table: Any, name: str, ending: Ending, change: Callable[[dict[str, Any], int, int], None]) -> None:
    ending.expects(name)

    def on_change(key: Any, row: dict[str, Any], time: int, is_addition: bool) -> None:  # noqa: ARG001, FBT001 - its
        change(row, time, 1 if is_addition else -1)

    pw.io.subscribe(table, on_change=on_change, on_time_end=partial(ending.time_ended, name))


def _counted(ending: Ending, lane: str, row: dict[str, Any], time: int, sign: int) -> None:
    if sign > 0:
        ending.counted(lane, row, time)


def _add_spend(collector: Collector, row: dict[str, Any], _: int, sign: int) -> None:
    name = row["campaign_id"]
    collector.sums[name] = collector.sums.get(name, 0) + sign * row["cost"]


def _add_measures(collector: Collector, measures: tuple[str, ...], row: dict[str, Any], _: int, sign: int) -> None:
    a, b, c, d, e, f = (sign * row[name] if name else 0 for name in measures)
    collector.add((row["campaign_id"], (a, b, c, d, e, f)))


def _add_edge(collector: Collector, row: dict[str, Any], _: int, sign: int) -> None:
    edge = row["edge"]
    collector.add_edge(abs(edge), sign * row["customers"] * (1 if edge > 0 else -1))


def run(task: Task) -> None:
    """Run the tables in this process."""
    build(task)
    options: dict[str, Any] = {}
    if task.job == "full":
        backend = pw.persistence.Backend.filesystem(tempfile.mkdtemp())
        options["persistence_config"] = pw.persistence.Config(backend, snapshot_interval_ms=_COMMIT_MS)
    pw.run(monitoring_level=pw.MonitoringLevel.NONE, **options)


if __name__ == "__main__":
    run(Task.from_arguments())
