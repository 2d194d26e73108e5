from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from schemas import Event, topics
from schemas.decode import Rejected, decode
from schemas.judge import RejectedError, judge
from tests.schemas.strategies import records
from tests.support.depth import depth

Record = tuple[bytes | None, bytes | None]


def expected(topic: str, batch: list[Record]) -> tuple[list[dict[str, Any]], list[Rejected]]:
    """Rows and rejections by the models alone."""
    rows, rejected = [], []
    for offset, (key, value) in enumerate(batch):
        try:
            event = judge(topic, key, value, currency="CNY")
        except RejectedError as error:
            rejected.append(Rejected(offset, error.reason, error.detail))
        else:
            assert isinstance(event, Event)
            row = {name: getattr(event, name) for name in type(event).model_fields}
            rows.append(row | {"offset": offset, "occurred_at": event.occurred_at_ms})
    return rows, rejected


# 40 times over, batches reach the parsers that work on whole columns
@pytest.mark.parametrize("times", [1, 40])
@pytest.mark.parametrize("topic", topics.EVENT_TOPICS)
@settings(
    max_examples=depth(150), deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(data=st.data())
def test_fast_decoder_and_models_agree_on_verdict_and_values(topic: str, times: int, data: st.DataObject) -> None:
    batch = data.draw(st.lists(records(topic), min_size=1, max_size=4 if times > 1 else 8)) * times
    rows, rejected = expected(topic, batch)
    note(f"rejected by the models: {rejected[:8]}")

    decoded = decode(topic, range(len(batch)), [key for key, _ in batch], [value for _, value in batch], currency="CNY")

    assert decoded.rejected == rejected
    for field in fields(decoded.columns):
        # repr tells 1 from True and 1.0, and -0.0 from 0.0
        assert repr(getattr(decoded.columns, field.name)) == repr([row[field.name] for row in rows]), field.name
