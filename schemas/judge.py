"""The verdict on one record, by the pydantic models: what the fast decoder must agree with.

The checks run in the order of `Reason`, and the first that fails names the reason.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final, Literal

from pydantic import TypeAdapter, ValidationError

from pipeline.errors import PipelineError
from schemas import TOPIC_MODELS, Event, Goal
from schemas.common import DEFAULT_EARLIEST_MS, END_MS, CampaignId, Identifier, MoneyEvent
from schemas.topics import CUSTOMER_KEYED_TOPICS, KEY_FIELD

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from schemas import Message

Reason = Literal[
    "too_large",
    "missing_value",
    "not_json",
    "invalid_event",
    "unsupported_currency",
    "implausible_time",
    "key_mismatch",
    "misplaced_key",  # given where the partition is known, not here
]

MAX_VALUE_BYTES: Final = 65_536

_MODELS: Final[tuple[type[Message], ...]] = (*TOPIC_MODELS.values(), Goal)
_FIELD_NAMES: Final = frozenset(name for model in _MODELS for name in model.model_fields)


class RejectedError(PipelineError):
    """A record goes to the dead-letter topic: ``reason`` is for machines, ``detail`` names field and rule.

    The detail never holds anything of the record itself, so it may be logged and stored.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason: Reason = reason
        self.detail = detail


def judge(
    topic: str,
    key: bytes | None,
    value: bytes | None,
    *,
    currency: str | None = None,
    earliest_ms: int = DEFAULT_EARLIEST_MS,
) -> Message:
    """Return the message of a record, checked in full.

    Args:
        topic: one of the input topics.
        key: the record's key, which must be the id in the body.
        value: the record's value.
        currency: the reporting currency, the only one events may have; not looked at where there is no money.
        earliest_ms: events before it are implausible, as those are from `END_MS` on; not looked at on dimension topics.

    Raises:
        RejectedError: the record belongs in the dead-letter topic.
    """
    if value is None:
        raise RejectedError("missing_value", "value: required")
    if len(value) > MAX_VALUE_BYTES:
        raise RejectedError("too_large", f"value: at most {MAX_VALUE_BYTES} bytes expected")
    try:
        message = TOPIC_MODELS[topic].model_validate_json(value)
    except ValidationError as error:
        raise _rejection(error) from None  # the cause would carry the record's content into logs
    if isinstance(message, MoneyEvent) and message.currency and message.currency != currency:
        raise RejectedError("unsupported_currency", f"currency: {currency} expected")
    if isinstance(message, Event) and message.occurred_at_ms < earliest_ms:
        raise RejectedError("implausible_time", "occurred_at: no earlier than the setting time.earliest expected")
    if isinstance(message, Event) and message.occurred_at_ms >= END_MS:
        raise RejectedError(
            "implausible_time", "occurred_at: before 2299-12-31 expected, the end of ClickHouse's dates"
        )
    _check_key(topic, key, getattr(message, KEY_FIELD[topic]))
    return message


def judge_tombstone(topic: str, key: bytes | None) -> None:
    """Check the key of a null value on a dimension topic.

    Raises:
        RejectedError: the key is no id that a message of the topic could have.
    """
    if key is None:
        raise RejectedError("missing_value", "key and value: one of them required")
    try:
        _identifier(topic).validate_python(key.decode())
    except (UnicodeDecodeError, ValidationError):
        raise RejectedError("key_mismatch", f"key: a {KEY_FIELD[topic]} expected") from None


def _check_key(topic: str, key: bytes | None, identifier: str) -> None:
    if key is None:
        raise RejectedError("key_mismatch", "key: required")
    if key != identifier.encode():
        raise RejectedError("key_mismatch", f"key: {KEY_FIELD[topic]} of the body expected")


@cache
def _identifier(topic: str) -> TypeAdapter[str]:
    return TypeAdapter(Identifier if topic in CUSTOMER_KEYED_TOPICS else CampaignId)


def _rejection(error: ValidationError) -> RejectedError:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    reason: Reason = "not_json" if first["type"] == "json_invalid" else "invalid_event"
    return RejectedError(reason, f"{_field(first)}: {_rule(first['msg'])}")


def _field(error: ErrorDetails) -> str:
    # what a producer wrote as a mapping's key stands in the location too, and must not reach a log
    known = (str(part) for part in error["loc"] if isinstance(part, int) or part in _FIELD_NAMES)
    return ".".join(known) or "value"


def _rule(message: str) -> str:
    expectation = message.removeprefix("Input should be ")
    if expectation != message:
        return f"{expectation} expected"
    return message[0].lower() + message[1:]
