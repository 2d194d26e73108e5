"""Loading shards from the ledger: what a new owner needs to go on exactly where the former one stopped."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from pipeline.state.calendar import DAY_MS
from pipeline.state.rows import ErasedCounts, ErasureRow, Stage
from schemas.topics import COSTS, LOGINS, TOUCHES, TRANSACTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.ledger.ledger import LedgerPort
    from pipeline.state.costs import CostShard
    from pipeline.state.customers import CustomerShard
    from pipeline.state.intake import Intake
    from pipeline.state.policy import Policy
    from pipeline.state.restore import Restorer


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

    def load(self, customers: Mapping[int, CustomerShard], costs: Mapping[int, CostShard]) -> Loaded:
        """Fill the empty shards and return their positions."""
        loaded = Loaded()
        shards = [*customers, *costs]
        for shard, topic, next_offset, watermark, accepted, duplicates, refused, topic_id in self._ledger.fetch(
            "load_positions", shards=shards
        ):
            loaded.positions[shard, topic] = StoredPosition(next_offset, topic_id)
            intake = self._intake(topic, customers.get(shard), costs.get(shard))
            if intake is not None:
                intake.watermark, intake.accepted = watermark, accepted
                intake.duplicates, intake.refused = duplicates, refused
        if costs:
            self._load_costs(costs)
        if customers:
            self._load_customers(customers)
        return loaded

    @staticmethod
    def _intake(topic: str, customers: CustomerShard | None, costs: CostShard | None) -> Intake | None:
        if customers is not None:
            intakes = {LOGINS: customers.logins, TRANSACTIONS: customers.transactions, TOUCHES: customers.touches}
            return intakes.get(topic)
        return costs.costs if costs is not None and topic == COSTS else None

    def _load_costs(self, costs: Mapping[int, CostShard]) -> None:
        floors = [shard.costs.floor for shard in costs.values()]
        for shard, event_id, at in self._ledger.fetch("load_ids", kind="cost", shards=list(costs), floors=floors):
            costs[shard].load_ids([(event_id, at)])

    def _load_customers(self, customers: Mapping[int, CustomerShard]) -> None:
        restorers = {number: shard.restorer() for number, shard in customers.items()}
        policy = self._policy
        floors = [min(shard.touches.floor, shard.transactions.floor) for shard in customers.values()]
        live = [floor - policy.reversal_ms for floor in floors]
        days = [shard.logins.watermark // DAY_MS - shard.activity_memory_days for shard in customers.values()]

        def rows(name: str, since: list[int] | None = None, **parameters: Any) -> list[list[Any]]:
            bounds = {} if since is None else {"floors": [max(bound, -(1 << 62)) for bound in since]}
            return self._ledger.fetch(name, shards=list(customers), **bounds, **parameters)

        self._load_people(rows, restorers, days)
        self._load_touches(rows, restorers, floors, [shard.touches.floor for shard in customers.values()])
        self._load_transactions(rows, restorers, live)
        for shard, customer, _, stage, counts, requests, version in rows("load_erasures"):
            row = ErasureRow(bytes.fromhex(customer), Stage(stage), ErasedCounts(*counts), tuple(requests.split(",")))
            restorers[shard].erasure(row, version)
        for restorer in restorers.values():
            restorer.finish()

    @staticmethod
    def _load_people(rows: FetchRows, restorers: Mapping[int, Restorer], days: list[int]) -> None:
        for shard, customer, tier in rows("load_profiles"):
            restorers[shard].profile(bytes.fromhex(customer), tier)
        for shard, customer, day, engaged in rows("load_logins", days):
            restorers[shard].login(bytes.fromhex(customer), day, engaged=bool(engaged))
        for shard, customer in rows("load_engaged_before_horizon", days):
            restorers[shard].engaged_before_horizon(bytes.fromhex(customer))
        for shard, customer, campaign_id, variant, at, tier in rows("load_reach"):
            restorers[shard].reach(bytes.fromhex(customer), campaign_id, variant, at, tier)

    def _load_touches(
        self, rows: FetchRows, restorers: Mapping[int, Restorer], floors: list[int], id_floors: list[int]
    ) -> None:
        for shard, event_id, at in rows("load_ids", id_floors, kind="touch"):
            restorers[shard].touch_id(event_id, at)
        needed = [floor - self._window_ms for floor in floors]
        for shard, customer, campaign_id, variant, at, event_id in rows("load_touches", needed):
            restorers[shard].touch(bytes.fromhex(customer), campaign_id, variant, at, event_id)

    def _load_transactions(self, rows: FetchRows, restorers: Mapping[int, Restorer], live: list[int]) -> None:
        models = {label: number for number, label in enumerate(self._policy.labels)}
        for shard, transaction, model, campaign_id, variant, at, touch, *shares in rows("load_credits", live):
            restorers[shard].credit(
                transaction, models[model], (campaign_id, variant, at, touch), (shares[0], shares[1], shares[2])
            )
        for shard, customer, campaign_id, variant, model in rows("load_past_conversions", live):
            restorers[shard].past_conversion(bytes.fromhex(customer), campaign_id, variant, models[model])
        for shard, customer, *transaction in rows("load_transactions", live):
            restorers[shard].transaction(bytes.fromhex(customer), *transaction)
        for shard, customer, *reversal in rows("load_reversals", live):
            restorers[shard].reversal(bytes.fromhex(customer), *reversal)
