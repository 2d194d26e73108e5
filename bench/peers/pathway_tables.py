"""Pathway: relational tables. Duplicates by `earliest`, last touch by `asof_join`, totals by reducers, all revised.

Chosen: the relational form, which its documentation leads to, and not a stateful reducer in Python: the reducer is
about twice as fast and was wrong in measurements before this one, as it credits a transaction with what has come by
then, while a join is revised when a touch comes late. JSON, instants and filters run in its own engine; the only Python
function is the one that turns a customer's days into the ends of active months. It persists its inputs every second.
One process; its engine has threads of its own, and all their processor time is counted, from its start on, as it shows
nothing before the first results: its events a second are a lower bound, the more so the fewer events there are.
"""

from __future__ import annotations

import os
import tempfile
import uuid
from typing import Any, Final

import pathway as pw

from bench.peers.collecting import FLUSH_SECONDS, Collector
from bench.peers.job import DAY_MS, ENGAGED_SECONDS, MONTH_DAYS, WINDOW_MS, ZONE_MS, lane_of
from bench.peers.report import Task

_COMMIT_MS = int(FLUSH_SECONDS * 1000)
_COLUMNS: Final = ("a", "b", "c", "d", "e", "f")
"""The measures of a fact, in the order of `bench.peers.job.Measures`."""
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


class Reading:
    """Takes the changes of the one table that all outputs are united in, and ends the process with the last event.

    Pathway tells of an instant's end only where something changed in it, and tells each subscriber for itself. One
    subscriber for all outputs knows, when the instant ends in which the last event was counted, that no result of an
    event before it is missing.
    """

    def __init__(self, collector: Collector) -> None:
        self._collector = collector
        self._counted = 0
        self._seen = 0

    def on_change(self, key: Any, row: dict[str, Any], time: int, is_addition: bool) -> None:  # noqa: ARG002, FBT001 - Pathway names and passes them so
        """Add a row that came, or take off one that ceased to hold."""
        sign = 1 if is_addition else -1
        output, name = row["output"], row["name"]
        if output == "read":
            self._counted += sign * row["a"]
        elif output == "trivial":
            self._collector.sums[name] = self._collector.sums.get(name, 0) + sign * row["e"]
        elif output == "activity":
            day = int(name)
            self._collector.add_edge(abs(day), sign * row["a"] * (1 if day > 0 else -1))
        else:
            a, b, c, d, e, f = (sign * row[column] for column in _COLUMNS)
            self._collector.add((name, (a, b, c, d, e, f)))

    def on_time_end(self, time: int) -> None:  # noqa: ARG002 - Pathway names it
        """Take note that all changes of an instant are there."""
        fresh, self._seen = self._counted - self._seen, self._counted
        if self._collector.saw(fresh):
            os._exit(0)  # what it does to stop is not what is measured


def build(task: Task) -> None:
    """Declare the tables; `pathway.run` does the rest."""
    collector = Collector(task)
    collector.watch.start()
    reading = Reading(collector)
    tables = {lane_of(topic): _read(task, topic) for topic in task.topics}
    outputs = [_output("read", table.reduce(events=pw.reducers.count()), a="events") for table in tables.values()]
    if task.job == "full":
        outputs += _full(tables)
    else:
        outputs.append(_output("trivial", _spent(tables["touches"], tables["costs"]), "campaign_id", e="cost"))
    pw.io.subscribe(pw.Table.concat_reindex(*outputs), on_change=reading.on_change, on_time_end=reading.on_time_end)


def _output(output: str, table: Any, name: str = "", **columns: str) -> Any:
    """Give a table the columns that all outputs share."""
    numbers = {column: table[columns[column]] if column in columns else 0 for column in _COLUMNS}
    return table.select(output=output, name=pw.cast(str, table[name]) if name else "", **numbers)


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
        "group.id": f"bench-{uuid.uuid4().hex[:8]}",
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


def _full(tables: dict[str, Any]) -> list[Any]:
    touches, costs = _timed(_unique(tables["touches"])), _unique(tables["costs"])
    transactions = _timed(_unique(tables["transactions"]))
    creditable = touches.filter((touches.kind != "assign") & (pw.coalesce(touches.variant, "") != "control"))
    credited = _by_campaign(_credited(transactions, creditable))
    return [
        _output("spend", _spent(touches, costs), "campaign_id", e="cost"),
        _output("reach", _by_campaign(creditable), "campaign_id", a="events", b="customers"),
        _output("credit", credited, "campaign_id", c="events", d="customers", f="worth"),
        _output("activity", _activity(_timed(tables["logins"])), "edge", a="customers"),
    ]


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
