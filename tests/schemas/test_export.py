from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from pipeline.alerts.lifecycle import Conduct, step
from schemas import TOPIC_MODELS, topics
from schemas.alerts import MESSAGE_MODELS
from schemas.export import asyncapi, export, json_schema
from tests.alerts.building import look, moment

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

    schemas = [f"{topic}.schema.json" for topic in (*topics.INPUT_TOPICS, topics.ALERTS, topics.STOPS)]
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


def test_json_schema_of_what_the_pipeline_writes_takes_its_messages_and_fields_that_are_added_later() -> None:
    stop: dict[str, Any] = {
        "type": "campaign.stop",
        "timestamp": "2026-11-26T07:08:32.405Z",
        "data": {
            "stop_id": "stp_1",
            "alert_id": "alr_1",
            "campaign_id": "spring",
            "decided_by": "lin",
            "approved_by": None,
            "reason": "budget goes to autumn",
            "decided_at": "2026-11-26T07:08:32.405Z",
        },
    }
    for topic, message in ((topics.ALERTS, alert_message()), (topics.STOPS, stop)):
        schema = json_schema(topic)
        Draft202012Validator.check_schema(schema)
        validator = Draft202012Validator(schema)
        validator.validate(message)
        validator.validate({**message, "later": 1, "data": {**message["data"], "later": 1}})
        for key in message["data"].keys() - {"decision", "decided_by"}:
            without = {name: value for name, value in message["data"].items() if name != key}
            assert not validator.is_valid({**message, "data": without})
        assert not validator.is_valid({**message, "type": "alert.unheard_of"})


def alert_message() -> dict[str, Any]:
    record, _ = step(None, look("below", held_hours=2.0), moment(), Conduct())
    data = record.data("http://board")
    return {"type": f"alert.{data['state']}", "timestamp": data["changed_at"], "data": data}


def test_asyncapi_has_exactly_the_contracts_topics_and_the_inputs_dead_letter_topics(channels: dict[str, Any]) -> None:
    assert set(channels) == {*topics.ALL_TOPICS, *map(topics.dead_letter_topic, topics.INPUT_TOPICS)}


def test_asyncapi_states_key_headers_and_body_of_what_the_pipeline_writes(document: dict[str, Any]) -> None:
    for model in MESSAGE_MODELS.values():
        message = document["components"]["messages"][model.__name__]
        assert "campaign_id" in message["bindings"]["kafka"]["key"]["description"]
        assert message["headers"]["required"] == ["webhook-id", "content-type"]
        assert set(resolve(document, message["payload"]["$ref"])["properties"]) == {"type", "timestamp", "data"}


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


def test_asyncapi_receives_every_input_and_sends_dead_letters_alerts_and_stops(document: dict[str, Any]) -> None:
    addresses: dict[str, set[str]] = {"receive": set(), "send": set()}
    for operation in document["operations"].values():
        addresses[operation["action"]].add(resolve(document, operation["channel"]["$ref"])["address"])

    assert addresses["receive"] == set(topics.INPUT_TOPICS)
    assert addresses["send"] == {*map(topics.dead_letter_topic, topics.INPUT_TOPICS), topics.ALERTS, topics.STOPS}
