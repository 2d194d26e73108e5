"""A line of text to a Kafka record: only the key is decoded, the event itself passes through as it is.

An event that breaks the schema is a record all the same: the pipeline dead-letters it with a reason. Refused is what
cannot be given a topic or a key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

from pipeline.errors import PipelineError
from schemas.parser_limits import decode_at_any_depth
from schemas.topics import DIMENSION_TOPICS, INPUT_TOPICS, KEY_FIELD

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.ingest.ports import Record

LONGEST_LINE: Final = 900_000
"""Bytes of the longest line taken: below the 1 MiB that brokers accept, above the 64 KiB that the pipeline accepts."""

AUTO: Final = "auto"
_TOO_LONG: Final = f"longer than {LONGEST_LINE:,} bytes"
LineParser: TypeAlias = "Callable[[bytes], Record]"


class RefusedError(PipelineError):
    """A line that cannot become a record; the message is the reason and holds nothing of the line."""


class _CustomerKeyed(msgspec.Struct):
    customer_id: str


class _CampaignKeyed(msgspec.Struct):
    campaign_id: str


class _Envelope(msgspec.Struct):
    topic: str
    value: msgspec.Raw
    key: str | None = None


def parser_for(topic: str) -> LineParser:
    """Return the parser of a file's lines: events of one topic, or envelopes that name it (``auto``).

    The parser takes a line without white space around it, and raises `RefusedError` for one it can't use.

    Raises:
        ValueError: the topic takes no events.
    """
    if topic == AUTO:
        return _parse_envelope
    if topic not in INPUT_TOPICS:
        raise ValueError(f"topic == {topic!r}, must be {AUTO} or one of {', '.join(INPUT_TOPICS)}")
    key_of = _KEY_OF[topic]

    def parse(line: bytes) -> Record:
        if len(line) > LONGEST_LINE:
            raise RefusedError(_TOO_LONG)
        return topic, key_of(line), line

    return parse


def _parse_envelope(line: bytes) -> Record:
    if len(line) > LONGEST_LINE:
        raise RefusedError(_TOO_LONG)
    try:
        envelope = _ENVELOPES.decode(line)
    except msgspec.ValidationError as error:
        reason = f"not an object with topic and value ({error}); a file of one topic needs --topic"
        raise RefusedError(reason) from error
    except (msgspec.DecodeError, UnicodeError) as error:
        raise _unreadable(error) from error
    except RecursionError as error:  # the event is to pass through as it is, so it cannot be brought within limits
        raise RefusedError(
            "nested too deeply to stand beside its topic; a file of one topic (--topic) may be"
        ) from error
    topic = envelope.topic
    if topic not in _KEY_OF:
        raise RefusedError("unknown topic")
    value = bytes(envelope.value)
    if value == b"null":
        return topic, _tombstone_key(topic, envelope.key), None
    # a key beside the event is taken as it is, so that a recorded topic can be played back with its mistakes
    return topic, envelope.key.encode() if envelope.key else _KEY_OF[topic](value), value


def _tombstone_key(topic: str, key: str | None) -> bytes:
    if topic not in DIMENSION_TOPICS:
        raise RefusedError(f"value is null, which means something only on {' and '.join(DIMENSION_TOPICS)}")
    if not key:
        raise RefusedError("value is null and there is no key to delete")
    return key.encode()


def _customer_key(event: bytes) -> bytes:
    try:
        return decode_at_any_depth(_CUSTOMER_KEYED, event).customer_id.encode() or _no_key("customer_id is empty")
    except (msgspec.DecodeError, UnicodeError) as error:
        raise _refusal(error, "customer_id") from error


def _campaign_key(event: bytes) -> bytes:
    try:
        return decode_at_any_depth(_CAMPAIGN_KEYED, event).campaign_id.encode() or _no_key("campaign_id is empty")
    except (msgspec.DecodeError, UnicodeError) as error:
        raise _refusal(error, "campaign_id") from error


def _no_key(reason: str) -> bytes:
    raise RefusedError(reason)


def _refusal(error: Exception, field: str) -> RefusedError:
    if isinstance(error, msgspec.ValidationError):
        return RefusedError(f"no usable {field} ({error})")  # msgspec names fields and types, never values
    return _unreadable(error)


def _unreadable(error: Exception) -> RefusedError:
    # msgspec gives Python's own error for bytes of a text that are no UTF-8, which is none of its DecodeErrors
    return RefusedError("not UTF-8 text" if isinstance(error, UnicodeError) else "not JSON")


_CUSTOMER_KEYED: Final = msgspec.json.Decoder(_CustomerKeyed)
_CAMPAIGN_KEYED: Final = msgspec.json.Decoder(_CampaignKeyed)
_ENVELOPES: Final = msgspec.json.Decoder(_Envelope)
_KEY_OF: Final[dict[str, Callable[[bytes], bytes]]] = {
    topic: _customer_key if field == "customer_id" else _campaign_key for topic, field in KEY_FIELD.items()
}
