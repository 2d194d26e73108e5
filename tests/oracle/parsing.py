"""From a record's bytes to an event, or to the reason why not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NoReturn

from schemas import topics
from tests.oracle import fields
from tests.oracle.config import DAY_MS, EARLIEST_MS, END_MS, whole_milliseconds
from tests.oracle.events import Campaign, Cost, Customer, Event, Login, Touch, Transaction

if TYPE_CHECKING:
    from collections.abc import Mapping

LARGEST_VALUE_BYTES: Final = 65_536
_MOST_DIGITS: Final = 1_000
_EVENT_FIELDS: Final = {
    topics.LOGINS: fields.LOGIN_FIELDS,
    topics.TRANSACTIONS: fields.TRANSACTION_FIELDS,
    topics.TOUCHES: fields.TOUCH_FIELDS,
    topics.COSTS: fields.COST_FIELDS,
}
_DIMENSION_FIELDS: Final = {topics.CAMPAIGNS: fields.CAMPAIGN_FIELDS, topics.CUSTOMERS: fields.CUSTOMER_FIELDS}


class BadRecordError(Exception):
    """A record that belongs into its topic's dead-letter queue."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def read_event(
    topic: str, key: bytes | None, value: bytes | None, currency: str, earliest_ms: int = EARLIEST_MS
) -> Event:
    """Return the event a record carries.

    Raises:
        BadRecordError: the first of missing_value, too_large, not_json, invalid_event, unsupported_currency,
            implausible_time and key_mismatch that applies.
    """
    if value is None:
        raise BadRecordError("missing_value")
    values = _read(value, _EVENT_FIELDS[topic])
    # a login has none: it carries no money; an absent one is the reporting currency
    if values.pop("currency", None) not in {None, currency}:
        raise BadRecordError("unsupported_currency")
    values["occurred_at"] = fields.instant_ms(values["occurred_at"])
    if not earliest_ms <= values["occurred_at"] < END_MS:
        raise BadRecordError("implausible_time")
    _check_key(topic, key, values)
    return _event(topic, values)


def read_campaign(key: bytes | None, value: bytes) -> Campaign:
    """Return the definition a dimension record carries.

    Raises:
        BadRecordError: as `read_event`.
    """
    values = _read(value, _DIMENSION_FIELDS[topics.CAMPAIGNS])
    _check_key(topics.CAMPAIGNS, key, values)
    goal = values["goal"]
    products = goal.get("products")
    return Campaign(
        kinds=frozenset(goal["kinds"]),
        products=None if products is None else frozenset(products),
        min_amount_minor=goal.get("min_amount_minor", 0),
        window_ms=_window_ms(values["attribution_window_days"]),
        control_variant=values["control_variant"],
        margins_bps=values["margins_bps"] or {},
    )


def read_customer(key: bytes | None, value: bytes) -> Customer:
    """Return the profile a dimension record carries.

    Raises:
        BadRecordError: as `read_event`.
    """
    values = _read(value, _DIMENSION_FIELDS[topics.CUSTOMERS])
    _check_key(topics.CUSTOMERS, key, values)
    return Customer(tier=values["tier"])


def _window_ms(days: float) -> int:
    return days * DAY_MS if isinstance(days, int) else whole_milliseconds(days)


def _read(value: bytes, rules: Mapping[str, fields.Field]) -> dict[str, Any]:
    if len(value) > LARGEST_VALUE_BYTES:
        raise BadRecordError("too_large")
    body = _json(value)
    values = fields.read(body, rules) if isinstance(body, dict) else None
    if values is None:
        raise BadRecordError("invalid_event")
    return values


def _json(value: bytes) -> Any:
    try:
        text = value.decode("utf-8")
        body = json.loads(text, parse_constant=_not_json, parse_int=_integer)
        _check_unicode(text, body)
    except (ValueError, RecursionError) as error:
        raise BadRecordError("not_json") from error
    return body


def _integer(digits: str) -> int:
    return int(
        digits[:_MOST_DIGITS]
    )  # what is longer is too large for every field, and still is; int() would refuse it


def _not_json(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number")


def _check_unicode(text: str, body: Any) -> None:
    # an escaped lone surrogate is the one way for JSON text in good UTF-8 to hold something that is no Unicode text
    if "\\u" in text:
        json.dumps(body, ensure_ascii=False).encode("utf-8")


def _check_key(topic: str, key: bytes | None, values: dict[str, Any]) -> None:
    if key != values[topics.KEY_FIELD[topic]].encode():
        raise BadRecordError("key_mismatch")


def _event(topic: str, values: dict[str, Any]) -> Event:
    if topic == topics.LOGINS:
        del values["channel"]
        return Login(**values)
    if topic == topics.TRANSACTIONS:
        return Transaction(**values)
    values["variant"] = values["variant"] or ""
    return Touch(**values) if topic == topics.TOUCHES else Cost(**values)
