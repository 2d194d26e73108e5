from __future__ import annotations

import json

import pytest

from pipeline.ingest.records import AUTO, LONGEST_LINE, RefusedError, parser_for
from schemas.topics import CAMPAIGNS, COSTS, CUSTOMERS, INPUT_TOPICS, KEY_FIELD, LOGINS, TOUCHES

SECRET = "somebody"


def envelope(topic: str, value: str, extra: str = "") -> bytes:
    return f'{{"topic":"{topic}","value":{value}{extra}}}'.encode()


@pytest.mark.parametrize("topic", INPUT_TOPICS)
def test_every_topic_is_keyed_by_its_own_field(topic: str) -> None:
    event = json.dumps({"customer_id": "c 1", "campaign_id": "k-1", "more": [1, {"a": None}]})
    key = {"customer_id": b"c 1", "campaign_id": b"k-1"}[KEY_FIELD[topic]]
    assert parser_for(topic)(event.encode()) == (topic, key, event.encode())
    assert parser_for(AUTO)(envelope(topic, event)) == (topic, key, event.encode())


def test_value_passes_byte_for_byte() -> None:
    event = '{ "amount_minor" : 1.50 , "customer_id" : "k\\u00f6nig", "x":"ö" }'
    assert parser_for(AUTO)(envelope(LOGINS, event)) == (LOGINS, "könig".encode(), event.encode())


@pytest.mark.parametrize("levels", [500, 20_000])
def test_line_of_any_depth_has_a_key_and_passes_as_it_is(levels: int) -> None:
    deep = '{"x":' + "[" * levels + "]" * levels + ',"customer_id":"c1","y":' + "7" * 5_000 + "}"
    assert parser_for(LOGINS)(deep.encode()) == (LOGINS, b"c1", deep.encode())
    with pytest.raises(RefusedError, match="not JSON"):
        parser_for(LOGINS)(deep.replace("[]", "[}").encode())


def test_event_beside_its_topic_may_be_deep_but_not_endlessly() -> None:
    event = '{"x":' + "[" * 500 + "]" * 500 + ',"customer_id":"c1"}'
    assert parser_for(AUTO)(envelope(LOGINS, event)) == (LOGINS, b"c1", event.encode())
    with pytest.raises(RefusedError, match="--topic"):
        parser_for(AUTO)(envelope(LOGINS, event.replace("[]", "[" * 20_000 + "]" * 20_000)))


def test_event_that_breaks_the_schema_is_a_record_all_the_same() -> None:
    event = b'{"customer_id":"c1","occurred_at":"yesterday","session_seconds":-1}'
    assert parser_for(LOGINS)(event) == (LOGINS, b"c1", event)


@pytest.mark.parametrize("topic", [CAMPAIGNS, CUSTOMERS])
def test_null_with_a_key_is_a_tombstone(topic: str) -> None:
    assert parser_for(AUTO)(envelope(topic, "null", ',"key":"gone"')) == (topic, b"gone", None)


def test_key_beside_the_event_is_taken_as_it_is() -> None:
    parsed = parser_for(AUTO)(envelope(LOGINS, '{"customer_id":"c1"}', ',"key":"c2"'))
    assert parsed == (LOGINS, b"c2", b'{"customer_id":"c1"}')


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "not JSON"),
        (b'{"customer_id":"somebody"} {}', "not JSON"),
        (b'{"customer_id":"\\ud800"}', "not JSON"),
        (b'{"customer_id":"\xff"}', "not UTF-8 text"),
        (b'["somebody"]', "no usable customer_id"),
        (b'"somebody"', "no usable customer_id"),
        (b"null", "no usable customer_id"),
        (b'{"campaign_id":"somebody"}', "no usable customer_id"),
        (b'{"customer_id":7}', "no usable customer_id"),
        (b'{"customer_id":null,"x":"somebody"}', "no usable customer_id"),
        (b'{"customer_id":""}', "customer_id is empty"),
        (b'{"customer_id":"somebody","x":"' + b"x" * LONGEST_LINE + b'"}', "longer than 900,000 bytes"),
    ],
)
def test_line_without_a_usable_key_is_refused(line: bytes, reason: str) -> None:
    with pytest.raises(RefusedError, match=reason) as refusal:
        parser_for(TOUCHES)(line)
    assert SECRET not in str(refusal.value)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"customer_id":"somebody"}', "--topic"),
        (b"[]", "not an object with topic and value"),
        (b'{"topic":7,"value":{}}', "not an object with topic and value"),
        (b'{"topic":"bank.logins.v1"}', "not an object with topic and value"),
        (envelope("bank.logins.v2", '{"customer_id":"somebody"}'), "unknown topic"),
        (envelope("roi.alerts.v1", '{"campaign_id":"k"}'), "unknown topic"),
        (envelope(LOGINS, "null", ',"key":"somebody"'), "value is null"),
        (envelope(CAMPAIGNS, "null"), "no key to delete"),
        (envelope(CAMPAIGNS, "null", ',"key":""'), "no key to delete"),
        (envelope(LOGINS, "[1]"), "no usable customer_id"),
        (envelope(LOGINS, '"somebody"'), "no usable customer_id"),
        (envelope(LOGINS, "{,}"), "not JSON"),
        (envelope(COSTS, '{"customer_id":"somebody"}'), "no usable campaign_id"),
        (b"x" * (LONGEST_LINE + 1), "longer than 900,000 bytes"),
    ],
)
def test_envelope_that_leads_nowhere_is_refused(line: bytes, reason: str) -> None:
    with pytest.raises(RefusedError, match=reason) as refusal:
        parser_for(AUTO)(line)
    assert SECRET not in str(refusal.value)


def test_unknown_topic_of_a_file_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="must be auto or one of bank"):
        parser_for("logins")
