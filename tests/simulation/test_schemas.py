from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import pytest

from pipeline.simulation.bank import Bank, BankOptions
from pipeline.simulation.mixes import MixName, MixOptions, mix_events
from pipeline.simulation.schedule import Irregularities
from schemas import TOPIC_MODELS
from schemas.decode import decode, decode_campaign, decode_customer
from schemas.topics import CAMPAIGNS, LOGINS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from schemas.decode import Rejected

NOW = 1_795_000_000_000


def rejected(records: Iterable[tuple[str, bytes, bytes]]) -> dict[str, list[Rejected]]:
    by_topic: dict[str, list[tuple[bytes, bytes]]] = defaultdict(list)
    for topic, key, value in records:
        by_topic[topic].append((key, value))
    found = {}
    for topic, pairs in by_topic.items():
        keys, values = [key for key, _ in pairs], [value for _, value in pairs]
        found[topic] = decode(topic, range(len(pairs)), keys, values, currency="CNY").rejected
    return found


def bank(bad: float) -> Bank:
    irregularities = Irregularities(disorder=0.02, duplicates=0.01, bad=bad)
    return Bank(BankOptions(seed=3, customers=800, campaigns=40, irregularities=irregularities), NOW)


def test_every_event_without_bad_ones_is_accepted() -> None:
    events = [(event.topic, event.key, event.value) for event in bank(bad=0).events(live_seconds=5)]
    assert rejected(events) == {topic: [] for topic in {topic for topic, _, _ in events}}
    for topic, _, value in events[::50]:
        TOPIC_MODELS[topic].model_validate_json(value)


def test_every_definition_and_profile_is_accepted() -> None:
    for topic, key, value in bank(bad=0).definitions():
        assert (decode_campaign if topic == CAMPAIGNS else decode_customer)(key, value) is not None


def test_bad_events_are_rejected_for_several_reasons() -> None:
    events = [(event.topic, event.key, event.value) for event in bank(bad=0.05).events(live_seconds=0)]
    found = rejected(events)
    assert sum(map(len, found.values())) / len(events) == pytest.approx(0.05 / 1.06, abs=0.01)
    assert {reject.reason for reject in found[LOGINS]} == {"invalid_event"}
    reasons = {reject.reason for rejects in found.values() for reject in rejects}
    assert reasons == {"invalid_event", "unsupported_currency"}


@pytest.mark.parametrize("name", ["A", "B"])
def test_every_event_of_a_mix_is_accepted(name: MixName) -> None:
    found = rejected(mix_events(MixOptions(name, events=20_000, customers=500)))
    assert not any(found.values())
