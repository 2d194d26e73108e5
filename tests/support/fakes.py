"""A ledger in memory: `pipeline.ledger.ledger.LedgerPort` with the fence, the blocks and the queries of the real one.

It takes the very bytes that ClickHouse gets. `tests/ledger` runs one suite over both, and compares the views with SQL.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from threading import RLock
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pipeline.errors import FencedError
from pipeline.ledger.ledger import LedgerUnavailableError, other_settings
from pipeline.ledger.rows import AUM_GIVEN, COLUMNS, CREDITABLE, ENGAGED, REVENUE_GIVEN
from pipeline.state.rows import CreditMeasure
from tests.support.fakes_native import NativeReader
from tests.support.row_binary import row_binary
from tests.support.standings import standings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pipeline.clickhouse.native import Body
    from pipeline.ledger.ledger import Block
    from pipeline.state.policy import Policy


_PART_BYTES: Final = 1_009


class LedgerRow(NamedTuple):
    """A row of the ledger table, but for its run."""

    kind: str
    shard: int
    campaign_id: str
    label: str
    at: int
    lag: int
    id: str
    other_id: str
    model: str
    chapter: int
    customer: str
    tier: str
    channel: str
    category: str
    product: str
    scenario: str
    flags: int
    measures: list[int]
    source: int
    detail: str
    version: int

    @property
    def identity(self) -> tuple[Any, ...]:
        """The table's sorting key."""
        return self[:10]


assert LedgerRow._fields == tuple(name for name, _ in COLUMNS), "LedgerRow and rows.COLUMNS have drifted apart"


class Claim(NamedTuple):
    """A claim on a shard."""

    shard: int
    epoch: int
    owner: str


def rows_of(body: bytes | Body) -> list[LedgerRow]:
    """Return the rows of an encoded block, as the database would read them; ValueError if it is not well-formed."""
    found: list[LedgerRow] = []
    for heads, rows in NativeReader(body).blocks():
        if tuple(heads) != COLUMNS:
            raise ValueError("the block's columns are not the ledger's")
        found += [LedgerRow(*row) for row in rows]
    return found


@dataclass
class RunTables:
    """What one run has in the database."""

    rows: dict[tuple[Any, ...], LedgerRow] = field(default_factory=dict)
    claims: list[Claim] = field(default_factory=list)
    fingerprint: str | None = None
    rules: str = ""
    settings: str = ""
    models: tuple[str, ...] = ()
    zone: str = ""

    def of_kind(self, *kinds: str) -> Iterator[LedgerRow]:
        """Yield the rows in force of some kinds."""
        return (row for row in self.rows.values() if row.kind in kinds)

    def put(self, rows: Sequence[LedgerRow]) -> None:
        """Take rows in; of equal identity the greatest version stays, of equal version the last."""
        for row in rows:
            known = self.rows.get(row.identity)
            if known is None or row.version >= known.version:
                self.rows[row.identity] = row


@dataclass
class FakeHalt:
    """A row of the table of halts."""

    topic: str
    kind: str
    cause: str
    remedy: str
    is_resumed: bool = False
    skip_bad: bool = False


@dataclass
class LedgerStore:
    """The database that all owners of a test share."""

    runs: dict[str, RunTables] = field(default_factory=dict)
    campaigns: dict[str, tuple[str, int]] = field(default_factory=dict)
    run_campaigns: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)
    replays: set[str] = field(default_factory=set)
    halts: dict[tuple[str, str, str], FakeHalt] = field(default_factory=dict)
    log_faults: list[dict[str, Any]] = field(default_factory=list)
    partition_counts: dict[tuple[str, str], int] = field(default_factory=dict)
    lock: RLock = field(default_factory=RLock)

    def tables(self, run: str) -> RunTables:
        """Return a run's tables, empty ones at first."""
        return self.runs.setdefault(run, RunTables())


