"""Erasing customers: who is erased, and how far that has come.

An erasure begins when its request is read: the customer leaves memory and its later events are skipped. Once a block
with everything the shard knew is durable, nothing is written about the customer any more, so what the ledger holds of
it is final: that history is counted on its own and the negative goes into the next block. Then the rows are deleted.
Each stage is a row in the ledger, so whoever owns the shard goes on where the former owner stopped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from pipeline.state.intake import EventColumns
from pipeline.state.rows import NOTHING, ErasedCounts, ErasureRow, Stage

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pipeline.state.policy import Policy

_REQUESTS_KEPT: Final = 8


class CustomerColumns(EventColumns, Protocol):
    """Columns of a customer-keyed topic."""

    @property
    def customer_id(self) -> list[str]:
        """The customers' ids."""


Columns = TypeVar("Columns", bound=CustomerColumns)


@dataclass(slots=True)
class _Erasure:
    stage: Stage
    requests: tuple[str, ...]
    counts: ErasedCounts = NOTHING
    version: int | None = None  # of the block that first held the stage; None: no block does yet


class Erasures:
    """The erased customers of one shard, by pseudonym; their raw ids are not kept."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._known: dict[bytes, _Erasure] = {}
        self._blocked: set[bytes] = set()
        self._open: set[bytes] = set()
        self._unsaved: set[bytes] = set()
        self._durable = 0
        self._left_out = 0

    # -- events and profiles ---------------------------------------------------------------------------------------

    def covers(self, customer_id: str) -> bool:
        """Say whether this customer's events must not count."""
        return bool(self._blocked) and self.blocks(self._policy.pseudonym(customer_id))

    def blocks(self, pseudonym: bytes) -> bool:
        """Say whether the events of the customer of a pseudonym must not count."""
        return pseudonym in self._blocked

    def without_erased(self, columns: Columns, met: Collection[str], before: Mapping[bytes, int]) -> Columns:
        """Return the columns without the events of erased customers.

        ``met`` holds the ids that have state and so cannot be erased: only strangers are looked up. ``before`` tells of
        those who came back the offset before which their events stay out.
        """
        columns = self.without_past(columns, before)
        if not self._blocked:
            return columns
        strangers = set(columns.customer_id).difference(met)
        erased = {stranger for stranger in strangers if self._policy.pseudonym(stranger) in self._blocked}
        if not erased:
            return columns
        return self.leave_out_rows(columns, [customer_id not in erased for customer_id in columns.customer_id])

    def without_past(self, columns: Columns, before: Mapping[bytes, int]) -> Columns:
        """Return the columns without the events that customers who came back had sent before; see `without_erased`."""
        if not (before and columns.offset and columns.offset[0] < max(before.values())):
            return columns
        limits = {name: before.get(self._policy.pseudonym(name), 0) for name in set(columns.customer_id)}
        keep = [offset >= limits[name] for name, offset in zip(columns.customer_id, columns.offset, strict=True)]
        return self.leave_out_rows(columns, keep)

    def leave_out_rows(self, columns: Columns, keep: Sequence[bool]) -> Columns:
        """Return the columns with the rows marked True; the others count as left out."""
        self._left_out += keep.count(False)
        return columns if all(keep) else columns.select(keep)

    def leave_out(self, keys: Sequence[bytes | None]) -> list[bool]:
        """Say of bad records, by key, which are not of erased customers; the others count as left out."""
        keep = [key is None or not self.covers(key.decode(errors="replace")) for key in keys]
        self._left_out += keep.count(False)
        return keep

    def drain_left_out(self) -> int:
        """Return how many events have been left out since the last call."""
        left_out, self._left_out = self._left_out, 0
        return left_out

    def is_busy(self, customer_id: str) -> bool:
        """Say whether an erasure is under way: a new profile must wait until it is done."""
        return bool(self._open) and self._policy.pseudonym(customer_id) in self._open

    def revive(self, customer_id: str) -> None:
        """Let later events count again: the customer has a new profile."""
        if self.covers(customer_id):
            pseudonym = self._policy.pseudonym(customer_id)
            self._blocked.discard(pseudonym)
            self._enter(pseudonym, Stage.REVIVED)

    # -- stages ----------------------------------------------------------------------------------------------------

    def request(self, pseudonym: bytes, request: str) -> bool:
        """Take a request; return False if the customer is erased, or being erased, already."""
        known = self._known.get(pseudonym)
        if known is None or known.stage is Stage.REVIVED:
            self._known[pseudonym] = _Erasure(Stage.BEGUN, (request,))
            self._blocked.add(pseudonym)
            self._open.add(pseudonym)
            self._unsaved.add(pseudonym)
            return True
        if request not in known.requests:
            known.requests = (*known.requests, request)[-_REQUESTS_KEPT:]
            self._unsaved.add(pseudonym)
        return False

    def restore(self, row: ErasureRow, version: int) -> None:
        """Take a stored stage; ``version`` is that of the block that holds it."""
        self._known[row.pseudonym] = _Erasure(row.stage, row.requests, row.counts, version)
        self._durable = max(self._durable, version)
        if row.stage is not Stage.REVIVED:
            self._blocked.add(row.pseudonym)
        if row.stage < Stage.DONE:
            self._open.add(row.pseudonym)

    def ready(self, stage: Stage) -> dict[bytes, int]:
        """Return the customers whose erasure is durably at a stage, with the version of the block that says so.

        None is ready for the ledger's history to be taken back while another's is on its way into the next block: the
        two would share a chapter.
        """
        unfinished = {pseudonym: self._known[pseudonym] for pseudonym in sorted(self._open)}
        if any(known.stage is Stage.SUBTRACTED and known.version is None for known in unfinished.values()):
            return {}
        return {
            pseudonym: known.version
            for pseudonym, known in unfinished.items()
            if known.stage is stage and known.version is not None and known.version <= self._durable
        }

    def subtracted(self, pseudonym: bytes, counts: ErasedCounts) -> None:
        """Note that what a customer had added to the numbers is taken back by the next block."""
        self._known[pseudonym].counts = counts
        self._enter(pseudonym, Stage.SUBTRACTED)

    def done(self, pseudonym: bytes) -> None:
        """Note that the ledger holds no row about a customer any more."""
        self._open.discard(pseudonym)
        self._enter(pseudonym, Stage.DONE)

    def _enter(self, pseudonym: bytes, stage: Stage) -> None:
        known = self._known[pseudonym]
        known.stage, known.version = stage, None
        self._unsaved.add(pseudonym)

    def drain_changes(self, version: int) -> list[ErasureRow]:
        """Return the stages entered since the last call; ``version`` is the block that will make them durable."""
        rows: list[ErasureRow] = []
        for pseudonym in sorted(self._unsaved):
            known = self._known[pseudonym]
            if known.version is None:
                known.version = version
            rows.append(ErasureRow(pseudonym, known.stage, known.counts, known.requests))
        self._unsaved.clear()
        return rows

    def made_durable(self, version: int) -> None:
        """Note that the block of a version has been acknowledged."""
        self._durable = version
