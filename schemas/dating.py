"""When a record of an event topic says that it occurred, read before anything else of it is judged."""

from __future__ import annotations

from typing import Final

import msgspec

from schemas.instants import parse_instant, to_epoch_milliseconds
from schemas.judge import MAX_VALUE_BYTES
from schemas.parser_limits import decode_at_any_depth


class _Dated(msgspec.Struct):
    occurred_at: str


_DATED: Final = msgspec.json.Decoder(_Dated)


def occurred_at_of(value: bytes | None) -> int | None:
    """Return a record's ``occurred_at`` in epoch milliseconds; None where it says nothing that an event could say."""
    if value is None or len(value) > MAX_VALUE_BYTES:
        return None
    try:
        return to_epoch_milliseconds(parse_instant(decode_at_any_depth(_DATED, value).occurred_at))
    except (msgspec.MsgspecError, ValueError):
        return None
