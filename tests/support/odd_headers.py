"""Writes records as clients in C or Go can: header names that are not UTF-8."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiokafka.producer.message_accumulator
import aiokafka.producer.producer
from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest


class _Odd(str):
    """A name that encodes to bytes which are not UTF-8."""

    __slots__ = ()

    def encode(self, *_: str) -> bytes:
        return b"\xff\xfe"

    def __len__(self) -> int:
        return 2


async def write_odd_headers(
    bootstrap: str, records: Sequence[tuple[str, int, bytes, bytes]], patch: pytest.MonkeyPatch
) -> None:
    """Write (topic, partition, key, value) with such a header."""
    for module in (aiokafka.producer.message_accumulator, aiokafka.producer.producer):
        patch.setattr(module, "DefaultRecordBatchBuilder", _DefaultRecordBatchBuilderPy)
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all")
    await producer.start()
    for topic, partition, key, value in records:
        await producer.send_and_wait(topic, value, key=key, partition=partition, headers=[(_Odd("xx"), b"1")])
    await producer.stop()
