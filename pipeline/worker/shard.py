"""One owned shard: a state core, its positions, and what the next block has to make durable."""

from __future__ import annotations

from bisect import bisect_left
from itertools import compress
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from pipeline.ledger.body import encode
from pipeline.ledger.rows import DeadLetterRow, Position, ShardBlock, VerdictRow
from pipeline.state.campaign_registry import CampaignRegistry
from pipeline.state.intake import FROM_THE_FUTURE
from pipeline.state.rows import Profile
from pipeline.transport.dead_letters import DeadLetter
from pipeline.transport.packed import PackedBatch
from pipeline.worker.cores import Decoder, open_core
from pipeline.worker.placement import decode_placed, without
from pipeline.worker.profiles import ProfileQueue
from pipeline.worker.verdicts import without_future
from schemas.topics import CUSTOMERS, LANES, TRANSACTIONS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from pipeline.state.history import History
    from pipeline.state.intake import EventColumns
    from pipeline.state.policy import Policy
    from pipeline.transport.ports import RecordBatch
    from pipeline.worker.profiles import ProfileUpdate
    from pipeline.worker.verdicts import ClockVerdicts
    from schemas import Customer
    from schemas.decode import Decoded
    from schemas.topics import Lane

    _Bad = tuple[int, str, str]  # offset, reason, detail

_LANE_BITS: Final = 16
_SEQUENCE_BITS: Final = 32
INTERNAL_ERROR: Final = "internal_error"
FAULT: Final = "this application failed on the record; the worker's log tells where"
IDLE_BLOCKS: Final = 2_400  # about ten minutes of blocks: cells untouched for so long leave memory


class BatchOutcome(NamedTuple):
    """What became of a batch: good events, malformed ones, and well-formed ones that came too late or too early.

    Misplaced ones count as malformed; ``stray_keys`` are their keys.
    """

    good: int
    malformed: int
    refused: int
    stray_keys: Sequence[bytes] = ()


class _Silence(NamedTuple):
    """Since when a topic has said nothing, and how many of its records were still to be read then."""

    since: float = 0.0
    unread: int = 1


def shard_number(lane: Lane, partition: int) -> int:
    """Return the number a lane's partition has in the ledger."""
    return LANES.index(lane) << _LANE_BITS | partition


