"""A worker without its processes: the real processor, committer and tables over fakes of Kafka and the ledger."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pipeline.settings import WorkerSettings
from pipeline.state.campaign_registry import CampaignRegistry
from pipeline.state.policy import Policy
from pipeline.transport.ports import TP
from pipeline.worker.committer import Committer
from pipeline.worker.dimensions import DimensionTables
from pipeline.worker.halts import TopicHalts
from pipeline.worker.orphans import OrphanRecall
from pipeline.worker.partition_counts import PartitionCounts
from pipeline.worker.positions import StartingPoints
from pipeline.worker.processor import ShardProcessor
from pipeline.worker.telemetry import Telemetry
from schemas import topics
from tests.oracle.building import Ledger
from tests.support.fakes import FakeLedger, LedgerStore
from tests.support.fakes_transport import FakeDimensions
from tests.support.fakes_views import views_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.fakes_transport import FakeKafka, KeyValue

RUN = "live"
POLICY = Policy(future_ms=None, pseudonym_key=b"key", margins_bps={"deposit": 10_000})
CUSTOMER_TOPICS = frozenset(TP(topic, 0) for topic in topics.CUSTOMER_LANE.events)
EVERYTHING = CUSTOMER_TOPICS | {TP(topics.COSTS, 0)}


class Worker:
    """One worker of a test; two over the same store and Kafka are rivals."""

    def __init__(
        self,
        kafka: FakeKafka,
        store: LedgerStore,
        owner: str = "one",
        *,
        settings: WorkerSettings | None = None,
        policy: Policy = POLICY,
    ) -> None:
        self.kafka = kafka
        self.ledger = FakeLedger(store, RUN, owner)
        self.ledger.begin(policy, "test")
        self.telemetry = Telemetry()
        self.campaigns = CampaignRegistry(policy)
        self.source = FakeDimensions(kafka)
        self.partition_counts = PartitionCounts(self.ledger, kafka)
        self.dimensions = DimensionTables(
            self.source, self.ledger, self.campaigns, self.telemetry, self.partition_counts
        )
        self.committer = Committer(
            ledger=self.ledger,
            dead_letters=kafka,
            recall=OrphanRecall(kafka),
            dimensions=self.dimensions,
            labels=policy.labels,
            telemetry=self.telemetry,
            now_ms=lambda: 0,
        )
        settings = settings or WorkerSettings()
        self.halts = TopicHalts(self.ledger, settings, self.partition_counts)
        self.processor = ShardProcessor(
            policy=policy,
            settings=settings,
            idle_seconds=60,
            campaigns=self.campaigns,
            ledger=self.ledger,
            committer=self.committer,
            dimensions=self.dimensions,
            source=self.source,
            starting_points=StartingPoints(kafka, self.ledger, self.telemetry),
            halts=self.halts,
            telemetry=self.telemetry,
            now_ms=lambda: 0,
        )
        self.positions: dict[TP, int] = {}

    async def take(self, partitions: frozenset[TP] = EVERYTHING) -> Mapping[TP, int | None]:
        """Have partitions assigned; reading goes on where the processor says."""
        answer = await self.processor.assigned(partitions)
        self.positions |= {tp: position or 0 for tp, position in answer.items()}
        return answer

    async def read(self, *topics_to_read: str, most: int = 10_000) -> None:
        """Process what is new on topics, all that are held when none is named."""
        for tp in sorted(self.positions):
            while (not topics_to_read or tp.topic in topics_to_read) and self.positions[tp] < self.kafka.log(*tp).end:
                batch = self.kafka.batch(tp.topic, self.positions[tp], partition=tp.partition, most=most)
                await self.processor.process(batch)
                self.positions[tp] = batch.next_offset

    async def commit(self) -> int:
        return await self.committer.commit(list(self.processor.shards))

    def views(self) -> dict[str, list[dict[str, Any]]]:
        return views_of(self.ledger.tables)

    def metric(self, name: str, **labels: str) -> float:
        return self.telemetry.registry.get_sample_value(name, labels) or 0.0

    @property
    def is_any_broken(self) -> bool:
        return any(shard.is_broken for shard in self.processor.shards)


def written(*calls: tuple[str, tuple[Any, ...], dict[str, Any]]) -> dict[str, list[KeyValue]]:
    """Return records by topic, written by methods of `tests.oracle.building.Ledger`."""
    ledger = Ledger()
    for method, arguments, fields in calls:
        getattr(ledger, method)(*arguments, **fields)
    found: dict[str, list[KeyValue]] = {}
    for record in ledger.records:
        found.setdefault(record.topic, []).append((record.key, record.value))
    return found


def touch(event_id: str, at: str, **fields: Any) -> KeyValue:
    return written(("touch", (event_id, at), fields))[topics.TOUCHES][0]


def pay(event_id: str, at: str, amount: int = 100, **fields: Any) -> KeyValue:
    return written(("pay", (event_id, at, amount), fields))[topics.TRANSACTIONS][0]


def login(at: str, **fields: Any) -> KeyValue:
    return written(("login", (at,), fields))[topics.LOGINS][0]


def cost(event_id: str, at: str, amount: int, **fields: Any) -> KeyValue:
    return written(("cost", (event_id, at, amount), fields))[topics.COSTS][0]


def profile(customer_id: str, tier: str | None) -> KeyValue:
    return written(("customer", (customer_id, tier), {}))[topics.CUSTOMERS][0]


def campaign(campaign_id: str = "spring", **fields: Any) -> KeyValue:
    return written(("campaign", (campaign_id,), fields))[topics.CAMPAIGNS][0]


def bad(key: str = "ann") -> KeyValue:
    return key.encode(), json.dumps({"customer_id": key}).encode()


def some_events(kafka: FakeKafka) -> None:
    """Write a touch, a transaction that it is credited with, a login and a cost."""
    kafka.send(topics.TOUCHES, touch("t", "2026-03-01 09:00"))
    kafka.send(topics.TRANSACTIONS, pay("x", "2026-03-01 10:00"))
    kafka.send(topics.LOGINS, login("2026-03-01 08:00"))
    kafka.send(topics.COSTS, cost("k", "2026-03-01 07:00", 50))
