"""Plays a log with erasures and new profiles in between, and says what is left of it then."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from pipeline.ledger.body import body_of, encode
from pipeline.ledger.ledger import Block
from pipeline.state.rows import Stage
from pipeline.worker.erasure import Eraser
from pipeline.worker.profiles import ProfileUpdate
from pipeline.worker.shard import shard_number
from schemas import topics
from schemas.decode import decode_customer
from schemas.judge import RejectedError
from tests.oracle.evaluate import evaluate, evaluate_judged
from tests.oracle.murmur2 import partition_of
from tests.support.core_player import CorePlayer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

    from pipeline.worker.shard import OwnedShard
    from schemas import Customer
    from tests.oracle.config import OracleConfig
    from tests.oracle.evaluate import Views
    from tests.oracle.log import Log, Record

Place = tuple[str, int, int]
_GHOST = "somebody else"


class ErasingPlayer(CorePlayer):
    """A worker that reads the customers topic from its position, as the real one, and carries erasures through."""

    def __init__(self, client: Any, run: str, policy: Any, log: Log, partitions: int = 3) -> None:
        self._partitions = partitions
        self._updates: dict[int, list[ProfileUpdate]] = {}
        for place, records in log.items():
            if place[0] == topics.CUSTOMERS:
                self._updates[place[1]] = [update for record in records if (update := _update(record)) is not None]
        super().__init__(client, "roi", run, policy, log)

    def shard_of(self, customer_id: str) -> OwnedShard:
        partition = partition_of(customer_id.encode(), self._partitions)
        return self.shards[shard_number(topics.CUSTOMER_LANE, partition)]

    def _apply_profiles(self) -> None:
        for shard, topic, next_offset, *_ in self.ledger.fetch("load_positions", shards=list(self.shards)):
            if topic == topics.CUSTOMERS:
                self.shards[shard].next_offset[topic] = next_offset
        for partition in range(self._partitions):
            number = shard_number(topics.CUSTOMER_LANE, partition)
            if number in self.shards:
                self._read_customers(self.shards[number])

    def _read_customers(self, shard: OwnedShard) -> None:
        updates = self._updates.setdefault(shard.partition, [])
        for update in updates:
            if update.offset >= max(shard.next_offset.get(topics.CUSTOMERS, 0), shard.profiles.read_to):
                shard.accept_profile(update)
        shard.move_profiles(max([update.offset for update in updates], default=-1) + 1)

    def send(self, customer_id: str, profile: Customer | None, erase_request: str | None = None) -> None:
        """Put a record on the customers topic; the shard's owner reads it at once."""
        shard = self.shard_of(customer_id)
        updates = self._updates.setdefault(shard.partition, [])
        offset = max([update.offset for update in updates], default=-1) + 1
        updates.append(ProfileUpdate(offset, customer_id, profile, erase_request))
        self._read_customers(shard)

    def commit(self) -> None:
        taken = [(shard, out[0]) for shard in self.shards.values() if (out := shard.seal_block()) is not None]
        if taken:
            self._blocks += 1
            body, rows = body_of([sheet for _, part in taken for sheet in encode(part, self._policy.labels, 0)])
            self.ledger.write(Block(self._blocks, {shard.number: shard.epoch for shard, _ in taken}, body, rows))
            for shard, part in taken:
                shard.made_durable(part)

    def advance(self) -> bool:
        """Take every erasure one stage further; False if there was nothing to do."""

        async def every_shard() -> bool:
            eraser = Eraser(self.ledger, asyncio.Lock, self._policy.labels)
            return any([await eraser.advance(shard) for shard in self.shards.values()])

        return asyncio.run(every_shard())

    def finish(self) -> None:
        """Carry every erasure through."""
        self.commit()
        while self.advance():
            self.commit()

    def feed_some(self, random: Random, share: float = 1.0, crashes: float = 0.0) -> None:
        """Feed a share of each partition's log, with blocks, erasure stages and crashes in between."""
        ends = {
            place: int(len(records) * share) for place, records in self._log.items() if place[0] in topics.LANE_OF_TOPIC
        }
        while places := [place for place, end in ends.items() if self.next_offset(*place) < end]:
            topic, partition = random.choice(places)
            shard = self.shards[shard_number(topics.LANE_OF_TOPIC[topic], partition)]
            if not shard.profiles.unblocked.is_set():
                self.finish()
            start = self.next_offset(topic, partition)
            end = min(ends[topic, partition], start + random.randint(1, 9))
            self.feed(list(self._log[topic, partition][start:end]))
            if random.random() < 0.3:
                self.commit()
            if random.random() < 0.2:
                self.advance()
            if random.random() < 0.2:
                for owned in self.shards.values():
                    owned.tidy()
            if random.random() < crashes:
                self.acquire()

    def offsets(self, customer_id: str) -> dict[str, int]:
        """Return how far the customer's topics have been read."""
        return dict(self.shard_of(customer_id).next_offset)

    def stage(self, customer_id: str) -> Stage | None:
        """Return the durable stage of an erasure."""
        rows = self._client.query(
            "SELECT measures[1] FROM roi.ledger FINAL "
            "WHERE run = {run:String} AND kind = 'erased' AND id = {id:String}",
            parameters={"run": self._run, "id": self._policy.pseudonym(customer_id).hex()},
        ).result_rows
        return Stage(rows[0][0]) if rows else None

    def kinds_about(self, customer_id: str) -> set[str]:
        """Return the kinds of rows, old versions too, in which a customer's hash stands."""
        name = self._policy.pseudonym(customer_id).hex()
        rows = self._client.query(
            "SELECT DISTINCT toString(kind) FROM roi.ledger "
            "WHERE run = {run:String} AND toString(tuple(*)) LIKE {like:String}",
            parameters={"run": self._run, "like": f"%{name}%"},
        ).result_rows
        return {kind for (kind,) in rows}

    def stray_adjustments(self) -> int:
        """Return how many adjustments belong to no transaction."""
        return int(
            self._client.command(
                "SELECT count() FROM roi.ledger WHERE run = {run:String} AND kind = 'adjustment' AND id NOT IN "
                "(SELECT id FROM roi.ledger WHERE run = {run:String} AND kind = 'transaction')",
                parameters={"run": self._run},
            )
        )