class OwnedShard:
    """Applies batches in log order and hands out blocks; nothing here waits or fails half-way."""

    def __init__(self, lane: Lane, partition: int, policy: Policy, campaigns: CampaignRegistry) -> None:
        self.number = shard_number(lane, partition)
        self.partition = partition
        self.lane = lane
        self.core = open_core(lane, policy, campaigns)
        self.next_offset: dict[str, int] = {}
        self.topic_ids: dict[str, str] = {}
        self.durable: dict[str, int] = {}
        self.is_broken = False
        self.fault: Exception | None = None  # what came out of encoding this shard's changes
        self.is_reported = False
        self.is_suspect = False  # something that had been taken in made our own code fail
        self.profiles = ProfileQueue(self._apply_update, self._must_wait)
        self.pending = 0
        self.recorded: Mapping[str, ClockVerdicts] = {}
        self._epoch = 0
        self._sequence = 0
        self._policy = policy
        self._decode = Decoder(policy)
        self._dead: list[DeadLetter] = []
        self._verdicts: list[VerdictRow] = []
        self._moved = False
        self._silence = {topic: _Silence() for topic in lane.events}

    # -- ownership -------------------------------------------------------------------------------------------------

    @property
    def epoch(self) -> int:
        """The claim under which blocks are written."""
        return self._epoch

    @property
    def version(self) -> int:
        """The version of the next block."""
        return self._epoch << _SEQUENCE_BITS | self._sequence

    def open_epoch(self, epoch: int) -> None:
        """Begin to write under a claim."""
        self._epoch, self._sequence = epoch, 1
        self.core.open_chapter(self.version)

    # -- in --------------------------------------------------------------------------------------------------------

    def found_log(self, topic: str, *, is_read_to_end: bool, now: float) -> None:
        """Note what the log held when the shard was taken over; ``now`` is monotonic, in seconds."""
        if topic in self._silence:
            self._silence[topic] = _Silence(now, 0 if is_read_to_end else 1)

    def repeat(self, recorded: Mapping[str, ClockVerdicts]) -> None:
        """Judge as another run over the same topics has, where the logs do not tell how."""
        self.recorded = recorded
        for topic, verdicts in recorded.items():
            self.core.intakes[topic].left_out_before = verdicts.left_out_before

    @property
    def unread(self) -> int:
        """How many records its logs hold behind the last ones, as far as those have told."""
        return sum(silence.unread for silence in self._silence.values())

    def has_moved(self) -> None:
        """Have the next block say where the topics are read, though no event has come."""
        self._moved = True

    def follow(self, now: float, idle_seconds: float, halted: Collection[str] = ()) -> None:
        """Let topics that have been silent take over the largest watermark of the lane (contract section 3).

        A silent topic would otherwise hold the horizon, and with it memory, for ever. A halted one is not silent: what
        is held back must not become too late.
        """
        intakes = self.core.intakes
        newest = max(intake.watermark for intake in intakes.values())
        for topic, silence in self._silence.items():
            if topic in halted:
                # nor is it when it is resumed: what was held back is to be read before anybody calls it silent again
                self._silence[topic] = _Silence()
                continue
            is_silent = silence.unread == 0 and now - silence.since >= idle_seconds
            if is_silent and intakes[topic].watermark < newest:
                self._take_over(topic, self.next_offset.get(topic, 0), newest)

    def _take_over(self, topic: str, offset: int, watermark: int) -> None:
        self.core.intakes[topic].advance_to(watermark)
        self._note("takeover", topic, offset, watermark)
        self._moved = True

    def _note(
        self,
        kind: Literal["takeover", "future", "revived"],
        topic: str,
        offset: int,
        watermark: int = 0,
        pseudonym: str = "",
    ) -> None:
        self._verdicts.append(VerdictRow(kind, topic, offset, watermark, self.topic_ids.get(topic, ""), pseudonym))

    def _repeat_take_over(self, topic: str, offset: int) -> None:
        """Take over what the recorded run had taken over before it judged the record at this offset."""
        recorded = self.recorded.get(topic)
        watermark = None if recorded is None else recorded.watermark(offset)
        if watermark is not None and watermark > self.core.intakes[topic].watermark:
            self._take_over(topic, offset, watermark)

    def apply(
        self, batch: RecordBatch, now_ms: int | None, now: float = 0.0, condemned: Collection[int] = ()
    ) -> BatchOutcome:
        """Take a batch in; return what became of its records.

        Records before the shard's position have been taken in already and are skipped. Those at ``condemned`` offsets
        become dead letters unread.
        """
        known = self.next_offset.get(batch.topic, 0)
        self._silence[batch.topic] = _Silence(now, batch.end_offset - batch.next_offset)
        if len(batch) and batch.offsets[0] < known:
            batch = batch.part(bisect_left(batch.offsets, known), len(batch))
        if batch.next_offset > known:
            self.next_offset[batch.topic] = batch.next_offset
            self._moved = True
        offsets = batch.offsets
        self._repeat_take_over(batch.topic, offsets[0] if offsets else batch.next_offset)
        if not offsets:
            return BatchOutcome(0, 0, 0)
        unread = {**batch.refusals, **dict.fromkeys(condemned, (INTERNAL_ERROR, FAULT))}
        decoded, stray_keys = self._decoded(batch, unread)
        columns, refused = without_future(decoded.columns, self.recorded.get(batch.topic), self._policy.span)
        refused += self.core.apply(batch.topic, columns, now_ms)
        bad = [(item.offset, str(item.reason), item.detail) for item in decoded.rejected]
        bad += [(offset, *unread[offset]) for offset in offsets if offset in unread] if unread else []
        malformed = len(bad)
        bad += [refusal[:3] for refusal in refused]
        bad = self._refuse(batch, bad) if bad else bad
        self.pending += len(offsets)
        return BatchOutcome(len(offsets) - len(bad), malformed, len(bad) - malformed, stray_keys)

    def _decoded(self, batch: RecordBatch, unread: Collection[int]) -> tuple[Decoded[EventColumns], list[bytes]]:
        """Return a batch without the records at some offsets, decoded, and the keys of misplaced records."""
        if isinstance(batch, PackedBatch) and not unread:
            decoded = self._decode.packed(batch)
            if decoded is not None:
                return decoded, []
        records = batch.offsets, batch.keys, batch.values
        return decode_placed(batch, without(records, unread) if unread else records, self._decode)

    def _refuse(self, batch: RecordBatch, bad: list[_Bad]) -> list[_Bad]:
        """Take records that do not count into the next block; return those that a dead letter may hold."""
        keys, values = batch.keys, batch.values
        index_of = {offset: index for index, offset in enumerate(batch.offsets)}
        recorded = self.recorded.get(batch.topic)
        if recorded is not None and recorded.left_out_before:
            # what is of before a customer's return is no letter either
            pseudonym = self._policy.pseudonym
            bad = [one for one in bad if not recorded.leaves_out(one[0], keys[index_of[one[0]]], pseudonym)]
        keep = self.core.refuse(batch.topic, [keys[index_of[offset]] for offset, _, _ in bad])
        for offset, reason, _ in compress(bad, (not kept for kept in keep)):
            if reason == FROM_THE_FUTURE:  # the one verdict that the log alone does not tell
                self._note("future", batch.topic, offset)
        bad = list(compress(bad, keep))
        self._dead.extend(
            DeadLetter(
                batch.topic, batch.partition, offset, keys[index_of[offset]], values[index_of[offset]], reason, detail
            )
            for offset, reason, detail in bad
        )
        return bad

    def apply_profile(self, customer_id: str, profile: Customer | None) -> None:
        """Take a customer's profile; None takes it away."""
        opened = None if profile is None else profile.opened_at
        opened_ms = None if opened is None else round(opened.timestamp() * 1000)
        given = None if profile is None else Profile(profile.tier, profile.segment, opened_ms)
        if self.core.accept_profile(customer_id, given):
            pseudonym = self._policy.pseudonym(customer_id).hex()
            for topic in self.lane.events:
                self._note("revived", topic, self.next_offset.get(topic, 0), pseudonym=pseudonym)
        self.pending += 1

    def accept_profile(self, update: ProfileUpdate) -> None:
        """Take a record of the customers topic, now or once an erasure under way is done."""
        self.profiles.accept(update)

    def try_profile(self, update: ProfileUpdate) -> None:
        """Take an update all the way to a block's bytes, in a shard of its own that nobody keeps.

        Raises:
            Exception: whatever our own code says of this record.
        """
        trial = OwnedShard(self.lane, self.partition, self._policy, CampaignRegistry(self._policy))
        trial.open_epoch(1)
        trial._apply_update(update)
        sealed = trial.seal_block()
        if sealed is not None:
            encode(sealed[0], self._policy.labels, 0)

    def _must_wait(self, update: ProfileUpdate) -> bool:
        return update.profile is not None and self.core.is_being_erased(update.customer_id)

    def _apply_update(self, update: ProfileUpdate) -> None:
        if update.erase_request is None:
            self.apply_profile(update.customer_id, update.profile)
        else:
            self.core.erase(update.customer_id, update.erase_request)
            self.pending += 1

    def revert_erased(self, histories: Mapping[bytes, History]) -> None:
        """Let the next block take everything out of the numbers that erased customers had added."""
        self.core.revert_erased(histories, self.version)
        self.pending += 1

    def finish_erasure(self, pseudonyms: Iterable[bytes], touches: Iterable[tuple[str, int]]) -> None:
        """Note that the ledger has no row of these customers any more, and go on with profiles that waited for it."""
        self.core.finish_erasure(pseudonyms, touches)
        self.pending += 1
        self.profiles.release()
        self.move_profiles(self.profiles.read_to)

    def refuse(self, letter: DeadLetter) -> None:
        """Take a bad record of a dimension topic into the next block."""
        self._dead.append(letter)
        self.pending += 1

    def move_profiles(self, next_offset: int) -> None:
        """Note how far the customers topic has been read."""
        self.profiles.read_to = next_offset
        if self.profiles.position > self.next_offset.get(CUSTOMERS, -1):
            self.next_offset[CUSTOMERS] = self.profiles.position
            self._moved = True

    # -- out -------------------------------------------------------------------------------------------------------

    @property
    def has_news(self) -> bool:
        """Whether a block would have something to say."""
        return self._moved or self.pending > 0

    def seal_block(self) -> tuple[ShardBlock, list[DeadLetter]] | None:
        """Return what has been learnt since the last call, None if nothing; the core moves on to the next block."""
        if not self.has_news:
            return None
        version = self.version
        changes = self.core.drain_changes(version)
        dead = self._dead
        dead.extend(
            DeadLetter(
                TRANSACTIONS, self.partition, orphan.offset, None, None, orphan.reason, orphan.detail, orphan.event_id
            )
            for orphan in changes.orphans
        )
        block = ShardBlock(self.number, version, changes, self._positions(), self.rows_of(dead), self._verdicts)
        self._dead, self._verdicts, self._moved, self.pending = [], [], False, 0
        self._sequence += 1
        self.core.open_chapter(self.version)
        return block, dead

    def rows_of(self, dead: Iterable[DeadLetter]) -> list[DeadLetterRow]:
        """Return what the ledger holds of dead letters."""
        return [
            DeadLetterRow(it.topic, it.partition, it.offset, it.reason, it.detail, self.topic_ids.get(it.topic, ""))
            for it in dead
        ]

    def _positions(self) -> list[Position]:
        positions: list[Position] = []
        for topic, next_offset in self.next_offset.items():
            counts = (0, 0, 0, 0)
            if topic not in self.lane.dimensions:
                intake = self.core.intakes[topic]
                counts = intake.watermark, intake.accepted, intake.duplicates, intake.refused
            positions.append(Position(topic, next_offset, *counts, self.topic_ids.get(topic, "")))
        return positions

    def made_durable(self, block: ShardBlock) -> None:
        """Note that a block has been acknowledged."""
        for position in block.positions:
            self.durable[position.topic] = position.next_offset
        self.core.made_durable(block.version)

    def tidy(self, idle_blocks: int = IDLE_BLOCKS) -> None:
        """Drop what can change no more, and cells that so many blocks have not touched."""
        self.core.forget(self.version - idle_blocks)
