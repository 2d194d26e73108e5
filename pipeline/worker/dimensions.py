"""The barrier before events: dimension tables are read to their end before a batch that was fetched earlier counts."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from typing import TYPE_CHECKING, Final, cast

from pipeline.error_words import places
from pipeline.policies import rules_of
from pipeline.transport.dead_letters import DeadLetter
from pipeline.transport.partitioner import misplaced
from pipeline.worker.placement import place_expected
from pipeline.worker.profiles import ProfileUpdate
from pipeline.worker.shard import FAULT, INTERNAL_ERROR
from schemas.decode import decode_campaign, decode_customer
from schemas.judge import RejectedError
from schemas.parser_limits import readable_json
from schemas.topics import CAMPAIGNS, CUSTOMERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.ledger.ledger import LedgerPort
    from pipeline.state.campaign_registry import CampaignRegistry
    from pipeline.transport.dimensions import DimensionRecord, DimensionUpdates
    from pipeline.worker.ports import DimensionSource, PartitionNumbers
    from pipeline.worker.shard import OwnedShard
    from pipeline.worker.telemetry import Telemetry
    from schemas import Campaign
    from schemas.judge import Reason

    FindShard = Callable[[int], OwnedShard | None]

_log = logging.getLogger(__name__)


WRITE_LIVE: Final = "write_campaign"
WRITE_REPLAY: Final = "write_run_campaign"


class DimensionTables:
    """Keeps the campaign registry and the shards' customer profiles as current as the batches that need them."""

    def __init__(  # noqa: PLR0913, PLR0917 - where definitions come from, are stored and are counted
        self,
        source: DimensionSource,
        ledger: LedgerPort,
        campaigns: CampaignRegistry,
        telemetry: Telemetry,
        partition_counts: PartitionNumbers,
        write_query: str = WRITE_LIVE,
    ) -> None:
        self._write_query = write_query
        self._partition_counts = partition_counts
        self._source = source
        self._ledger = ledger
        self._campaigns = campaigns
        self._telemetry = telemetry
        self._stored: dict[str, tuple[str, int]] = {}
        self._unsaved: dict[str, str] = {}
        self._refused: list[DeadLetter] = []
        self._current: asyncio.Task[None] | None = None
        self._next: asyncio.Task[None] | None = None
        self._reading_since = self._read_since = -math.inf
        self._lock = asyncio.Lock()

    def paused(self) -> asyncio.Lock:
        """Return what keeps profiles from being read while it is held: shards may change hands then."""
        return self._lock

    async def restore(self) -> None:
        """Read the definitions of the ledger: a memory-only broker has forgotten its own."""
        for campaign_id, definition, version in await asyncio.to_thread(self._ledger.fetch, "load_campaigns"):
            self._stored[campaign_id] = (definition, version)
            value = definition.encode() if definition else None
            self._register(campaign_id, decode_campaign(campaign_id.encode(), value))

    async def catch_up_to(self, find_shard: FindShard, since: float = math.inf) -> None:
        """Return once everything that was on the dimension topics at ``since`` has been applied.

        ``since`` is monotonic, in seconds; without it, it is the moment of the call. A batch that was fetched before
        the last finished round began has nothing to wait for.

        Callers that come while a round is under way share the next one. A round is a task of its own: a caller that is
        cancelled must not tear it apart.
        """
        if since <= self._read_since:
            return
        # one that is over has failed, or its reading would count: whoever comes after it has another one made
        if self._current is not None and not self._current.done() and since <= self._reading_since:
            await asyncio.shield(self._current)
            return
        if self._next is None:
            self._next = asyncio.create_task(self._run_round(self._current, find_shard))
        await asyncio.shield(self._next)

    async def _run_round(self, previous: asyncio.Task[None] | None, find_shard: FindShard) -> None:
        if previous is not None:
            await asyncio.wait([previous])
        self._current, self._next = self._next, None
        async with self._lock:
            self._reading_since = time.monotonic()
            self._apply(await self._source.catch_up(), find_shard)
            self._read_since = self._reading_since

    def _apply(self, updates: DimensionUpdates, find_shard: FindShard) -> None:
        for record in updates.campaigns:
            try:
                self._define(record)
            except Exception as error:  # noqa: BLE001 - one record must not keep back those behind it
                self._refused.append(self._letter(CAMPAIGNS, record, error))
        # any one worker's word is enough: whoever owns the customers of the first partition gives it
        speaker = find_shard(0)
        if speaker is not None:
            for letter in self._refused:
                speaker.refuse(letter)
            self._refused.clear()
        for partition, records in updates.customers.items():
            shard = find_shard(partition)
            if shard is not None:
                self._accept_profiles(shard, records)
        for tp, next_offset in updates.next_offsets.items():
            shard = find_shard(tp.partition) if tp.topic == CUSTOMERS else None
            if shard is not None:
                shard.move_profiles(next_offset)

    def _accept_profiles(self, shard: OwnedShard, records: list[DimensionRecord]) -> None:
        for record in records:
            try:
                self._accept(shard, record)
            except Exception as error:  # noqa: BLE001 - one record must not keep back those behind it
                shard.refuse(self._letter(CUSTOMERS, record, error))

    def _accept(self, shard: OwnedShard, record: DimensionRecord) -> None:
        _check_refusal(record)
        profile = decode_customer(record.key, record.value)
        key = record.key or b""
        count = self._partition_counts.of(CUSTOMERS)
        if misplaced([key], record.partition, count):
            # its customer's events are in another shard, which would never see it
            raise RejectedError("misplaced_key", place_expected(key, count))
        request = record.erase_request if profile is None else None
        update = ProfileUpdate(record.offset, key.decode(), profile, request)
        if shard.is_suspect:
            shard.try_profile(update)  # what no block can hold would have the shard loaded again for ever
        shard.accept_profile(update)

    def _define(self, record: DimensionRecord) -> None:
        _check_refusal(record)
        campaign = decode_campaign(record.key, record.value)
        campaign_id = (record.key or b"").decode()
        self._register(campaign_id, campaign)
        # also one that is stored already: it may come after another that is not
        self._unsaved[campaign_id] = "" if record.value is None else readable_json(record.value).decode()

    def _register(self, campaign_id: str, campaign: Campaign | None) -> None:
        self._campaigns.define(campaign_id, rules_of(campaign, self._campaigns.policy))

    def _letter(self, topic: str, record: DimensionRecord, error: Exception) -> DeadLetter:
        self._telemetry.events(topic, 0, 1)
        if isinstance(error, RejectedError):
            reason, detail = str(error.reason), error.detail
        else:
            reason, detail = INTERNAL_ERROR, FAULT
            _log.error("%s partition %d offset %d: %s", topic, record.partition, record.offset, places(error))
        return DeadLetter(topic, record.partition, record.offset, record.key, record.value, reason, detail)

    async def save(self) -> None:
        """Store changed definitions; called before the block that may depend on them."""
        for campaign_id, definition in list(self._unsaved.items()):
            stored, version = self._stored.get(campaign_id, ("", 0))
            if definition != stored:
                await asyncio.to_thread(
                    self._ledger.execute,
                    self._write_query,
                    campaign_id=campaign_id,
                    definition=definition,
                    version=version + 1,
                )
                self._stored[campaign_id] = (definition, version + 1)
            if self._unsaved.get(campaign_id) == definition:
                del self._unsaved[campaign_id]


def _check_refusal(record: DimensionRecord) -> None:
    if record.refusal is not None:
        reason, detail = record.refusal
        raise RejectedError(cast("Reason", reason), detail)
