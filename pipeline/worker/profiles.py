"""A shard's customer records in log order, also when one of them has to wait."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from schemas import Customer


class ProfileUpdate(NamedTuple):
    """A record of the customers topic; without a profile it is a tombstone, which may ask for an erasure."""

    offset: int
    customer_id: str
    profile: Customer | None
    erase_request: str | None = None


class ProfileQueue:
    """Hands updates on at once, or holds them from the first one that must wait.

    ``read_to`` is how far the log has been read. Nothing of the shard may be applied while ``unblocked`` is not set:
    events behind a record that waits must see it.
    """

    def __init__(self, apply: Callable[[ProfileUpdate], None], must_wait: Callable[[ProfileUpdate], bool]) -> None:
        self.unblocked = asyncio.Event()
        self.unblocked.set()
        self._apply = apply
        self._must_wait = must_wait
        self._held: deque[ProfileUpdate] = deque()
        self.read_to = -1

    def accept(self, update: ProfileUpdate) -> None:
        """Apply an update, or hold it back."""
        if self._held or self._must_wait(update):
            self._held.append(update)
            self.unblocked.clear()
        else:
            self._apply(update)

    def release(self) -> None:
        """Apply what need not wait any longer."""
        while self._held and not self._must_wait(self._held[0]):
            self._apply(self._held.popleft())
        if not self._held:
            self.unblocked.set()

    @property
    def position(self) -> int:
        """Where a new owner would have to read on; -1 while that is not known."""
        return self._held[0].offset if self._held else self.read_to

    def drop(self) -> None:
        """Forget what is held: it is read again, or somebody else's, and maybe from another log."""
        self._held.clear()
        self.read_to = -1
        self.unblocked.set()
