"""What became of an attempt to tell a receiver, and the port of what tells one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.alerts.log import Notification

Result = Literal["sent", "failed", "refused", "unmade"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One attempt.

    Attributes:
        result: ``sent``: the receiver has it; ``failed``: to be tried again; ``refused``: for good;
            ``unmade``: no message could be made of it, which the receiver has no part in; to be tried again.
        error: why not, in one line without a secret.
        retry_after_seconds: how long the receiver asks to be left alone.
    """

    result: Result
    error: str = ""
    retry_after_seconds: float | None = None


SUCCESS = Outcome("sent")


class Channel(Protocol):
    """Tells one receiver. No call takes longer than a bounded time, and none raises for what a receiver does."""

    @property
    def is_grouped(self) -> bool:
        """Whether several notices become one message; otherwise each is a message of its own."""

    async def deliver(self, notices: Sequence[Notification]) -> Outcome:
        """Send one message made of these notices, oldest first; just one where they are not grouped."""
