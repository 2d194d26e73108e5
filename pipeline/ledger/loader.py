"""Loading shards from the ledger: what a new owner needs to go on exactly where the former one stopped."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from pipeline.state.rows import ErasedCounts, ErasureRow, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.ledger.ledger import LedgerPort
    from pipeline.state.policy import Policy
    from pipeline.state.port import CostRestorer, CustomerRestorer, ShardCore


class FetchRows(Protocol):
    """Fetches a query's rows for the shards being loaded, with one lower bound of `at` per shard."""

    def __call__(self, name: str, since: list[int] | None = None, **parameters: Any) -> list[list[Any]]:
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

    def _load_customers(self, restorers: Mapping[int, CustomerRestorer]) -> None:
        floors = [restorer.floor for restorer in restorers.values()]
        live = [floor - self._policy.reversal_ms for floor in floors]

        def rows(name: str, since: list[int] | None = None, **parameters: Any) -> list[list[Any]]:
            bounds = {} if since is None else {"floors": [max(bound, -(1 << 62)) for bound in since]}
            return self._ledger.fetch(name, shards=list(restorers), **bounds, **parameters)

        self._load_people(rows, restorers, [restorer.logins_since for restorer in restorers.values()])
        self._load_touches(rows, restorers, floors, [restorer.ids_since for restorer in restorers.values()])
        self._load_transactions(rows, restorers, live)
        for shard, customer, _, stage, counts, requests, version in rows("load_erasures"):
            row = ErasureRow(bytes.fromhex(customer), Stage(stage), ErasedCounts(*counts), tuple(requests.split(",")))
            restorers[shard].erasure(row, version)
        for restorer in restorers.values():
            restorer.finish()

    @staticmethod
    def _load_people(rows: FetchRows, restorers: Mapping[int, CustomerRestorer], days: list[int]) -> None:
        for shard, customer, tier in rows("load_profiles"):
            restorers[shard].profile(bytes.fromhex(customer), tier)
        for shard, customer, day, engaged in rows("load_logins", days):
            restorers[shard].login(bytes.fromhex(customer), day, engaged=bool(engaged))
        for shard, customer in rows("load_engaged_before_horizon", days):
            restorers[shard].engaged_before_horizon(bytes.fromhex(customer))
        for shard, customer, campaign_id, variant, at, tier in rows("load_reach"):
            restorers[shard].reach(bytes.fromhex(customer), campaign_id, variant, at, tier)

    def _load_touches(
        self, rows: FetchRows, restorers: Mapping[int, CustomerRestorer], floors: list[int], id_floors: list[int]
    ) -> None:
        for shard, event_id, at in rows("load_ids", id_floors, kind="touch"):
            restorers[shard].event_id(event_id, at)
        needed = [floor - self._window_ms for floor in floors]
        for shard, customer, campaign_id, variant, at, event_id in rows("load_touches", needed):
            restorers[shard].touch(bytes.fromhex(customer), campaign_id, variant, at, event_id)

    def _load_transactions(self, rows: FetchRows, restorers: Mapping[int, CustomerRestorer], live: list[int]) -> None:
        models = {label: number for number, label in enumerate(self._policy.labels)}
        for shard, transaction, paid_at, model, campaign_id, variant, at, touch, *shares in rows("load_credits", live):
            restorers[shard].credit(
                (transaction, paid_at),
                models[model],
                (campaign_id, variant, at, touch),
                (shares[0], shares[1], shares[2]),
                counts=bool(shares[3]),
            )
        for shard, customer, campaign_id, variant, model in rows("load_past_conversions", live):
            restorers[shard].past_conversion(bytes.fromhex(customer), campaign_id, variant, models[model])
        for shard, customer, *transaction in rows("load_transactions", live):
            restorers[shard].transaction(bytes.fromhex(customer), *transaction)
        for shard, customer, *reversal in rows("load_reversals", live):
            restorers[shard].reversal(bytes.fromhex(customer), *reversal)
