"""What all messages share: identifiers, tokens, money, instants, and how strictly JSON is read.

JSON is taken as written: no ``"5"`` or ``5.0`` for the integer 5, no ``1`` for true, no NaN or Infinity. A field with
a plain default may be left out but not null; "or null" fields may be both. Unknown fields are ignored; of a field
given twice the last counts.
"""

from __future__ import annotations

import operator
from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from schemas.instants import RFC_3339, floor_instant, format_instant, parse_instant, to_epoch_milliseconds
from schemas.parser_limits import readable_json

MAX_MONEY_MINOR: Final = 10**15
"""Largest amount either way, in minor units (fen)."""

MAX_IDENTIFIER_LENGTH: Final = 64
DEFAULT_EARLIEST_MS: Final = 631_152_000_000
"""1990-01-01T00:00:00Z: a time before it is a clock or a program at fault (zero times of Go, C# and Unix)."""
END_MS: Final = 10_413_705_600_000
"""2299-12-31T00:00:00Z: dates of ClickHouse end with 2299, and a business day lies within a day of its times."""

TOKEN_PATTERN: Final = r"^[a-z0-9][a-z0-9_.-]{0,63}$"  # noqa: S105 - a pattern of names, no secret
CASED_TOKEN_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"  # noqa: S105 - likewise
CURRENCY_PATTERN: Final = r"^[A-Z]{3}$"

TransactionKind = Literal[
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
]

Identifier = Annotated[str, StringConstraints(min_length=1, max_length=MAX_IDENTIFIER_LENGTH)]
CustomerId = Annotated[Identifier, Field(repr=False, description="key of the record; never logged or stored as it is")]
CampaignId = Annotated[str, StringConstraints(pattern=CASED_TOKEN_PATTERN)]
Variant = Annotated[str, StringConstraints(pattern=CASED_TOKEN_PATTERN)]
Token = Annotated[str, StringConstraints(pattern=TOKEN_PATTERN)]
Currency = Annotated[str, StringConstraints(pattern=CURRENCY_PATTERN)]
MoneyMinor = Annotated[int, Field(ge=0, le=MAX_MONEY_MINOR)]
SignedMoneyMinor = Annotated[int, Field(ge=-MAX_MONEY_MINOR, le=MAX_MONEY_MINOR)]


def _read_instant(value: Any) -> datetime:
    try:
        if isinstance(value, str):
            return parse_instant(value)
        if isinstance(value, datetime):
            return floor_instant(value)
    except ValueError as error:
        raise PydanticCustomError("instant", "Input should be an RFC 3339 date and time with an offset") from error
    raise PydanticCustomError("instant", "Input should be an RFC 3339 date and time with an offset")


Instant = Annotated[
    datetime,
    PlainValidator(_read_instant),
    PlainSerializer(format_instant, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": RFC_3339}),
]
"""An aware datetime in UTC, floored to the millisecond."""


class Message(BaseModel):
    """A message of an input topic, checked against the public contract and immutable."""

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="ignore",
        allow_inf_nan=False,
        hide_input_in_errors=True,  # inputs hold customer ids, and errors reach logs
    )

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **options: Any) -> Self:
        """Read one JSON object, of any depth; unlike pydantic's own, reject NaN and Infinity in ignored fields too.

        Raises:
            ValidationError: not JSON (``json_invalid`` is the first error's type), or against the contract.
        """
        try:
            readable = readable_json(json_data)
        except ValueError as error:
            details = InitErrorDetails(type="json_invalid", ctx={"error": str(error)}, input=None)
            raise ValidationError.from_exception_data(cls.__name__, [details], "json", hide_input=True) from error
        return super().model_validate_json(readable, **options)


class Event(Message):
    """What the messages of event topics have in common."""

    event_id: Identifier = Field(description="unique within its topic; a re-sent event carries the same")
    occurred_at: Instant = Field(description="event time, kept to the millisecond")

    @property
    def occurred_at_ms(self) -> int:
        """Event time in whole milliseconds since 1970-01-01T00:00:00Z."""
        return to_epoch_milliseconds(self.occurred_at)


class MoneyEvent(Event):
    """What events that carry money have besides; an absent currency, the empty text here, is the reporting currency."""

    currency: Currency = Field(
        default_factory=str,
        exclude_if=operator.not_,
        description="ISO 4217; must be the reporting currency, which it is where it is left out",
    )
