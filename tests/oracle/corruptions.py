"""Every way of being a bad event the contract names, as changes to a good one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from schemas import topics
from tests.oracle.parsing import LARGEST_VALUE_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

Body = dict[str, Any]
Sent = tuple[bytes | None, bytes | None]


class Corruption(NamedTuple):
    """A change that makes a good event bad.

    ``apply`` takes the good event's key and body and returns the bytes to send; ``topics`` are where it applies.
    """

    name: str
    reason: str
    topics: tuple[str, ...]
    apply: Callable[[bytes, Body], Sent]


def encoded(body: Body, *, ascii_only: bool = False) -> bytes:
    """Return a body as JSON in UTF-8."""
    return json.dumps(body, ensure_ascii=ascii_only).encode()


def padded(body: Body, size: int) -> bytes:
    """Return a body with an unknown field that makes its JSON exactly ``size`` bytes long."""
    empty = len(encoded(body | {"padding": ""}))
    return encoded(body | {"padding": "x" * (size - empty)})


_MONEY_FIELD: Final = {topics.TRANSACTIONS: "amount_minor", topics.TOUCHES: "cost_minor", topics.COSTS: "amount_minor"}
_MONEY_TOPICS: Final = tuple(_MONEY_FIELD)
_CHANNEL_TOPICS: Final = (topics.LOGINS, topics.TRANSACTIONS, topics.TOUCHES)
_KIND_TOPICS: Final = (topics.TRANSACTIONS, topics.TOUCHES)


def _bytes(name: str, change: Callable[[bytes], bytes]) -> Corruption:
    return Corruption(name, "not_json", topics.EVENT_TOPICS, lambda key, body: (key, change(encoded(body))))


def _field(
    name: str, field: str, value: Any, *, where: tuple[str, ...] = topics.EVENT_TOPICS, reason: str = "invalid_event"
) -> Corruption:
    return Corruption(name, reason, where, lambda key, body: (key, encoded(body | {field: value})))


def _without(field: str, where: tuple[str, ...] = topics.EVENT_TOPICS) -> Corruption:
    def apply(key: bytes, body: Body) -> Sent:
        return key, encoded({name: value for name, value in body.items() if name != field})

    return Corruption(f"{field} is missing", "invalid_event", where, apply)


def _money(name: str, value: Any, where: tuple[str, ...] = _MONEY_TOPICS) -> list[Corruption]:
    return [_field(f"{name} ({topic})", _MONEY_FIELD[topic], value, where=(topic,)) for topic in where]


CORRUPTIONS: Final[tuple[Corruption, ...]] = (
    Corruption("no value", "missing_value", topics.EVENT_TOPICS, lambda key, _: (key, None)),
    _bytes("empty value", lambda _: b""),
    _bytes("cut short", lambda value: value[:-1]),
    _bytes("two objects", lambda value: value + value),
    _bytes("not UTF-8", lambda value: value[:-1] + b', "note": "\xff"}'),
    _bytes("NaN", lambda value: value[:-1] + b', "note": NaN}'),
    _bytes("single quotes", lambda value: value.replace(b'"', b"'")),
    Corruption("an array", "invalid_event", topics.EVENT_TOPICS, lambda key, body: (key, b"[" + encoded(body) + b"]")),
    Corruption("a number", "invalid_event", topics.EVENT_TOPICS, lambda key, _: (key, b"17")),
    Corruption("null", "invalid_event", topics.EVENT_TOPICS, lambda key, _: (key, b"null")),
    Corruption(
        "one byte too large",
        "too_large",
        topics.EVENT_TOPICS,
        lambda key, body: (key, padded(body, LARGEST_VALUE_BYTES + 1)),
    ),
    Corruption("no key", "key_mismatch", topics.EVENT_TOPICS, lambda _, body: (None, encoded(body))),
    Corruption("other key", "key_mismatch", topics.EVENT_TOPICS, lambda key, body: (key + b"0", encoded(body))),
    _field("other currency", "currency", "USD", where=_MONEY_TOPICS, reason="unsupported_currency"),
    _field("no currency code", "currency", "yuan", where=_MONEY_TOPICS),
    _without("event_id"),
    _without("occurred_at"),
    _without("channel", _CHANNEL_TOPICS),
    _without("kind", _KIND_TOPICS),
    _without("amount_minor", (topics.TRANSACTIONS, topics.COSTS)),
    _without("category", (topics.COSTS,)),
    _field("empty event_id", "event_id", ""),
    _field("long event_id", "event_id", "e" * 65),
    _field("numeric event_id", "event_id", 7),
    _field("null event_id", "event_id", None),
    _field("zero time", "occurred_at", "0001-01-01T00:00:00Z", reason="implausible_time"),
    _field("a moment beyond the dates of ClickHouse", "occurred_at", "2299-12-31T00:00:00Z", reason="implausible_time"),
    _field("a moment before 1990", "occurred_at", "1989-12-31T23:59:59.999Z", reason="implausible_time"),
    _field("no offset", "occurred_at", "2026-03-02T08:00:00"),
    _field("a day", "occurred_at", "2026-03-02"),
    _field("30 February", "occurred_at", "2026-02-30T08:00:00Z"),
    _field("hour 24", "occurred_at", "2026-03-02T24:00:00Z"),
    _field("epoch seconds", "occurred_at", 1_772_409_600),
    _field("epoch seconds as text", "occurred_at", "1772409600"),
    _field("upper-case channel", "channel", "App", where=_CHANNEL_TOPICS),
    _field("channel with a newline", "channel", "app\n", where=_CHANNEL_TOPICS),
    _field("long channel", "channel", "c" * 65, where=_CHANNEL_TOPICS),
    _field("empty channel", "channel", "", where=_CHANNEL_TOPICS),
    _field("unknown kind", "kind", "teleport", where=_KIND_TOPICS),
    _field("unknown category", "category", "rent", where=(topics.COSTS,)),
    _field("negative session", "session_seconds", -0.5, where=(topics.LOGINS,)),
    _field("session as text", "session_seconds", "5", where=(topics.LOGINS,)),
    _field("flag as number", "automated", 1, where=(topics.LOGINS, topics.TOUCHES)),
    _field("flag as null", "automated", None, where=(topics.LOGINS, topics.TOUCHES)),
    _field("flag as text", "cross_bank", "true", where=(topics.TRANSACTIONS,)),
    _field("negative revenue", "revenue_minor", -1, where=(topics.TRANSACTIONS,)),
    _field("fractional AUM", "aum_delta_minor", 0.5, where=(topics.TRANSACTIONS,)),
    _field("huge AUM", "aum_delta_minor", -(10**15) - 1, where=(topics.TRANSACTIONS,)),
    _field("empty reverses", "reverses", "", where=(topics.TRANSACTIONS,)),
    _field("variant with a space", "variant", "a b", where=(topics.TOUCHES, topics.COSTS)),
    _field("empty variant", "variant", "", where=(topics.TOUCHES, topics.COSTS)),
    _field("long variant", "variant", "v" * 65, where=(topics.TOUCHES, topics.COSTS)),
    *_money("amount as text", "100"),
    *_money("amount as float", 100.0),
    *_money("amount as flag", value=True),
    *_money("amount as null", None),
    *_money("huge amount", 10**15 + 1),
    *_money("negative amount", -1, (topics.TRANSACTIONS, topics.TOUCHES)),
    *_money("hugely negative cost", -(10**15) - 1, (topics.COSTS,)),
)
BAD_DIMENSIONS: Final[tuple[Corruption, ...]] = (
    Corruption("cut short", "not_json", topics.DIMENSION_TOPICS, lambda key, body: (key, encoded(body)[:-1])),
    Corruption("other key", "key_mismatch", topics.DIMENSION_TOPICS, lambda key, body: (key + b"0", encoded(body))),
    Corruption(
        "one byte too large",
        "too_large",
        topics.DIMENSION_TOPICS,
        lambda key, body: (key, padded(body, LARGEST_VALUE_BYTES + 1)),
    ),
    _without("goal", (topics.CAMPAIGNS,)),
    _field("goal without kinds", "goal", {"kinds": []}, where=(topics.CAMPAIGNS,)),
    _field("unknown goal kind", "goal", {"kinds": ["teleport"]}, where=(topics.CAMPAIGNS,)),
    _field("window as text", "attribution_window_days", "7", where=(topics.CAMPAIGNS,)),
    _field("window of ages", "attribution_window_days", 1e300, where=(topics.CAMPAIGNS,)),
    _field("margin beyond all money", "margins_bps", {"deposit": 1_000_001}, where=(topics.CAMPAIGNS,)),
    _field("margin as text", "margins_bps", {"deposit": "5"}, where=(topics.CAMPAIGNS,)),
    _field("upper-case tier", "tier", "Growth", where=(topics.CUSTOMERS,)),
    _field("numeric tier", "tier", 1, where=(topics.CUSTOMERS,)),
)


def corruptions_for(topic: str) -> list[Corruption]:
    """Return the ways in which an event of a topic can be bad."""
    return [corruption for corruption in CORRUPTIONS if topic in corruption.topics]
