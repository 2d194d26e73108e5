from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from schemas import topics
from schemas.decode import decode, decode_campaign, decode_customer
from schemas.export import EXAMPLES, json_schema
from schemas.judge import RejectedError, judge

if TYPE_CHECKING:
    from pathlib import Path

CURRENCY = "CNY"
STRANGER = b"somebody-else"

# rules of the name's second part that JSON Schema cannot express
BEYOND_JSON_SCHEMA = {"impossible_date", "integral_float_amount", "ends_before_it_starts"}


def files(kind: str) -> list[Any]:
    found = sorted(EXAMPLES.glob(f"*/{kind}/*.json"))
    return [pytest.param(file.parent.parent.name, file, id=f"{file.parent.parent.name}/{file.stem}") for file in found]


def key_of(topic: str, file: Path) -> bytes:
    if file.stem.startswith("key_mismatch"):
        return STRANGER
    try:
        identifier = json.loads(file.read_bytes())[topics.KEY_FIELD[topic]]
    except (ValueError, KeyError, TypeError):
        return STRANGER
    return str(identifier).encode()


def fast_verdict(topic: str, key: bytes, value: bytes) -> str | None:
    """Reason for which the decoder of the hot path (on dimension topics the only one) refuses a record."""
    if topic in topics.DIMENSION_TOPICS:
        decode_one = decode_campaign if topic == topics.CAMPAIGNS else decode_customer
        try:
            decode_one(key, value)
        except RejectedError as error:
            return error.reason
        return None
    rejected = decode(topic, [0], [key], [value], currency=CURRENCY).rejected
    return rejected[0].reason if rejected else None


def model_verdict(topic: str, key: bytes, value: bytes) -> str | None:
    try:
        judge(topic, key, value, currency=CURRENCY)
    except RejectedError as error:
        return error.reason
    return None


@pytest.mark.parametrize("topic", topics.INPUT_TOPICS)
@pytest.mark.parametrize("kind", ["good", "bad"])
def test_every_topic_has_examples(topic: str, kind: str) -> None:
    assert list((EXAMPLES / topic / kind).glob("*.json"))


def test_examples_belong_to_a_topic() -> None:
    assert {directory.name for directory in EXAMPLES.iterdir()} == set(topics.INPUT_TOPICS)


@pytest.mark.parametrize(("topic", "file"), files("good"))
def test_good_example_is_accepted(topic: str, file: Path) -> None:
    key, value = key_of(topic, file), file.read_bytes()

    assert fast_verdict(topic, key, value) is None
    assert model_verdict(topic, key, value) is None
    Draft202012Validator(json_schema(topic)).validate(json.loads(value))


@pytest.mark.parametrize(("topic", "file"), files("bad"))
def test_bad_example_is_refused_for_the_reason_in_its_name(topic: str, file: Path) -> None:
    reason, rule = file.stem.split("--")
    key, value = key_of(topic, file), file.read_bytes()

    assert fast_verdict(topic, key, value) == reason
    assert model_verdict(topic, key, value) == reason
    if reason == "invalid_event":
        valid = Draft202012Validator(json_schema(topic)).is_valid(json.loads(value))
        assert valid == (rule in BEYOND_JSON_SCHEMA)
