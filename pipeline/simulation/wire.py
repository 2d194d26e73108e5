"""Events as the bytes that go over the wire. Values come from this package alone, so nothing needs escaping."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Final, NamedTuple

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC).astimezone(timezone(timedelta(hours=8)))
DAY_MS: Final = 86_400_000
HOUR_MS: Final = 3_600_000
MINUTE_MS: Final = 60_000


class Login(NamedTuple):
    """What varies between logins; ``seconds`` and ``automated`` are JSON literals."""

    channel: str
    seconds: str
    automated: str


class Transaction(NamedTuple):
    """What varies between transactions; ``extra`` holds further JSON members, each with a leading comma."""

    kind: str
    amount_minor: int
    channel: str
    extra: str = ""


class Touch(NamedTuple):
    """What varies between touches; ``extra`` as in `Transaction`."""

    campaign_id: str
    channel: str
    kind: str
    extra: str = ""


def stamp(epoch_ms: int) -> str:
    """Return RFC 3339 with milliseconds in the bank's zone (+08:00)."""
    return (_EPOCH + timedelta(milliseconds=epoch_ms)).isoformat(timespec="milliseconds")


def login(event_id: str, customer_id: str, epoch_ms: int, body: Login) -> bytes:
    """Return an `AppLogin` event."""
    return (
        f'{{"event_id":"{event_id}","customer_id":"{customer_id}","occurred_at":"{stamp(epoch_ms)}",'
        f'"channel":"{body.channel}","session_seconds":{body.seconds},"automated":{body.automated}}}'
    ).encode()


def transaction(event_id: str, customer_id: str, epoch_ms: int, body: Transaction) -> bytes:
    """Return a `Transaction` event."""
    return (
        f'{{"event_id":"{event_id}","customer_id":"{customer_id}","occurred_at":"{stamp(epoch_ms)}",'
        f'"kind":"{body.kind}","amount_minor":{body.amount_minor},"channel":"{body.channel}"{body.extra}}}'
    ).encode()


def touch(event_id: str, customer_id: str, epoch_ms: int, body: Touch) -> bytes:
    """Return a `CampaignTouch` event."""
    return (
        f'{{"event_id":"{event_id}","customer_id":"{customer_id}","occurred_at":"{stamp(epoch_ms)}",'
        f'"campaign_id":"{body.campaign_id}","channel":"{body.channel}","kind":"{body.kind}"{body.extra}}}'
    ).encode()


def cost(event_id: str, campaign_id: str, epoch_ms: int, category: str, amount_minor: int) -> bytes:
    """Return a `CampaignCost` event."""
    return (
        f'{{"event_id":"{event_id}","campaign_id":"{campaign_id}","occurred_at":"{stamp(epoch_ms)}",'
        f'"category":"{category}","amount_minor":{amount_minor}}}'
    ).encode()
