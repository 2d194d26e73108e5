from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from pipeline.transport.dimensions import DimensionReader
from pipeline.transport.reading import read_topic
from pipeline.transport.record_headers import _TolerantRecords
from schemas.topics import CAMPAIGNS, CUSTOMERS
from tests.support.odd_headers import write_odd_headers

if TYPE_CHECKING:
    from pipeline.settings import Settings


def test_a_length_that_lies_beside_an_odd_name_is_a_corrupt_batch_and_stops_no_process() -> None:
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, 0, 0, 1 << 16)
    builder.append(0, 1, None, None, [("odd", b""), ("more", b"123456"), ("last", b"")])
    raw = bytes(builder.build())
    odd, more = raw.index(b"odd"), raw.index(b"more")
    # the first name is no UTF-8, and the second value ends gigabytes behind the batch
    lying = raw[:odd] + b"\xff" + raw[odd + 1 : more + 4] + b"\xfe\xff\xff\xff\x7f" + raw[more + 9 :]
    records = _TolerantRecords(lying)
    with pytest.raises(CorruptRecordException):
        list(records.next_batch())


MANY = 40  # a call becomes a fast path of the interpreter after some rounds, and that path crashed


async def test_records_are_read_past_header_names_that_are_not_utf8(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [(topic, 0, b"odd-%d" % number, b"{}") for number in range(MANY) for topic in (CAMPAIGNS, CUSTOMERS)]
    await write_odd_headers(settings.kafka_bootstrap_servers, records, monkeypatch)
    reader = DimensionReader(settings)
    await reader.start()
    await reader.own({0: None})
    updates = await reader.catch_up()
    await reader.stop()
    odd = [b"odd-%d" % number for number in range(MANY)]
    assert [record.key for record in updates.campaigns if (record.key or b"").startswith(b"odd")] == odd
    assert [record.key for record in updates.customers[0] if (record.key or b"").startswith(b"odd")] == odd
    found = [record for record in read_topic(settings, CAMPAIGNS) if (record.key or b"").startswith(b"odd")]
    assert [(record.key, record.headers) for record in found] == [(key, {}) for key in odd]