def _update(record: Record) -> ProfileUpdate | None:
    try:
        profile = decode_customer(record.key, record.value)
    except RejectedError:
        return None
    return ProfileUpdate(record.offset, (record.key or b"").decode(), profile)


def without(log: Log, config: OracleConfig, customer_id: str, before: Mapping[str, int] | None = None) -> Views:
    """Return the oracle's views of a log in which a customer's events count for nothing.

    They still move watermarks, as in the log they do. ``before`` holds offsets by topic from which on they count.
    """
    ghosted = {place: [_ghosted(record, customer_id, before) for record in records] for place, records in log.items()}
    views = evaluate(ghosted, config)
    judged = views.judged
    judged.logins = [event for event in judged.logins if event.customer_id != _GHOST]
    judged.touches = [event for event in judged.touches if event.customer_id != _GHOST]
    judged.transactions = [event for event in judged.transactions if event.customer_id != _GHOST]
    return evaluate_judged(judged, config)


def _ghosted(record: Record, customer_id: str, before: Mapping[str, int] | None) -> Record:
    if record.key != customer_id.encode() or record.topic in topics.DIMENSION_TOPICS:
        return record
    if before is not None and record.offset >= before.get(record.topic, 0):
        return record
    try:
        body = json.loads(record.value or b"")
    except ValueError:
        return record._replace(key=_GHOST.encode())
    if isinstance(body, dict):
        if body.get("customer_id") == customer_id:
            body["customer_id"] = _GHOST
        for name in ("event_id", "reverses"):
            if isinstance(body.get(name), str):
                body[name] += "~"
    return record._replace(key=_GHOST.encode(), value=json.dumps(body).encode())


def dead_letters_of(log: Log, customer_id: str) -> set[Place]:
    """Return the places of a customer's records."""
    return {
        (record.topic, record.partition, record.offset)
        for records in log.values()
        for record in records
        if record.key == customer_id.encode()
    }
