from __future__ import annotations

import json
from collections import Counter

import pytest

from pipeline.simulation.mixes import MixName, MixOptions, mix_events
from schemas.topics import COSTS, KEY_FIELD, LOGINS, TOUCHES, TRANSACTIONS


@pytest.mark.parametrize(("name", "shares"), [("A", (0.70, 0.20, 0.09, 0.01)), ("B", (0.20, 0.40, 0.39, 0.01))])
def test_mix_has_its_shares_and_sizes(name: MixName, shares: tuple[float, ...]) -> None:
    events = list(mix_events(MixOptions(name, events=40_000, customers=5_000)))
    counts = Counter(topic for topic, _, _ in events)
    for topic, share in zip((LOGINS, TRANSACTIONS, TOUCHES, COSTS), shares, strict=True):
        assert counts[topic] / len(events) == pytest.approx(share, abs=0.01)
    assert all(130 <= len(value) <= 200 for _, _, value in events)
    assert len({key for topic, key, _ in events if topic != COSTS}) > 4_900


def test_mix_is_deterministic_and_in_order_of_time() -> None:
    first, second = (list(mix_events(MixOptions("B", events=3_000, customers=100))) for _ in range(2))
    assert first == second
    assert first != list(mix_events(MixOptions("B", events=3_000, customers=100, seed=2)))
    times = [json.loads(value)["occurred_at"] for _, _, value in first]
    assert times == sorted(times)


def test_mix_events_carry_their_own_id_and_key() -> None:
    events = list(mix_events(MixOptions("A", events=5_000, customers=100)))
    bodies = [json.loads(value) for _, _, value in events]
    assert len({body["event_id"] for body in bodies}) == len(events)
    assert all(body[KEY_FIELD[topic]].encode() == key for (topic, key, _), body in zip(events, bodies, strict=True))
