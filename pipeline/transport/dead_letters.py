"""The worker's dead-letter producer: the original bytes, and in headers where they came from and what is wrong."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError

from pipeline.transport.admin import DEAD_LETTER_BYTES
from pipeline.transport.security import client_options
from schemas.topics import dead_letter_topic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.settings import Settings

APP_NAME: Final = "roi"
# kept of a value that its dead-letter topic refuses as too large
CUT_BYTES: Final = 512 * 1024
HEADER_ROOM: Final = 4096


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A rejected input message. ``detail`` names the field and the rule, never the value.

    ``event_id`` is known where the message's bytes have to be read again from its log.
    """

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    reason: str
    detail: str
    event_id: str = ""

    def headers(self) -> list[tuple[str, bytes]]:
        """Return the contract's headers (section 1)."""
        fields = {
            "topic": self.topic,
            "partition": self.partition,
            "offset": self.offset,
            "reason": self.reason,
            "detail": self.detail,
            "app": APP_NAME,
        }
        return [(f"dlq.{name}", str(value).encode()) for name, value in fields.items()]


class DeadLetterProducer:
    """Writes dead letters; at least once, told apart by their (topic, partition, offset) headers."""

    def __init__(self, settings: Settings) -> None:
        self._options = client_options(settings)
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        """Connect to the broker."""
        # no idempotence: Tansu refuses aiokafka's, and the headers identify a letter
        self._producer = AIOKafkaProducer(**self._options, acks="all", linger_ms=5, max_request_size=DEAD_LETTER_BYTES)
        await self._producer.start()

    async def stop(self) -> None:
        """Write what is left and disconnect."""
        if self._producer is not None:
            await self._producer.stop()
            self._producer = None

    async def write(self, letters: Sequence[DeadLetter]) -> None:
        """Return when the broker has stored all letters; to be awaited before the ledger block that counts them.

        Raises:
            KafkaError: the broker did not take them; what was written before is written again by a retry.
        """
        written = [await self._send(letter) for letter in letters]
        outcomes = await asyncio.gather(*written, return_exceptions=True)
        for letter, outcome in zip(letters, outcomes, strict=True):
            if isinstance(outcome, MessageSizeTooLargeError):
                await (await self._send(letter, cut=True))
            elif isinstance(outcome, BaseException):
                raise outcome

    async def _send(self, letter: DeadLetter, *, cut: bool = False) -> asyncio.Future[object]:
        if self._producer is None:
            raise RuntimeError("the dead-letter producer is not started")
        headers = letter.headers()
        value = letter.value
        # a letter that its topic refuses must not hold up the partition for ever
        if value is not None and (cut or len(value) > DEAD_LETTER_BYTES - HEADER_ROOM):
            headers.append(("dlq.cut_from_bytes", str(len(value)).encode()))
            value = value[:CUT_BYTES]
        future: asyncio.Future[object] = await self._producer.send(
            dead_letter_topic(letter.topic), value, key=letter.key, headers=headers
        )
        return future
