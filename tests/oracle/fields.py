"""Contract section 2 field by field: what a JSON value must look like to be taken."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MONEY_LIMIT: Final = 10**15
WIDEST_MARGIN_BPS: Final = 100_000
LONGEST_DAYS: Final = 36_500
TRANSACTION_KINDS: Final = frozenset(
    {
        "transfer",
        "payment",
        "card_spend",
        "deposit",
        "withdrawal",
        "wealth_purchase",
        "wealth_redemption",
        "loan_drawdown",
        "account_open",
        "card_activation",
        "insurance_purchase",
        "other",
    }
)
TOUCH_KINDS: Final = frozenset({"assign", "send", "view", "click", "call", "visit", "voucher_issue", "voucher_redeem"})
COST_CATEGORIES: Final = frozenset({"media", "incentive", "labour", "platform", "other"})

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TOKEN: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
_MIXED_TOKEN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_INSTANT: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]+))?"
    r"(?:[Zz]|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))"
)


@dataclass(frozen=True, slots=True)
class Field:
    """One field's rule; an absent optional field has its default, and null is only taken where the contract says so."""

    accepts: Callable[[Any], bool]
    required: bool = True
    default: Any = None
    nullable: bool = False


def instant_ms(text: str) -> int:
    """Return epoch milliseconds of an RFC 3339 instant; digits beyond the millisecond are cut off.

    Raises:
        ValueError: it is no such instant, has no offset, or names a day or second that does not exist.
    """
    match = _INSTANT.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} must be an RFC 3339 instant with an offset")
    day, clock, fraction, sign, hours, minutes = match.groups()
    local = datetime.fromisoformat(f"{day}T{clock}+00:00")
    milliseconds = (local - _EPOCH) // timedelta(milliseconds=1) + int(f"{fraction or ''}000"[:3])
    offset_ms = (int(hours) * 60 + int(minutes)) * 60_000 if sign else 0
    return milliseconds + offset_ms if sign == "-" else milliseconds - offset_ms


def is_instant(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        instant_ms(value)
    except ValueError:
        return False
    return True


def is_bool(value: Any) -> bool:
    return isinstance(value, bool)


def is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_money(value: Any) -> bool:
    return is_integer(value) and bool(abs(value) <= MONEY_LIMIT)


def is_money_not_negative(value: Any) -> bool:
    return is_money(value) and bool(value >= 0)


def is_number_not_negative(value: Any) -> bool:
    return (is_integer(value) or (isinstance(value, float) and math.isfinite(value))) and bool(value >= 0)


def is_number_positive(value: Any) -> bool:
    return is_number_not_negative(value) and bool(value > 0)


def is_window(value: Any) -> bool:
    return is_number_positive(value) and bool(value <= LONGEST_DAYS)


def is_text(value: Any) -> bool:
    return isinstance(value, str)


def is_identifier(value: Any) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= 64


def is_token(value: Any) -> bool:
    return isinstance(value, str) and _TOKEN.fullmatch(value) is not None


def is_mixed_token(value: Any) -> bool:
    return isinstance(value, str) and _MIXED_TOKEN.fullmatch(value) is not None


def is_currency(value: Any) -> bool:
    return isinstance(value, str) and _CURRENCY.fullmatch(value) is not None


def one_of(allowed: frozenset[str]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and value in allowed


def list_of(accepts: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(accepts(item) for item in value)


def is_goal(value: Any) -> bool:
    return isinstance(value, dict) and read(value, _GOAL) is not None and len(value["kinds"]) > 0


def is_margins(value: Any) -> bool:
    return isinstance(value, dict) and all(
        kind in TRANSACTION_KINDS and is_integer(margin) and abs(margin) <= WIDEST_MARGIN_BPS
        for kind, margin in value.items()
    )


def read(body: Mapping[str, Any], fields: Mapping[str, Field]) -> dict[str, Any] | None:
    """Return the named fields of a JSON object with defaults filled in, or None if any breaks its rule."""
    values: dict[str, Any] = {}
    for name, field in fields.items():
        if name not in body:
            if field.required:
                return None
            values[name] = field.default
        elif body[name] is None:
            if not field.nullable:
                return None
            values[name] = None
        elif field.accepts(body[name]):
            values[name] = body[name]
        else:
            return None
    return values


def optional(accepts: Callable[[Any], bool], default: Any) -> Field:
    """Return the rule of a field that may be absent, but not null."""
    return Field(accepts, required=False, default=default)


def nullable(accepts: Callable[[Any], bool]) -> Field:
    """Return the rule of a field that may be null or absent, which is the same."""
    return Field(accepts, required=False, nullable=True)


_GOAL: Final = {
    "kinds": Field(list_of(one_of(TRANSACTION_KINDS))),
    "products": nullable(list_of(is_token)),
    "min_amount_minor": optional(is_money_not_negative, 0),
}
_COMMON: Final = {"event_id": Field(is_identifier), "occurred_at": Field(is_instant)}
_MONEY: Final = _COMMON | {"currency": optional(is_currency, None)}
LOGIN_FIELDS: Final = _COMMON | {
    "customer_id": Field(is_identifier),
    "channel": Field(is_token),
    "session_seconds": nullable(is_number_not_negative),
    "automated": optional(is_bool, default=False),
}
TRANSACTION_FIELDS: Final = _MONEY | {
    "customer_id": Field(is_identifier),
    "kind": Field(one_of(TRANSACTION_KINDS)),
    "amount_minor": Field(is_money_not_negative),
    "channel": Field(is_token),
    "product": nullable(is_token),
    "revenue_minor": nullable(is_money_not_negative),
    "aum_delta_minor": nullable(is_money),
    "cross_bank": optional(is_bool, default=False),
    "scenario": nullable(is_token),
    "reverses": nullable(is_identifier),
}
TOUCH_FIELDS: Final = _MONEY | {
    "customer_id": Field(is_identifier),
    "campaign_id": Field(is_mixed_token),
    "variant": nullable(is_mixed_token),
    "channel": Field(is_token),
    "kind": Field(one_of(TOUCH_KINDS)),
    "cost_minor": optional(is_money_not_negative, 0),
    "automated": optional(is_bool, default=False),
    "recommended": optional(is_bool, default=False),
}
COST_FIELDS: Final = _MONEY | {
    "campaign_id": Field(is_mixed_token),
    "variant": nullable(is_mixed_token),
    "category": Field(one_of(COST_CATEGORIES)),
    "amount_minor": Field(is_money),
}
CAMPAIGN_FIELDS: Final = {
    "campaign_id": Field(is_mixed_token),
    "name": Field(is_text),
    "owner": nullable(is_text),
    "starts_at": Field(is_instant),
    "ends_at": nullable(is_instant),
    "budget_minor": nullable(is_money_not_negative),
    "goal": Field(is_goal),
    "attribution_window_days": optional(is_window, 7),
    "min_return_ratio": optional(is_number_not_negative, 2.0),
    "control_variant": optional(is_mixed_token, "control"),
    "margins_bps": nullable(is_margins),
}
CUSTOMER_FIELDS: Final = {
    "customer_id": Field(is_identifier),
    "tier": nullable(is_token),
    "segment": nullable(is_token),
    "opened_at": nullable(is_instant),
}
