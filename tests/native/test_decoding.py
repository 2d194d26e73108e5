from __future__ import annotations

from random import Random
from typing import Final

import numpy as np
import pytest

from pipeline.native import decoding
from pipeline.native.decoding import Batch, decode_rows, scan
from pipeline.native.rows import LoginRows, TouchRows, TransactionRows
from pipeline.state.policy import Policy
from schemas.common import DEFAULT_EARLIEST_MS
from schemas.topics import LOGINS, TOUCHES, TRANSACTIONS
from tests.native.comparing import TOPICS, events_of_rows, judged, scanned
from tests.native.inputs import record

pytestmark = pytest.mark.usefixtures("native_core")
TOUCH: Final = (
    '{"event_id":"e","occurred_at":"2026-03-01T08:00:00Z","customer_id":"c","channel":"app","kind":"send",'
    '"campaign_id":"k","variant":"%s"}'
)


@pytest.mark.parametrize("topic", TOPICS)
def test_an_empty_batch_is_no_event(topic: str) -> None:
    assert scanned(topic, [], Policy()) == ([], [])


@pytest.mark.parametrize("topic", TOPICS)
def test_more_bytes_than_places_can_tell_go_to_the_judge_whole(topic: str, monkeypatch: pytest.MonkeyPatch) -> None:
    random = Random(1)
    batch = [record(topic, random) for _ in range(50)]
    expected = judged(topic, batch, Policy())
    monkeypatch.setattr(decoding, "_MOST_BYTES", 1000)
    assert expected[0]
    assert scanned(topic, batch, Policy()) == expected


@pytest.mark.parametrize("topic", TOPICS)
def test_keys_and_values_may_stand_anywhere_and_be_missing(topic: str) -> None:
    """As in a fetch that is taken whole: other bytes between them, in any order."""
    random = Random(2)
    batch = [record(topic, random) for _ in range(300)]
    pieces = [(row, part, text) for row, one in enumerate(batch) for part, text in enumerate(one)]
    random.shuffle(pieces)
    texts, begins, lengths = b"", np.zeros((2, 300), np.uint32), np.full((2, 300), 0xFFFFFFFF, np.uint32)
    for row, part, text in pieces:
        texts += random.randbytes(random.randrange(9))
        if text is not None:
            begins[part, row], lengths[part, row] = len(texts), len(text)
            texts += text
    rows, sound = scan(topic, Batch(texts, begins[0], lengths[0], begins[1], lengths[1]), Policy(), DEFAULT_EARLIEST_MS)
    taken = np.flatnonzero(rows["is_sound"])
    assert 50 < sound == len(taken) < 300
    kind = {LOGINS: LoginRows, TOUCHES: TouchRows, TRANSACTIONS: TransactionRows}[topic]
    found = kind(taken.tolist(), rows[taken], texts)
    joined, _ = scan(topic, Batch.joined(*zip(*batch, strict=True)), Policy(), DEFAULT_EARLIEST_MS)
    assert joined["is_sound"].tolist() == rows["is_sound"].tolist()
    assert set(events_of_rows(topic, found)) <= set(judged(topic, batch, Policy())[0])


def test_what_is_selected_keeps_its_texts() -> None:
    values = [(TOUCH % name).encode() for name in ("a", "b", "c")]
    decoded = decode_rows(TOUCHES, [5, 6, 9], [b"c"] * 3, values, policy=Policy(), earliest_ms=0)
    rows = decoded.columns
    assert rows.select([True, True, True]) is rows
    assert rows.select([True, False, True]).texts_of("variant") == ["a", "c"]
    assert rows.select([False, False, True]).offset == [9]
    assert len(rows.select([False] * 3)) == 0
