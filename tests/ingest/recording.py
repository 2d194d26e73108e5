"""A producer that remembers."""

from __future__ import annotations

FLUSH = ("flush", b"", None)


class RecordingProducer:
    def __init__(self) -> None:
        self.calls: list[tuple[str, bytes, bytes | None]] = []

    def send(self, topic: str, key: bytes, value: bytes | None) -> None:
        self.calls.append((topic, key, value))

    def flush(self) -> None:
        self.calls.append(FLUSH)

    @property
    def records(self) -> list[tuple[str, bytes, bytes | None]]:
        return [call for call in self.calls if call != FLUSH]
