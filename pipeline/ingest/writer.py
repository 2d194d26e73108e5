"""Records into a file that `roi ingest --topic auto` reads back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import BinaryIO


class EnvelopeWriter:
    """A `RecordProducer` that writes one line per record. Values must be JSON; keys of tombstones must be UTF-8."""

    def __init__(self, output: BinaryIO) -> None:
        self._output = output

    def send(self, topic: str, key: bytes, value: bytes | None) -> None:
        """Write one record."""
        if value is None:
            line = json.dumps({"topic": topic, "key": key.decode(), "value": None}).encode() + b"\n"
        else:
            line = b'{"topic":"%s","value":%s}\n' % (topic.encode(), value)
        self._output.write(line)

    def flush(self) -> None:
        """Hand everything written to the operating system."""
        self._output.flush()


class Discard:
    """A `RecordProducer` that sends nothing, for a check."""

    def send(self, topic: str, key: bytes, value: bytes | None) -> None:
        """Take one record."""

    def flush(self) -> None:
        """Nothing is under way."""
