from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from schemas import TOPIC_MODELS, topics
from schemas.export import asyncapi, export, json_schema

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return asyncapi()


@pytest.fixture(scope="module")
def channels(document: dict[str, Any]) -> dict[str, Any]:
    return {channel["address"]: channel for channel in document["channels"].values()}


def resolve(document: dict[str, Any], reference: str) -> Any:
    node: Any = document
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]
    return node


def references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if "$ref" in node else []
        return own + [reference for child in node.values() for reference in references(child)]
    return [reference for child in node for reference in references(child)] if isinstance(node, list) else []


def test_export_writes_a_schema_per_topic_and_one_asyncapi_document(tmp_path: Path) -> None:
    paths = export(tmp_path / "new" / "directory")

    schemas = [f"{topic}.schema.json" for topic in topics.INPUT_TOPICS]
    assert [path.name for path in paths] == [*schemas, "asyncapi.yaml"]
    assert json.loads(paths[0].read_text(encoding="utf-8")) == json_schema(topics.LOGINS)
    assert yaml.safe_load(paths[-1].read_text(encoding="utf-8")) == asyncapi()


def test_export_twice_writes_the_same_bytes(tmp_path: Path) -> None:
    first = [path.read_bytes() for path in export(tmp_path)]

    assert [path.read_bytes() for path in export(tmp_path)] == first


@pytest.mark.parametrize("topic", topics.INPUT_TOPICS)
def test_json_schema_is_valid_and_describes_every_field(topic: str) -> None:
    schema, model_fields = json_schema(topic), TOPIC_MODELS[topic].model_fields

    Draft202012Validator.check_schema(schema)
    assert set(schema["properties"]) == set(model_fields)
    assert schema["required"] == [name for name, field in model_fields.items() if field.is_required()]


def test_asyncapi_has_exactly_the_input_topics_and_their_dead_letter_topics(channels: dict[str, Any]) -> None:
    assert set(channels) == {*topics.INPUT_TOPICS, *map(topics.dead_letter_topic, topics.INPUT_TOPICS)}


def test_asyncapi_states_how_kafka_keeps_each_topic(channels: dict[str, Any]) -> None:
    for address, channel in channels.items():
        assert channel["bindings"]["kafka"] == {
            "topic": address,
            "topicConfiguration": {"cleanup.policy": [topics.cleanup_policy(address)]},
            "bindingVersion": "0.5.0",
        }


def test_asyncapi_marks_the_topics_that_must_be_co_located(channels: dict[str, Any]) -> None:
    marked = {address for address, channel in channels.items() if channel.get("x-co-located") == "customer"}

    assert marked == set(topics.CUSTOMER_KEYED_TOPICS)


def test_asyncapi_states_key_and_body_of_each_message(document: dict[str, Any]) -> None:
    messages = document["components"]["messages"]
    for topic, model in TOPIC_MODELS.items():
        message = messages[model.__name__]
        key = message["bindings"]["kafka"]["key"]
        body = resolve(document, message["payload"]["$ref"])
        assert {**body["properties"][topics.KEY_FIELD[topic]], "description": key["description"]} == key
        assert set(body["properties"]) == set(model.model_fields)
        assert message["examples"]
    assert {name for name in messages if name.endswith("Tombstone")} == {"CampaignTombstone", "CustomerTombstone"}


def test_asyncapi_references_lead_somewhere(document: dict[str, Any]) -> None:
    found = references(document)

    assert found
    for reference in found:
        assert resolve(document, reference)


def test_asyncapi_receives_every_input_and_sends_every_dead_letter(document: dict[str, Any]) -> None:
    addresses: dict[str, set[str]] = {"receive": set(), "send": set()}
    for operation in document["operations"].values():
        addresses[operation["action"]].add(resolve(document, operation["channel"]["$ref"])["address"])

    assert addresses["receive"] == set(topics.INPUT_TOPICS)
    assert addresses["send"] == set(map(topics.dead_letter_topic, topics.INPUT_TOPICS))
