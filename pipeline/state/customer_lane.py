"""What both cores of the customer lane share: intakes, profiles and erasures around what they keep of customers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Final, Protocol

from pipeline.state.erasure import Erasures
from pipeline.state.history import revert
from pipeline.state.intake import Intake, Refusal
from pipeline.state.memory import UNKNOWN_TIER
from pipeline.state.rows import Changes, Profile, ProfileRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pipeline.state.history import History
    from pipeline.state.intake import EventColumns
    from pipeline.state.policy import Policy
    from pipeline.state.rows import Stage

_NO_PROFILE: Final = Profile(None, None, None)


class Memory(Protocol):
    """Who is remembered."""

    def __len__(self) -> int:
        """Return how many customers."""

    def set_tier(self, customer_id: str, tier: str) -> bytes:
        """Give a customer, new or remembered, a tier for the events that follow; return the pseudonym."""

    def erase(self, pseudonym: bytes, customer_id: str | None = None) -> None:
        """Drop everything remembered of a customer; without an id, one whose id has not been seen since the load."""

    def forget_touch_ids(self, touches: Iterable[tuple[str, int]]) -> None:
        """Drop the ids of erased touches, given with their times: a copy of one would be a new event."""


class CustomerLane(ABC):
    """A shard of the customer-keyed topics, whose names it is given; a core keeps their events in its own way."""

    def __init__(self, policy: Policy, memory: Memory, *, logins: str, transactions: str, touches: str) -> None:
        self._policy = policy
        self._people: Memory = memory
        self._changes = Changes()
        self.erasures = Erasures(policy)
        self.logins = Intake(policy.lateness_ms, policy.future_ms, policy.span)
        self.transactions = Intake(policy.lateness_ms, policy.future_ms, policy.span)
        self.touches = Intake(policy.lateness_ms, policy.future_ms, policy.span)
        self.intakes = {logins: self.logins, transactions: self.transactions, touches: self.touches}
        self._appliers: dict[str, Callable[[Any, int | None], list[Refusal]]] = {  # each takes its topic's columns
            logins: self.apply_logins,
            transactions: self.apply_transactions,
            touches: self.apply_touches,
        }

    @property
    def customer_count(self) -> int:
        """Customers with any state."""
        return len(self._people)

    # -- dimension table -------------------------------------------------------------------------------------------

    def accept_profile(self, customer_id: str, profile: Profile | None) -> bool:
        """Take a customer's profile for the events that follow; see the port."""
        was_erased = self.erasures.covers(customer_id)
        if profile is not None:
            self.erasures.revive(customer_id)
        elif was_erased:
            return False
        tier, segment, opened_at = profile or _NO_PROFILE
        pseudonym = self._people.set_tier(customer_id, tier or UNKNOWN_TIER)
        self._changes.profiles.append(ProfileRow(pseudonym, tier or "", segment or "", opened_at))
        return was_erased

    # -- erasure ---------------------------------------------------------------------------------------------------

    def erase(self, customer_id: str, request: str) -> None:
        """Forget a customer and skip the events that follow; the numbers are put right by `revert_erased`."""
        pseudonym = self._policy.pseudonym(customer_id)
        if self.erasures.request(pseudonym, request):
            self._people.erase(pseudonym, customer_id)

    def revert_erased(self, histories: Mapping[bytes, History], version: int) -> None:
        """Take everything that erased customers had added out of the numbers, by the block of this version."""
        revert(list(histories.values()), self._policy, version, self._changes)
        for pseudonym, history in histories.items():
            self.erasures.subtracted(pseudonym, history.counts)

    def finish_erasure(self, pseudonyms: Iterable[bytes], touches: Iterable[tuple[str, int]]) -> None:
        """Note that no row is left of these customers, who had touches of these ids and times."""
        self._people.forget_touch_ids(touches)
        for pseudonym in pseudonyms:
            self.erasures.done(pseudonym)

    def is_being_erased(self, customer_id: str) -> bool:
        """Say whether an erasure is under way: a new profile must wait until it is done."""
        return self.erasures.is_busy(customer_id)

    def erasures_at(self, stage: Stage) -> Mapping[bytes, int]:
        """Return the customers whose erasure is durably at a stage; see the port."""
        return self.erasures.ready(stage)

    # -- events ----------------------------------------------------------------------------------------------------

    def apply(self, topic: str, columns: EventColumns, now_ms: int | None) -> list[Refusal]:
        """Count a batch of one topic, in log order; return the refused ones."""
        return self._appliers[topic](columns, now_ms)

    def refuse(self, topic: str, keys: Sequence[bytes | None]) -> list[bool]:
        """Count bad records; say which of them a dead letter may hold; see the port."""
        keep = self.erasures.leave_out(keys)
        self.intakes[topic].refuse(keep.count(True))
        return keep

    def drain_left_out(self) -> int:
        """Return how many events of erased customers have been left out since the last call."""
        return self.erasures.drain_left_out()

    @abstractmethod
    def apply_logins(self, columns: Any, now_ms: int | None) -> list[Refusal]:
        """Count a batch of logins; return the refused ones."""

    @abstractmethod
    def apply_touches(self, columns: Any, now_ms: int | None) -> list[Refusal]:
        """Count a batch of touches, attributing again what a late one changes; return the refused ones."""

    @abstractmethod
    def apply_transactions(self, columns: Any, now_ms: int | None) -> list[Refusal]:
        """Count a batch of transactions and reversals; return the refused ones."""

    # -- out -------------------------------------------------------------------------------------------------------

    def made_durable(self, version: int) -> None:
        """Note that the block of a version has been acknowledged."""
        self.erasures.made_durable(version)

    # -- horizon ---------------------------------------------------------------------------------------------------

    @abstractmethod
    def drain_changes(self, version: int) -> Changes:
        """Return everything learnt since the last call; ``version`` is the block that will make it durable."""

    @abstractmethod
    def forget(self, idle_version: int) -> None:
        """Drop what no event that is still in time on any topic could need, and cells idle since a version."""

    @abstractmethod
    def held(self) -> Mapping[str, int]:
        """Return how much of each kind is in memory that the horizon makes leave it."""
