"""Record batches that nobody can read: their sum is right, and what was summed up is not what their codec wrote."""

from __future__ import annotations

from aiokafka.errors import CorruptRecordException


def unreadable(where: str, error: Exception) -> CorruptRecordException:
    """Return the Kafka error for what a codec, or aiokafka's own reading, has raised.

    A broker that checks batches takes none of these. One that does not hands them out for ever: as with a broken sum,
    the partition waits, the others go on, and the log says so.
    """
    return CorruptRecordException(f"{where} holds a record batch that cannot be read ({type(error).__name__})")
