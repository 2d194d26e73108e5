"""The worker's dead-letter producer: the original bytes, and in headers where they came from and what is wrong."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.errors import CorruptRecordException, KafkaError, MessageSizeTooLargeError, RecordListTooLargeError

from pipeline.transport.admin import DEAD_LETTER_BYTES
from pipeline.transport.security import client_options
from schemas.topics import dead_letter_topic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.settings import Settings

APP_NAME: Final = "roi"
# kept of a value, and of a key, where the dead-letter topic refuses the whole record as too large
CUT_BYTES: Final = 512 * 1024
CUT_KEY_BYTES: Final = 64 * 1024
HEADER_ROOM: Final = 4096
# of letters to one partition in one request: aiokafka's 16 KiB hold forty, and wake all that wait for each of them
_BATCH_BYTES: Final = 64 * 1024
# what a broker says of the one record, not of itself; anything else is worth trying again as it is
_REFUSALS: Final = (MessageSizeTooLargeError, RecordListTooLargeError, CorruptRecordException)
_log = logging.getLogger(__name__)


class _Form(NamedTuple):
    """How much of a record its letter carries."""

    value_bytes: int
    key_bytes: int


# a letter that its topic refuses must not hold up the partition for ever: less of it is tried then
_WHOLE: Final = _Form(DEAD_LETTER_BYTES, DEAD_LETTER_BYTES)
_FORMS: Final = (_WHOLE, _Form(CUT_BYTES, CUT_KEY_BYTES), _Form(0, 0))


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
        """Return the contract's headers (section 1), and one that tells a null value from an empty one."""
        fields = {
            "topic": self.topic,
            "partition": self.partition,
            "offset": self.offset,
            "reason": self.reason,
            "detail": self.detail,
            "app": APP_NAME,
        }
        if self.value is None and not self.event_id:  # else the record has left its log, and nobody knows
            fields["null"] = "value"
        return [(f"dlq.{name}", str(value).encode(errors="replace")) for name, value in fields.items()]


class DeadLetterProducer:
    """Writes dead letters; at least once, told apart by their (topic, partition, offset) headers."""

    def __init__(self, settings: Settings) -> None:
        self._options = client_options(settings)
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        """Connect to the broker."""
        # no idempotence: Tansu refuses aiokafka's, and the headers identify a letter
        self._producer = AIOKafkaProducer(
            **self._options, acks="all", linger_ms=5, max_batch_size=_BATCH_BYTES, max_request_size=DEAD_LETTER_BYTES
        )
        try:
            await self._producer.start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Write what is left and disconnect."""
        if self._producer is not None:
            await self._producer.stop()
            self._producer = None

    async def write(self, letters: Sequence[DeadLetter]) -> None:
        """Return when the broker has stored all letters; to be awaited before the ledger block that counts them.

        A null value is written as an empty one, and a header says so: clients refuse a record with neither key nor
        value. What is too large for the topic is cut, and headers say so; the least a letter has is its headers.

        Raises:
            KafkaError: the broker did not take them; what was written before is written again by a retry.
        """
        if self._producer is None:
            raise RuntimeError("the dead-letter producer is not started")
        outcomes = await asyncio.gather(
            *(self._deliver(self._producer, letter) for letter in letters), return_exceptions=True
        )
        for outcome in outcomes:
            if outcome is not None:
                raise outcome

    async def _deliver(self, producer: AIOKafkaProducer, letter: DeadLetter) -> None:
        for form in _FORMS:
            if form is _WHOLE and len(letter.value or b"") + len(letter.key or b"") > DEAD_LETTER_BYTES - HEADER_ROOM:
                continue
            try:
                await (await self._send(producer, letter, form))
            except _REFUSALS as error:
                refusal: Exception = error
            except (KafkaError, OSError):
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, it is about this letter: its headers must do
                refusal = error
            else:
                return
            _log.warning(
                "the dead letter of %s/%d offset %d was refused (%s), sending less of it",
                letter.topic,
                letter.partition,
                letter.offset,
                type(refusal).__name__,
            )
        raise KafkaError(f"the dead letter of {letter.topic}/{letter.partition} offset {letter.offset} was refused")

    @staticmethod
    async def _send(producer: AIOKafkaProducer, letter: DeadLetter, form: _Form) -> asyncio.Future[object]:
        headers = letter.headers()
        value, key = letter.value or b"", letter.key
        if len(value) > form.value_bytes:
            headers.append(("dlq.cut_from_bytes", str(len(value)).encode()))
            value = value[: form.value_bytes]
        if key is not None and len(key) > form.key_bytes:
            headers.append(("dlq.key_cut_from_bytes", str(len(key)).encode()))
            key = key[: form.key_bytes]
        future: asyncio.Future[object] = await producer.send(
            dead_letter_topic(letter.topic), value, key=key, headers=headers
        )
        return future
