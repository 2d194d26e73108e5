"""Loading shards from the ledger: what a new owner needs to go on exactly where the former one stopped."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, Protocol

from pipeline.ledger.ledger import LedgerUnavailableError
from pipeline.state.rows import ErasedCounts, ErasureRow, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipeline.ledger.ledger import LedgerPort
    from pipeline.state.policy import Policy
    from pipeline.state.port import BulkRestorer, CostRestorer, CustomerRestorer, RowRestorer, ShardCore


_RARE: Final = frozenset({"load_reversals", "load_erasures"})  # given singly, whatever the core
_PARTS_AHEAD: Final = 32  # of 1 MB
_EARLIEST: Final = -(1 << 62)


class FetchRows(Protocol):
    """Fetches a query's rows for the shards being loaded."""

    def __call__(self, name: str) -> list[list[Any]]:
        """Return the rows of sql/queries/NAME.sql."""


@dataclass(slots=True)
class StoredPosition:
    """A topic's position within a shard, as the last block left it."""

    next_offset: int
    topic_id: str


@dataclass(slots=True)
class Loaded:
    """Stored positions by (shard, topic)."""

    positions: dict[tuple[int, str], StoredPosition] = field(default_factory=dict)


class Loader:
    """Reads the state of claimed shards; everything read belongs to the block their positions come from."""

    def __init__(self, ledger: LedgerPort, policy: Policy, widest_window_ms: int) -> None:
        self._ledger = ledger
        self._policy = policy
        self._window_ms = max(widest_window_ms, policy.window_ms)

    def load(self, cores: Mapping[int, ShardCore]) -> Loaded:
        """Fill the empty cores, by shard, and return their positions."""
        loaded = Loaded()
        for shard, topic, next_offset, watermark, accepted, duplicates, refused, topic_id in self._ledger.fetch(
            "load_positions", shards=list(cores)
        ):
            loaded.positions[shard, topic] = StoredPosition(next_offset, topic_id)
            intake = cores[shard].intakes.get(topic)
            if intake is not None:
                intake.restore(watermark, accepted, duplicates, refused)
        restorers = {number: core.restorer() for number, core in cores.items()}
        costs = {number: each for number, each in restorers.items() if each.lane == "campaign"}
        customers = {number: each for number, each in restorers.items() if each.lane == "customer"}
        if costs:
            self._load_costs(costs)
        if customers:
            self._load_customers(customers)
        return loaded

    def _load_costs(self, restorers: Mapping[int, CostRestorer]) -> None:
        floors = [restorer.ids_since for restorer in restorers.values()]
        for shard, event_id, at in self._ledger.fetch("load_ids", kind="cost", shards=list(restorers), floors=floors):
            restorers[shard].event_id(event_id, at)

    def _load_customers(self, restorers: Mapping[int, RowRestorer | BulkRestorer]) -> None:
        asked = self._asked(restorers)

        def rows(name: str) -> list[list[Any]]:
            return self._ledger.fetch(name, **asked[name])

        in_bulk = {number: each for number, each in restorers.items() if each.form == "bulk"}
        singly = {number: each for number, each in restorers.items() if each.form == "rows"}
        if in_bulk:
            self._load_in_bulk(in_bulk, asked)
        if singly:
            self._load_people(rows, singly)
            self._load_touches(rows, singly)
            self._load_transactions(rows, singly)
        for shard, customer, *reversal in rows("load_reversals"):
            restorers[shard].reversal(bytes.fromhex(customer), *reversal)
        for shard, customer, _, stage, counts, requests, version in rows("load_erasures"):
            row = ErasureRow(bytes.fromhex(customer), Stage(stage), ErasedCounts(*counts), tuple(requests.split(",")))
            restorers[shard].erasure(row, version)
        for restorer in restorers.values():
            restorer.finish()

    def _asked(self, restorers: Mapping[int, CustomerRestorer]) -> dict[str, dict[str, Any]]:
        """Return what the queries of the customer lane are asked, by name in the order of loading in bulk."""
        shards = {"shards": list(restorers)}
        floors = [restorer.floor for restorer in restorers.values()]
        days = _since(shards, [restorer.logins_since for restorer in restorers.values()])
        live = _since(shards, [floor - self._policy.reversal_ms for floor in floors])
        labels = {"labels": list(self._policy.labels)}
        return {
            "load_profiles": shards,
            "load_logins": days,
            "load_engaged_before_horizon": days,
            "load_past_reach": _since(shards, floors),
            "load_ids": _since(shards, [restorer.ids_since for restorer in restorers.values()]) | {"kind": "touch"},
            "load_touches": _since(shards, [floor - self._window_ms for floor in floors]),
            "load_past_conversions": live | labels,
            "load_transactions": live,
            "load_credits": live | labels,
            "load_reversals": live,
            "load_erasures": shards,
        }

    def _load_in_bulk(self, restorers: Mapping[int, BulkRestorer], asked: Mapping[str, dict[str, Any]]) -> None:
        loading = next(iter(restorers.values())).together_with(restorers)
        parts = (
            (name, part)
            for name, parameters in asked.items()
            if name not in _RARE
            for part in self._ledger.stream(name, **parameters)
        )
        for name, answer in groupby(_read_ahead(parts), itemgetter(0)):
            try:
                loading.take(name, (part for _, part in answer))
            except ValueError as error:  # ClickHouse has given the answer up
                raise LedgerUnavailableError(str(error)) from error
        loading.finish()

    @staticmethod
    def _load_people(rows: FetchRows, restorers: Mapping[int, RowRestorer]) -> None:
        for shard, customer, tier in rows("load_profiles"):
            restorers[shard].profile(bytes.fromhex(customer), tier)
        for shard, customer, day, engaged in rows("load_logins"):
            restorers[shard].login(bytes.fromhex(customer), day, engaged=bool(engaged))
        for shard, customer in rows("load_engaged_before_horizon"):
            restorers[shard].engaged_before_horizon(bytes.fromhex(customer))
        for shard, customer, campaign_id, variant in rows("load_past_reach"):
            restorers[shard].past_reach(bytes.fromhex(customer), campaign_id, variant)

    @staticmethod
    def _load_touches(rows: FetchRows, restorers: Mapping[int, RowRestorer]) -> None:
        for shard, event_id, at in rows("load_ids"):
            restorers[shard].event_id(event_id, at)
        for shard, customer, *touch in rows("load_touches"):
            restorers[shard].touch(bytes.fromhex(customer), *touch)

    def _load_transactions(self, rows: FetchRows, restorers: Mapping[int, RowRestorer]) -> None:
        models = {label: number for number, label in enumerate(self._policy.labels)}
        for shard, transaction, paid_at, model, campaign_id, variant, at, touch, *shares in rows("load_credits"):
            restorers[shard].credit(
                (transaction, paid_at),
                models[model],
                (campaign_id, variant, at, touch),
                (shares[0], shares[1], shares[2]),
                counts=bool(shares[3]),
            )
        for shard, customer, campaign_id, variant, model in rows("load_past_conversions"):
            restorers[shard].past_conversion(bytes.fromhex(customer), campaign_id, variant, models[model])
        for shard, customer, *transaction in rows("load_transactions"):
            restorers[shard].transaction(bytes.fromhex(customer), *transaction)


def _read_ahead(parts: Iterator[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    """Let ClickHouse work on while a part is being loaded; few parts are in memory, however long the answers are."""
    with ThreadPoolExecutor(1) as reader:
        asked = deque(reader.submit(next, parts, None) for _ in range(_PARTS_AHEAD))
        while (part := asked.popleft().result()) is not None:
            asked.append(reader.submit(next, parts, None))
            yield part


def _since(shards: dict[str, list[int]], bounds: list[int]) -> dict[str, Any]:
    """Return what a query with one bound of `at` per shard is asked."""
    return {**shards, "floors": [max(bound, _EARLIEST) for bound in bounds]}
