from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.transport.dimensions import DimensionReader
from pipeline.transport.reading import read_topic
from schemas.topics import CAMPAIGNS, CUSTOMERS
from tests.support.odd_headers import write_odd_headers

if TYPE_CHECKING:
    import pytest

    from pipeline.settings import Settings


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
