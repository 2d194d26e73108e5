"""Erasing customers: who is erased, how far that has come, and what an erased customer had added to the numbers.

An erasure begins when its request is read: the customer leaves memory and its later events are skipped. Once a block
with everything the shard knew is durable, nothing is written about the customer any more, so what the ledger holds of
it is final: that history is counted on its own and its negative goes into the next block. Only then are the rows deleted.
Each stage is a row in the ledger, so whoever owns the shard goes on where the former owner stopped.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from pipeline.state.activity import Activity
from pipeline.state.book import CampaignBook
from pipeline.state.calendar import DAY_MS
from pipeline.state.cells import Cells
from pipeline.state.conversions import Conversions
from pipeline.state.intake import select
from pipeline.state.records import Credit, Customer, Touch, Transaction

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from typing import Any

    from pipeline.state.activity import ActivityRow
    from pipeline.state.cells import CellRow
    from pipeline.state.policy import Policy

# a chapter of its own for what is taken back: chapters of cells are versions, whose top bit is never set
_TAKEN_BACK: Final = 1 << 63
_REQUESTS_KEPT: Final = 8


class Stage(IntEnum):
    """How far an erasure has come; each stage is made durable before the next begins."""

    BEGUN = 1
    SUBTRACTED = 2
    DONE = 3
    REVIVED = 4


class ErasureRow(NamedTuple):
    """An erasure's stage, ready to be stored."""

    pseudonym: bytes
    stage: int
    counts: tuple[int, ...]
    requests: str


class ErasedCounts(NamedTuple):
    """How many rows the ledger held of a customer, by kind."""

    touches: int = 0
    transactions: int = 0
    logins: int = 0
    credits: int = 0
    adjustments: int = 0
    profiles: int = 0


class StoredTouch(NamedTuple):
    """A touch as the ledger has it."""

    campaign_id: str
    variant: str
    at: int
    event_id: str
    tier: str
    creditable: bool
    cost_minor: int
    offset: int


class StoredCredit(NamedTuple):
    """A credit in force as the ledger has it."""

    transaction_id: str
    model: int
    campaign_id: str
    variant: str
    converted_at: int
    touch_id: str
    touched_at: int
    tier: str
    millionths: int
    return_minor: int
    aum_minor: int


class StoredLogin(NamedTuple):
    """A login day as the ledger has it; ``version`` tells in which order days became known."""

    day: int
    engaged: bool
    tier: str
    version: int


@dataclass(slots=True)
class History:
    """Everything the ledger holds of one customer that numbers were made from, and how many rows that is."""

    touches: list[StoredTouch] = field(default_factory=list)
    credits: list[StoredCredit] = field(default_factory=list)
    logins: list[StoredLogin] = field(default_factory=list)
    counts: ErasedCounts = ErasedCounts()


@dataclass(slots=True)
class _Erasure:
    stage: Stage
    counts: ErasedCounts
    requests: list[str]
    version: int | None  # of the block that holds the stage; None: no block does yet


class Erasures:
    """The erased customers of one shard, by pseudonym; their raw ids are not kept."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._known: dict[bytes, _Erasure] = {}
        self._blocked: set[bytes] = set()
        self._durable = 0
        self._skipped = 0

    # -- events and profiles ---------------------------------------------------------------------------------------

    def covers(self, customer_id: str) -> bool:
        """Say whether this customer's events must not count."""
        return bool(self._blocked) and self._policy.pseudonym(customer_id) in self._blocked

    def spare(self, columns: Any, met: Collection[str]) -> Any:
        """Return the columns without events of erased customers.

        ``met`` holds the ids that have state and so cannot be erased: only strangers are looked up.
        """
        if not self._blocked:
            return columns
        strangers = set(columns.customer_id).difference(met)
        erased = {stranger for stranger in strangers if self._policy.pseudonym(stranger) in self._blocked}
        if not erased:
            return columns
        keep = [customer_id not in erased for customer_id in columns.customer_id]
        self.skip(keep.count(False))
        return select(columns, keep)

    def skip(self, events: int) -> None:
        """Note that so many events of erased customers were left out."""
        self._skipped += events

    def take_skipped(self) -> int:
        """Return how many events have been left out since the last call."""
        skipped, self._skipped = self._skipped, 0
        return skipped

    def is_busy(self, customer_id: str) -> bool:
        """Say whether an erasure is under way: a new profile must wait until it is done."""
        if not self._known:
            return False
        found = self._known.get(self._policy.pseudonym(customer_id))
        return found is not None and found.stage < Stage.DONE

    def revive(self, customer_id: str) -> None:
        """Let later events count again: the customer has a new profile."""
        if not self._blocked:
            return
        pseudonym = self._policy.pseudonym(customer_id)
        if pseudonym in self._blocked:
            self._blocked.discard(pseudonym)
            self._move(pseudonym, Stage.REVIVED)

    # -- stages ----------------------------------------------------------------------------------------------------

    def request(self, pseudonym: bytes, request: str) -> bool:
        """Take a request; return False if the customer is erased already (or is being erased)."""
        known = self._known.get(pseudonym)
        if known is not None and known.stage is not Stage.REVIVED:
            if request not in known.requests:
                known.requests = [*known.requests, request][-_REQUESTS_KEPT:]
                known.version = self._pending_again(known)
            return False
        self._known[pseudonym] = _Erasure(Stage.BEGUN, ErasedCounts(), [request], None)
        self._blocked.add(pseudonym)
        return True

    def _pending_again(self, known: _Erasure) -> int | None:
        self._unsaved.add(id(known))
        return known.version
