from __future__ import annotations

from typing import Any

import pytest

from schemas import topics
from tests.oracle.corruptions import BAD_DIMENSIONS, CORRUPTIONS, Body, Corruption, encoded, padded
from tests.oracle.fields import instant_ms
from tests.oracle.parsing import LARGEST_VALUE_BYTES, BadRecordError, read_campaign, read_customer, read_event

COMMON: Body = {"event_id": "e1", "occurred_at": "2026-03-02T08:00:00+08:00"}
GOOD: dict[str, Body] = {
    topics.LOGINS: COMMON | {"customer_id": "ann", "channel": "app"},
    topics.TRANSACTIONS: COMMON | {"customer_id": "ann", "channel": "app", "kind": "deposit", "amount_minor": 100},
    topics.TOUCHES: COMMON | {"customer_id": "ann", "channel": "app", "kind": "send", "campaign_id": "C-1"},
    topics.COSTS: COMMON | {"campaign_id": "C-1", "category": "media", "amount_minor": -5},
    topics.CAMPAIGNS: {
        "campaign_id": "C-1",
        "name": "One",
        "starts_at": "2026-03-01T00:00:00Z",
        "goal": {"kinds": ["deposit"]},
    },
    topics.CUSTOMERS: {"customer_id": "ann", "tier": "growth"},
}
MONDAY_MS = 1_772_409_600_000  # 2026-03-02T00:00Z


def reason(topic: str, key: bytes | None, value: bytes | None) -> str:
    try:
        if topic == topics.CAMPAIGNS:
            read_campaign(key, value or b"")
        elif topic == topics.CUSTOMERS:
            read_customer(key, value or b"")
        else:
            read_event(topic, key, value, "CNY")
    except BadRecordError as bad:
        return bad.reason
    return ""


def key_of(topic: str) -> bytes:
    return str(GOOD[topic][topics.KEY_FIELD[topic]]).encode()


@pytest.mark.parametrize("topic", topics.INPUT_TOPICS)
def test_good_example_is_taken(topic: str) -> None:
    assert reason(topic, key_of(topic), encoded(GOOD[topic])) == ""


@pytest.mark.parametrize(
    ("topic", "corruption"),
    [
        pytest.param(topic, corruption, id=f"{topic} {corruption.name}")
        for corruption in (*CORRUPTIONS, *BAD_DIMENSIONS)
        for topic in corruption.topics
    ],
)
def test_bad_event_has_its_reason(topic: str, corruption: Corruption) -> None:
    assert reason(topic, *corruption.apply(key_of(topic), GOOD[topic])) == corruption.reason


@pytest.mark.parametrize(
    ("topic", "change"),
    [
        (topics.LOGINS, {"session_seconds": None}),
        (topics.LOGINS, {"session_seconds": 0}),
        (topics.LOGINS, {"session_seconds": 1e3}),
        (topics.LOGINS, {"event_id": "é" * 64}),
        (topics.LOGINS, {"currency": "USD"}),
        (topics.LOGINS, {"currency": 7}),
        (topics.LOGINS, {"occurred_at": "1990-01-01T00:00:00Z"}),
        (topics.LOGINS, {"unknown": {"deep": [None, 1.5]}}),
        (topics.LOGINS, {"unknown": 7 * 10**4_299}),
        (topics.LOGINS, {"channel": "0_.-"}),
        (topics.TRANSACTIONS, {"amount_minor": 10**15, "aum_delta_minor": -(10**15)}),
        (topics.TRANSACTIONS, {"product": None, "revenue_minor": None, "scenario": None, "reverses": None}),
        (topics.TOUCHES, {"variant": "A.b-c_D", "cost_minor": 0}),
        (topics.TOUCHES, {"variant": None}),
        (topics.COSTS, {"amount_minor": -(10**15), "currency": "CNY"}),
    ],
)
def test_unusual_event_is_taken(topic: str, change: dict[str, Any]) -> None:
    assert reason(topic, key_of(topic), encoded(GOOD[topic] | change)) == ""


def test_integers_may_be_of_any_length_where_nobody_reads_them() -> None:
    body = encoded(GOOD[topics.COSTS])[:-1] + b', "x": ' + b"7" * 5_000 + b"}"
    assert reason(topics.COSTS, b"C-1", body) == ""
    assert reason(topics.COSTS, b"C-1", body.replace(b'"x"', b'"amount_minor"')) == "invalid_event"


def test_largest_value_is_sixty_four_kibibytes() -> None:
    value = padded(GOOD[topics.COSTS], LARGEST_VALUE_BYTES)
    assert len(value) == 64 * 1024
    assert reason(topics.COSTS, b"C-1", value) == ""
    assert reason(topics.COSTS, b"C-1", padded(GOOD[topics.COSTS], LARGEST_VALUE_BYTES + 1)) == "too_large"


def test_lone_surrogate_is_no_text() -> None:
    value = encoded(GOOD[topics.LOGINS])[:-1] + b', "note": "\\ud800"}'
    assert reason(topics.LOGINS, b"ann", value) == "not_json"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-02T00:00:00Z", MONDAY_MS),
        ("2026-03-02T08:00:00+08:00", MONDAY_MS),
        ("2026-03-01T18:30:00-05:30", MONDAY_MS),
        ("2026-03-02T00:00:00.1Z", MONDAY_MS + 100),
        ("2026-03-02T00:00:00.0019Z", MONDAY_MS + 1),
        ("2026-03-02T00:00:00.999999Z", MONDAY_MS + 999),
        ("1969-12-31T23:59:59.999Z", -1),
    ],
)
def test_instant_keeps_milliseconds(text: str, expected: int) -> None:
    assert instant_ms(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-02T00:00:00",
        "2026-03-02T00:00Z",
        "2026-03-02T00:00:00+0800",
        "2026-03-02T00:00:00.Z",
        "",
        "2026-3-2T00:00:00Z",
        "2026-03-02T00:00:00+24:00",
        "2026-03-02T00:60:00Z",
        "2026-03-02T00:00:00Z\n",
        "\uff12026-03-02T00:00:00Z",  # a full-width 2
    ],
)
def test_other_ways_to_write_an_instant_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"must be"):
        instant_ms(text)


def test_definition_fills_in_the_contracts_defaults() -> None:
    campaign = read_campaign(b"C-1", encoded(GOOD[topics.CAMPAIGNS]))
    assert (campaign.window_ms, campaign.control_variant, campaign.min_amount_minor) == (604_800_000, "control", 0)
    assert (campaign.products, campaign.margins_bps) == (None, {})
