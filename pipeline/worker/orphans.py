"""Dead letters of reversals that waited too long: their original bytes are read again from the log."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.state.intake import ORPHAN_REVERSAL
from pipeline.transport.ports import TP
from schemas.parser_limits import decode_at_any_depth

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.transport.dead_letters import DeadLetter
    from pipeline.worker.ports import LogInspector


class _Identified(msgspec.Struct):
    event_id: str


_IDENTIFIED: Final = msgspec.json.Decoder(_Identified)


class OrphanRecall:
    """Completes dead letters; a record the log holds no more is reported with an empty value that says so."""

    def __init__(self, inspector: LogInspector) -> None:
        self._inspector = inspector

    async def complete(self, letters: Sequence[DeadLetter]) -> list[DeadLetter]:
        """Return the letters with the bytes of their records."""
        return [
            letter if letter.reason != ORPHAN_REVERSAL else await asyncio.to_thread(self._recalled, letter)
            for letter in letters
        ]

    def _recalled(self, letter: DeadLetter) -> DeadLetter:
        record = self._inspector.recall(TP(letter.topic, letter.partition), letter.offset)
        # a recreated topic holds something else at this offset
        if record is None or _event_id(record[1]) != letter.event_id:
            return replace(letter, detail=f"{letter.detail} (the record itself has left the log)")
        return replace(letter, key=record[0], value=record[1])


def _event_id(value: bytes | None) -> str | None:
    try:
        return decode_at_any_depth(_IDENTIFIED, value or b"").event_id
    except (msgspec.MsgspecError, ValueError):  # the latter of bytes in it that are no text
        return None
