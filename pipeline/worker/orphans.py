"""Dead letters of reversals that waited too long: their original bytes are read again from the log."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.state.intake import ORPHAN_REVERSAL
from pipeline.transport.ports import TP

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.transport.dead_letters import DeadLetter
    from pipeline.worker.ports import LogInspector


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
        if record is None:
            return replace(letter, detail=f"{letter.detail} (the record itself has left the log)")
        return replace(letter, key=record[0], value=record[1])
