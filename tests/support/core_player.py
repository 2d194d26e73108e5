"""Plays a log through the state core and the ledger without Kafka: batches and crashes where a test wants them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pipeline.ledger.body import body_of, encode
from pipeline.ledger.ledger import Block, ClickHouseLedger
from pipeline.ledger.loader import Loader
from pipeline.policies import rules_of
from pipeline.state.campaign_registry import CampaignRegistry
from pipeline.transport.dead_letters import DeadLetter
from pipeline.transport.ports import RecordBatch
from pipeline.worker.shard import OwnedShard, shard_number
from schemas import topics
from schemas.decode import decode_campaign, decode_customer
from schemas.judge import RejectedError

if TYPE_CHECKING:
    from random import Random

    from pipeline.ledger.ledger import LedgerPort
    from pipeline.state.policy import Policy
    from tests.oracle.log import Log, Record

VIEWS = (
    "campaign_totals",
    "campaign_variant_totals",
    "campaign_tier_totals",
    "campaign_minutes",
    "campaign_hours",
    "campaign_days",
    "campaign_cohorts",
    "active_users",
    "credits",
    "dead_letters",
)


class CorePlayer:
    """A worker of one test: it can be killed at any point and another one takes over from the ledger."""

    def __init__(self, client: Any, database: str, run: str, policy: Policy, log: Log) -> None:
        self._client = client
        self._database = database
        self._run = run
        self._policy = policy
        self._log = log
        self._lives = 0
        self._blocks = 0
        self.shards: dict[int, OwnedShard] = {}
        self.acquire()

    def open_ledger(self, owner: str) -> LedgerPort:
        """Return the run's ledger as a new owner sees it."""
        return ClickHouseLedger(self._client, self._database, self._run, owner)

    def acquire(self) -> None:
        """Forget everything and load it again, as a worker on another machine would."""
        self._lives += 1
        self.ledger = self.open_ledger(f"owner-{self._lives}")
        self.ledger.begin(self._policy, "test")
        self.campaigns = CampaignRegistry(self._policy)
        self._refused: list[DeadLetter] = []
        self._define_campaigns()
        places = {(topics.LANE_OF_TOPIC[t], p) for t, p in self._log if t in topics.LANE_OF_TOPIC}
        places |= {(topics.CUSTOMER_LANE, p) for t, p in self._log if t == topics.CUSTOMERS}
        # a topic has a partition even if nobody has written to it: someone tells what became of the campaigns' records
        places = places or {(topics.CUSTOMER_LANE, 0)}
        fresh = [
            OwnedShard(lane, partition, self._policy, self.campaigns)
            for lane, partition in sorted(places, key=lambda place: (place[0].name, place[1]))
        ]
        epochs = self.ledger.claim([shard.number for shard in fresh])
        loaded = Loader(self.ledger, self._policy, max((r.window_ms for r in self.campaigns.rules), default=0)).load(
            {shard.number: shard.core for shard in fresh}
        )
        for shard in fresh:
            shard.open_epoch(epochs[shard.number])
            for topic in shard.lane.events:
                stored = loaded.positions.get((shard.number, topic))
                if stored is not None:
                    shard.next_offset[topic] = stored.next_offset
        self.shards = {shard.number: shard for shard in fresh}
        for letter in self._refused:
            fresh[0].refuse(letter)
        self._apply_profiles()

    def _define_campaigns(self) -> None:
        for record in self._of_topic(topics.CAMPAIGNS):
            try:
                campaign = decode_campaign(record.key, record.value)
                self.campaigns.define((record.key or b"").decode(), rules_of(campaign, self._policy))
            except RejectedError as error:
                self._refused.append(_letter(record, error))

    def _apply_profiles(self) -> None:
        for record in self._of_topic(topics.CUSTOMERS):
            shard = self.shards[shard_number(topics.CUSTOMER_LANE, record.partition)]
            try:
                profile = decode_customer(record.key, record.value)
            except RejectedError as error:
                shard.refuse(_letter(record, error))
                continue
            shard.apply_profile((record.key or b"").decode(), profile)

    def _of_topic(self, topic: str) -> list[Record]:
        return [record for place in sorted(self._log) if place[0] == topic for record in self._log[place]]

    def feed(self, records: list[Record], now_ms: int | None = None) -> None:
        """Apply records of one partition in offset order."""
        first = records[0]
        batch = RecordBatch(
            first.topic,
            first.partition,
            [r.offset for r in records],
            [r.key for r in records],
            [r.value for r in records],
            records[-1].offset + 1,
        )
        self.shards[shard_number(topics.LANE_OF_TOPIC[first.topic], first.partition)].apply(batch, now_ms)

    def commit(self) -> None:
        """Write one block."""
        taken = [(shard, out[0]) for shard in self.shards.values() if (out := shard.seal_block()) is not None]
        if not taken:
            return
        self._blocks += 1
        body, rows = body_of([sheet for _, part in taken for sheet in encode(part, self._policy.labels, 0)])
        self.ledger.write(Block(self._blocks, {shard.number: shard.epoch for shard, _ in taken}, body, rows))

    def next_offset(self, topic: str, partition: int) -> int:
        """Return where reading goes on."""
        return self.shards[shard_number(topics.LANE_OF_TOPIC[topic], partition)].next_offset.get(topic, 0)

    def play(self, random: Random, *, crashes: int = 0, most: int = 20, tidy: bool = True) -> None:
        """Feed the whole log: random interleaving of partitions, random batch sizes, random blocks and crashes."""
        places = [place for place in self._log if place[0] in topics.LANE_OF_TOPIC]
        while True:
            open_places = [place for place in places if self.next_offset(*place) < len(self._log[place])]
            if not open_places:
                break
            place = random.choice(open_places)
            start = self.next_offset(*place)
            self.feed(list(self._log[place][start : start + random.randint(1, most)]))
            if random.random() < 0.3:
                self.commit()
            if tidy and random.random() < 0.2:
                for shard in self.shards.values():
                    shard.tidy()
            if crashes and random.random() < 0.15:
                crashes -= 1
                self.acquire()
        self.commit()

    def views(self) -> dict[str, list[dict[str, Any]]]:
        """Return every view's rows of this run."""
        found: dict[str, list[dict[str, Any]]] = {}
        for view in (*VIEWS, "model_credits"):
            answer = self._client.raw_query(
                f"SELECT * FROM {self._database}.{view} WHERE run = '{self._run}' FORMAT JSONEachRow",
                settings={"output_format_json_quote_64bit_integers": 0},
            )
            found[view] = [json.loads(line) for line in answer.splitlines()]
        return found


def _letter(record: Record, error: RejectedError) -> DeadLetter:
    return DeadLetter(
        record.topic, record.partition, record.offset, record.key, record.value, str(error.reason), error.detail
    )
