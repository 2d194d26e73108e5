"""The port around the core: all that worker and ledger know of it, so that a compiled core may stand behind it.

Columns in, refusals and changes out. Nothing here waits or does I/O. A call that raises leaves a core that must not be
used any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pipeline.state.history import History
    from pipeline.state.intake import EventColumns, Intake, Refusal
    from pipeline.state.rows import Changes, ErasureRow, Profile, Stage


class ShardCore(Protocol):
    """The state of one shard of either lane."""

    @property
    def intakes(self) -> Mapping[str, Intake]:
        """Watermark and counts of each event topic of the lane."""

    @property
    def customer_count(self) -> int:
        """Customers with any state."""

    # -- in

    def apply(self, topic: str, columns: EventColumns, now_ms: int | None) -> list[Refusal]:
        """Count a batch of one topic, in log order; return the refused ones. ``now_ms`` None means replay."""

    def refuse(self, topic: str, keys: Sequence[bytes | None]) -> list[bool]:
        """Count bad records by their keys, well-formed or not; say which of them a dead letter may hold.

        What erased customers sent is only counted as left out.
        """

    def drain_left_out(self) -> int:
        """Return how many events of erased customers have been left out since the last call."""

    def accept_profile(self, customer_id: str, profile: Profile | None) -> bool:
        """Take a customer's profile for the events that follow; None takes it away.

        A profile ends the customer's erasure, and then the answer is True; taking away that of an erased customer says
        nothing.
        """

    # -- erasure

    def is_being_erased(self, customer_id: str) -> bool:
        """Say whether an erasure is under way: a new profile must wait until it is done."""

    def erase(self, customer_id: str, request: str) -> None:
        """Forget a customer and leave out the events that follow; `revert_erased` puts the numbers right."""

    def erasures_at(self, stage: Stage) -> Mapping[bytes, int]:
        """Return the customers whose erasure is durably at a stage, with the version of the block that says so."""

    def revert_erased(self, histories: Mapping[bytes, History], version: int) -> None:
        """Take everything that erased customers had added out of the numbers, by the block of this version."""

    def finish_erasure(self, pseudonyms: Iterable[bytes], touches: Iterable[tuple[str, int]]) -> None:
        """Note that no row is left of these customers, who had touches of these ids and times."""

    # -- out

    def open_chapter(self, chapter: int) -> None:
        """Start a new chapter for cells that come to memory from now on."""

    def drain_changes(self, version: int) -> Changes:
        """Return everything learnt since the last call; ``version`` is the block that will make it durable."""

    def made_durable(self, version: int) -> None:
        """Note that the block of a version has been acknowledged."""

    def forget(self, idle_version: int) -> None:
        """Drop what no event that is still in time could need, and cells idle since a version."""

    def restorer(self) -> Restorer:
        """Return what loads stored state into this still empty core, its intakes having been restored."""


class CostRestorer(Protocol):
    """Takes the stored rows of a core of the campaign lane."""

    lane: Literal["campaign"]

    @property
    def ids_since(self) -> int:
        """The earliest instant of the event ids that are needed."""

    def event_id(self, event_id: str, at: int) -> None:
        """The id of a cost event that is still in time."""


class CustomerRestorer(Protocol):
    """Takes the stored rows of a core of the customer lane; the rare ones singly, behind all others, then `finish`."""

    lane: Literal["customer"]

    @property
    def ids_since(self) -> int:
        """The earliest instant of the touch ids that are needed."""

    @property
    def floor(self) -> int:
        """The earliest instant that is still in time on touches or transactions."""

    @property
    def logins_since(self) -> int:
        """The earliest login day that is needed."""

    def reversal(  # noqa: PLR0913, PLR0917 - the fields of one stored fact
        self, pseudonym: bytes, at: int, event_id: str, original_id: str, amount_minor: int, offset: int
    ) -> None:
        """A reversal; all transactions have been given before."""

    def erasure(self, row: ErasureRow, version: int) -> None:
        """A customer's erasure, stored by the block of a version; the customer's rows have been given before."""

    def finish(self) -> None:
        """Drop what the former owner had dropped or told."""


class RowRestorer(CustomerRestorer, Protocol):
    """Takes every row by a method of its own, in the order of the methods."""

    form: Literal["rows"]

    def profile(self, pseudonym: bytes, tier: str) -> None:
        """A customer's tier, where there is a profile."""

    def login(self, pseudonym: bytes, day: int, *, engaged: bool) -> None:
        """A login day, within the days the activity remembers one by one."""

    def engaged_before_horizon(self, pseudonym: bytes) -> None:
        """The customer has an engaged day before those."""

    def past_reach(self, pseudonym: bytes, campaign_id: str, variant: str) -> None:
        """An arm has reached the customer by a creditable touch that no event in time can precede."""

    def event_id(self, event_id: str, at: int) -> None:
        """The id of any touch that is still in time."""

    def touch(  # noqa: PLR0913, PLR0917 - the fields of one stored fact
        self, pseudonym: bytes, campaign_id: str, variant: str, at: int, event_id: str, tier: str
    ) -> None:
        """A creditable touch that a transaction could still credit, and the customer's tier at it."""

    def credit(
        self,
        transaction: tuple[str, int],
        model: int,
        touch: tuple[str, str, int, str],
        shares: tuple[int, int, int],
        *,
        counts: bool,
    ) -> None:
        """A credit of a live transaction, known by id and time: the touch's campaign, variant, time and id.

        ``shares`` is millionths as booked, return and AUM. ``counts`` is False for the credits of a transaction that
        reversals have eaten altogether.
        """

    def past_conversion(self, pseudonym: bytes, campaign_id: str, variant: str, model: int) -> None:
        """The customer converted through an arm by a transaction that is no longer live."""

    def transaction(  # noqa: PLR0913, PLR0917 - the fields of one stored fact
        self,
        pseudonym: bytes,
        at: int,
        event_id: str,
        kind: str,
        product: str | None,
        amount_minor: int,
        revenue_minor: int | None,
        aum_delta_minor: int | None,
        tier: str,
    ) -> None:
        """A live transaction; its credits have been given before."""


class BulkRestorer(CustomerRestorer, Protocol):
    """Takes answers of the ledger as they come, several shards' rows in one answer."""

    form: Literal["bulk"]

    def together_with(self, others: Mapping[int, Self]) -> BulkLoading:
        """Return what reads answers with rows of all these shards, this one among them, by their numbers."""


class BulkLoading(Protocol):
    """Reads answers in ClickHouse's RowBinary: credits behind transactions, else in any order."""

    def take(self, query: str, parts: Iterable[bytes]) -> None:
        """Read the answer of sql/queries/QUERY.sql; ValueError if it is not what was asked for, or breaks off."""

    def finish(self) -> None:
        """Note that all answers have been read; rows that are given singly follow."""


Restorer = CostRestorer | RowRestorer | BulkRestorer