class FakeLedger:
    """The ledger of one run in memory, as seen by one owner.

    Attributes:
        diary: what was called, in order: names of queries and statements, and ``write``.
        bodies: the body of every attempt to write a block.
        refusals: raised by the next writes, one each, before anything is stored; None lets a write through.
        lost_replies: number of next writes that are stored but answered by LedgerUnavailableError.
        gate: called before every write, on its thread.
    """

    def __init__(self, store: LedgerStore, run: str, owner: str) -> None:
        self.owner = owner
        self.diary: list[str] = []
        self.bodies: list[bytes] = []
        self.refusals: deque[Exception | None] = deque()
        self.lost_replies = 0
        self.gate: Callable[[], None] | None = None
        self._store = store
        self._run = run

    @property
    def tables(self) -> RunTables:
        """What this run has in the database."""
        return self._store.tables(self._run)

    # -- the port --------------------------------------------------------------------------------------------------

    def begin(self, policy: Policy, description: str) -> None:
        known = self.fetch("load_run")
        if not known:
            self.execute(
                "begin_run",
                fingerprint=policy.fingerprint(),
                settings=description,
                models=list(policy.models),
                zone=policy.zone,
                rules=policy.rules(),
            )
        elif known[0][0] != policy.fingerprint():
            raise other_settings(self._run, known[0][1], description)
        elif known[0][2] != policy.rules():
            self.execute("note_run_rules", rules=policy.rules())

    def claim(self, shards: Sequence[int]) -> dict[int, int]:
        while True:
            self.execute("claim", shards=list(shards), owner=self.owner)
            claims = [Claim(*claim) for claim in self.fetch("claims", shards=list(shards))]
            mine = {claim.shard: claim.epoch for claim in sorted(claims) if claim.owner == self.owner}
            if all(claim.owner == self.owner or claim.epoch < mine[claim.shard] for claim in claims):
                return mine

    def write(self, block: Block) -> None:
        self.diary.append("write")
        self.bodies.append(bytes(block.body))
        if self.gate is not None:
            self.gate()
        if self.refusals and (refusal := self.refusals.popleft()) is not None:
            raise refusal
        try:
            rows = rows_of(block.body)
        except ValueError as error:
            raise LedgerUnavailableError(type(error).__name__) from error
        with self._store.lock:
            for claim in self.tables.claims:
                epoch = block.epochs.get(claim.shard)
                if epoch is not None and (claim.epoch > epoch or (claim.epoch == epoch and claim.owner != self.owner)):
                    raise FencedError(f"a shard of {sorted(block.epochs)} has a new owner")
            held = {(claim.shard, claim.epoch) for claim in self.tables.claims if claim.owner == self.owner}
            if not block.epochs.items() <= held:
                raise FencedError(f"a shard of {sorted(block.epochs)} was claimed by nobody")
            self.tables.put(rows)
        if self.lost_replies:
            self.lost_replies -= 1
            raise LedgerUnavailableError("the reply was lost")

    def fetch(self, name: str, **parameters: Any) -> list[list[Any]]:
        self.diary.append(name)
        with self._store.lock:
            answer: list[list[Any]] = [list(row) for row in getattr(self, f"_{name}")(**parameters)]
        return answer

    def stream(self, name: str, **parameters: Any) -> Iterator[bytes]:
        answer = b"".join(map(row_binary(name), self.fetch(name, **parameters)))
        # parts that end anywhere, as those of a network
        return (answer[begin : begin + _PART_BYTES] for begin in range(0, len(answer), _PART_BYTES))

    def execute(self, name: str, **parameters: Any) -> None:
        self.diary.append(name)
        with self._store.lock:
            getattr(self, f"_{name}")(**parameters)

    # -- statements ------------------------------------------------------------------------------------------------

    def _begin_run(self, fingerprint: str, settings: str, models: list[str], zone: str, rules: str) -> None:
        tables = self.tables
        tables.fingerprint, tables.settings, tables.models, tables.zone = fingerprint, settings, tuple(models), zone
        tables.rules = rules

    def _note_run_rules(self, rules: str) -> None:
        self.tables.rules = rules

    def _claim(self, shards: list[int], owner: str) -> None:
        claims = self.tables.claims
        claims += [
            Claim(shard, max((claim.epoch for claim in claims if claim.shard == shard), default=0) + 1, owner)
            for shard in shards
        ]

    def _write_campaign(self, campaign_id: str, definition: str, version: int) -> None:
        if version >= self._store.campaigns.get(campaign_id, ("", 0))[1]:
            self._store.campaigns[campaign_id] = (definition, version)

    def _write_run_campaign(self, campaign_id: str, definition: str, version: int) -> None:
        if version >= self._store.run_campaigns.get((self._run, campaign_id), ("", 0))[1]:
            self._store.run_campaigns[self._run, campaign_id] = (definition, version)

    def _record_halt(self, topic: str, id: str, kind: str, cause: str, remedy: str) -> None:  # noqa: A002 - its name
        self._store.halts.setdefault((self._run, topic, id), FakeHalt(topic, kind, cause, remedy))

    def _resume_topic(self, topic: str, skip_bad: bool) -> None:  # noqa: FBT001 - a parameter of the statement
        for halt in self._halts():
            if halt.topic == topic and (halt.skip_bad or not halt.is_resumed):
                halt.is_resumed, halt.skip_bad = True, skip_bad

    def _end_skipping(self, topic: str) -> None:
        for halt in self._halts():
            if halt.topic == topic and halt.is_resumed:
                halt.skip_bad = False

    def _halts(self) -> list[FakeHalt]:
        return [halt for (run, _, _), halt in self._store.halts.items() if run == self._run]

    def _record_log_faults(self, **columns: list[Any]) -> None:
        names = [name.removesuffix("s") for name in columns]
        self._store.log_faults += [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def _record_partition_count(self, topic: str, partitions: int) -> None:
        self._store.partition_counts.setdefault((self._run, topic), partitions)

    # -- queries ---------------------------------------------------------------------------------------------------

    def _load_halts(self) -> Iterator[Sequence[Any]]:
        return (
            (halt.topic, halt.kind, halt.cause, halt.remedy, int(halt.is_resumed))
            for halt in self._halts()
            if halt.skip_bad or not halt.is_resumed
        )

    def _load_partition_counts(self) -> Iterator[Sequence[Any]]:
        return ((topic, count) for (run, topic), count in self._store.partition_counts.items() if run == self._run)

    def _load_run(self) -> Iterator[Sequence[Any]]:
        if self.tables.fingerprint is not None:
            yield self.tables.fingerprint, self.tables.settings, self.tables.rules

    def _claims(self, shards: list[int]) -> Iterator[Sequence[Any]]:
        return (claim for claim in self.tables.claims if claim.shard in shards)

    def _load_campaigns(self) -> Iterator[Sequence[Any]]:
        own = {name: stored for (run, name), stored in self._store.run_campaigns.items() if run == self._run}
        return (
            (name, *stored)
            for name, stored in (own if self._run in self._store.replays else self._store.campaigns).items()
        )

    def _live_verdicts(self, source: str) -> Iterator[Sequence[Any]]:
        tables = self._store.tables(source)
        for row in tables.of_kind("takeover", "future", "revived"):
            yield row.kind, row.label, row.shard & 0xFFFF, row.at, row.measures[0], row.detail, row.id
        for row in tables.of_kind("dead_letter"):
            if row.other_id == "from_the_future":
                yield "future", row.label, row.lag, row.source, 0, "", ""

    def _load_erasures(self, shards: list[int]) -> Iterator[Sequence[Any]]:
        """Erasures of other runs hold here too, unless this run has its own word on the customer."""
        found: dict[tuple[int, str], Sequence[Any]] = {}
        for run, tables in self._store.runs.items():
            for row in (row for row in tables.of_kind("erased") if row.shard in shards):
                own = run == self._run
                stage, *counts = row.measures
                if own or (stage != 4 and run not in self._store.replays):
                    answer = (
                        row.shard,
                        row.id,
                        int(own),
                        stage if own else 3,
                        counts[:6],
                        row.detail,
                        row.version * own,
                    )
                    found[row.shard, row.id] = answer if own else found.get((row.shard, row.id), answer)
        return iter(found.values())

    def _since(self, kind: str, shards: list[int], floors: list[int], *, past: bool = False) -> Iterator[LedgerRow]:
        floor_of: Mapping[int, int] = dict(zip(shards, floors, strict=True))
        return (
            row for row in self.tables.of_kind(kind) if row.shard in floor_of and (row.at < floor_of[row.shard]) == past
        )

    def _of_shards(self, kind: str, shards: list[int]) -> Iterator[LedgerRow]:
        return (row for row in self.tables.of_kind(kind) if row.shard in shards)

    def _load_positions(self, shards: list[int]) -> Iterator[Sequence[Any]]:
        return ((row.shard, row.label, *row.measures[:5], row.detail) for row in self._of_shards("position", shards))

    def _load_ids(self, kind: str, shards: list[int], floors: list[int]) -> Iterator[Sequence[Any]]:
        return ((row.shard, row.id, row.at) for row in self._since(kind, shards, floors))

    def _load_profiles(self, shards: list[int]) -> Iterator[Sequence[Any]]:
        return ((row.shard, row.id, row.tier) for row in self._of_shards("profile", shards) if row.tier)

    def _load_logins(self, shards: list[int], floors: list[int]) -> Iterator[Sequence[Any]]:
        return (
            (row.shard, row.id, row.at, int(bool(row.flags & ENGAGED))) for row in self._since("login", shards, floors)
        )

    def _load_engaged_before_horizon(self, shards: list[int], floors: list[int]) -> Iterator[Sequence[Any]]:
        return iter(
            {(row.shard, row.id) for row in self._since("login", shards, floors, past=True) if row.flags & ENGAGED}
        )

    def _load_past_reach(self, shards: list[int], floors: list[int]) -> Iterator[Sequence[Any]]:
        past = self._since("touch", shards, floors, past=True)
        return iter({(row.shard, row.customer, row.campaign_id, row.label) for row in past if row.flags & CREDITABLE})

    def _load_touches(self, shards: list[int], floors: list[int]) -> Iterator[Sequence[Any]]:
        return (
            (row.shard, row.customer, row.campaign_id, row.label, row.at, row.id, row.tier)
            for row in self._since("touch", shards, floors)
            if row.flags & CREDITABLE
        )

    def _load_credits(self, shards: list[int], floors: list[int], labels: list[str]) -> Iterator[Sequence[Any]]:
        for row in self._since("credit", shards, floors):
            for model, (millionths, returned, aum, touched_at, booked) in zip(
                labels, standings(row.measures), strict=True
            ):
                place = row.campaign_id, row.label, touched_at, row.other_id
                if booked:
                    yield row.shard, row.id, row.at, model, *place, booked, returned, aum, int(millionths != 0)

    def _load_past_conversions(
        self, shards: list[int], floors: list[int], labels: list[str]
    ) -> Iterator[Sequence[Any]]:
        return iter(
            {
                (row.shard, row.customer, row.campaign_id, row.label, model)
                for row in self._since("credit", shards, floors, past=True)
                for model, standing in zip(labels, standings(row.measures), strict=True)
                if standing[CreditMeasure.MILLIONTHS]
            }
        )

    def _load_transactions(self, shards: list[int], floors: list[int]) -> Iterator[Sequence[Any]]:
        return (
            (
                row.shard,
                row.customer,
                row.at,
                row.id,
                row.category,
                row.product or None,
                row.measures[0],
                row.measures[1] if row.flags & REVENUE_GIVEN else None,
                row.measures[2] if row.flags & AUM_GIVEN else None,
                row.tier,
            )
            for row in self._since("transaction", shards, floors)
            if not row.other_id
        )

    def _load_reversals(self, shards: list[int], floors: list[int]) -> Iterator[Sequence[Any]]:
        return (
            (row.shard, row.customer, row.at, row.id, row.other_id, row.measures[0], row.source)
            for row in self._since("transaction", shards, floors)
            if row.other_id
        )
