"""The contract for other languages: a JSON Schema per topic, and one AsyncAPI document of all of them.

Topics are those of input events, and those that the pipeline writes itself: changes of alerts, requests to stop.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml
from pydantic.json_schema import GenerateJsonSchema

from schemas import TOPIC_MODELS, topics
from schemas.alerts import ID_HEADER, MESSAGE_MODELS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel
    from pydantic_core import CoreSchema

EXAMPLES: Final = Path(__file__).parent / "examples"
KAFKA_BINDING: Final = "0.5.0"

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_SUMMARY: Final = """\
Events of a bank's customers and campaigns, from which the return of every campaign is computed.

Co-location: the topics marked `x-co-located: customer` must have the same number of partitions, and every producer must
choose the partition by murmur2 over the key's bytes (librdkafka clients: `partitioner=murmur2_random`), so that all
events of one customer meet in one worker.

An input that breaks its schema, or whose key is not the id in its body, goes to the topic's dead-letter topic.

Changes of alerts and requests to stop have the shape of Standard Webhooks, and webhooks are sent the same bodies. A
message may come again after a crash, never under a second id: keep the ids. New fields may be added to them.
"""
_MESSAGE_HEADERS: Final = {ID_HEADER: "id of the message, the same one for ever", "content-type": "application/json"}
_MODELS: Final[Mapping[str, type[BaseModel]]] = {**TOPIC_MODELS, **MESSAGE_MODELS}
_DEAD_LETTER_HEADERS: Final = {
    "dlq.topic": "topic the record came from",
    "dlq.partition": "its partition there",
    "dlq.offset": "its offset there",
    "dlq.reason": "why it was refused, for machines",
    "dlq.detail": "the field and rule; never the value",
    "dlq.app": "who refused it",
    "dlq.null": "`value`, where the record had none and the letter has an empty one",
    "dlq.cut_from_bytes": "bytes of the value, where the letter has only the first of them",
    "dlq.key_cut_from_bytes": "bytes of the key, where the letter has only the first of them",
}


class _WithoutFieldTitles(GenerateJsonSchema):
    """Leaves out titles that only repeat the field's name."""

    def field_title_should_be_set(self, schema: CoreSchema | Any) -> bool:
        del schema
        return False


class _Dumper(yaml.SafeDumper):
    """Keeps the lines of a text of several lines."""

    def represent_scalar(self, tag: str, value: Any, style: str | None = None) -> yaml.ScalarNode:
        lines = isinstance(value, str) and "\n" in value
        return super().represent_scalar(tag, value, "|" if lines else style)


def json_schema(topic: str) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of the values of an input topic, or of one that the pipeline writes.

    It is as strict as JSON Schema can be: it takes 5.0 for an integer and knows no calendar, the pipeline does not.
    """
    return {"$schema": _DIALECT, "$id": f"{topic}.schema.json", **_schema(topic)}


def asyncapi() -> dict[str, Any]:
    """Return the AsyncAPI 3 document of the input topics, their dead-letter topics, and what the pipeline writes."""
    document: dict[str, Any] = {
        "asyncapi": "3.0.0",
        "info": {"title": "Campaign ROI events", "version": "1.0.0", "description": _SUMMARY},
        "defaultContentType": "application/json",
        "channels": {},
        "operations": {},
        "components": {"messages": {"DeadLetter": _dead_letter()}, "schemas": {}},
    }
    for topic in topics.INPUT_TOPICS:
        _describe_input(topic, document)
    for topic in MESSAGE_MODELS:
        _describe(topic, "send", document)
    plain: dict[str, Any] = json.loads(json.dumps(document))  # nothing shared, so that YAML needs no anchors
    return plain


def export(directory: Path) -> list[Path]:
    """Write ``<topic>.schema.json`` for every topic that has one and ``asyncapi.yaml``; return the files written."""
    directory.mkdir(parents=True, exist_ok=True)
    texts = {f"{topic}.schema.json": _pretty(json_schema(topic)) for topic in _MODELS}
    texts["asyncapi.yaml"] = yaml.dump(asyncapi(), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    paths = []
    for name, text in texts.items():
        path = directory / name
        path.write_text(text, encoding="utf-8")
        paths.append(path)
    return paths


def _pretty(schema: dict[str, Any]) -> str:
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"


def _schema(topic: str, ref_template: str = "#/$defs/{model}") -> dict[str, Any]:
    schema = _MODELS[topic].model_json_schema(schema_generator=_WithoutFieldTitles, ref_template=ref_template)
    return _open(schema) if topic in MESSAGE_MODELS else schema


def _open(schema: dict[str, Any]) -> dict[str, Any]:
    """Let objects have fields that readers do not know yet; our own messages are checked for strays before they go."""
    for part in (schema, *schema.get("$defs", {}).values()):
        if part.get("additionalProperties") is False:
            del part["additionalProperties"]
    return schema


def _describe_input(topic: str, document: dict[str, Any]) -> None:
    """Add an input topic and its dead letters to the document."""
    _describe(topic, "receive", document)
    refused = f"{topic.split('.')[1]}DeadLetters"
    document["channels"][refused] = _channel(topics.dead_letter_topic(topic), ["DeadLetter"])
    document["operations"][f"send{refused[0].upper()}{refused[1:]}"] = _operation("send", refused, ["DeadLetter"])


def _describe(topic: str, action: str, document: dict[str, Any]) -> None:
    """Add a topic's channel, operation, messages and schemas to the document."""
    channel = topic.split(".")[1]
    schema = _schema(topic, "#/components/schemas/{model}")
    components = document["components"]
    components["schemas"] |= schema.pop("$defs", {}) | {schema["title"]: schema}
    messages = _messages(topic, schema)
    components["messages"] |= messages
    document["channels"][channel] = _channel(topic, list(messages))
    document["operations"][f"{action}{channel.capitalize()}"] = _operation(action, channel, list(messages))


def _channel(topic: str, messages: list[str]) -> dict[str, Any]:
    policy = topics.cleanup_policy(topic)
    channel: dict[str, Any] = {
        "address": topic,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "bindings": {
            "kafka": {
                "topic": topic,
                "topicConfiguration": {"cleanup.policy": [policy]},
                "bindingVersion": KAFKA_BINDING,
            }
        },
    }
    if topic in topics.CUSTOMER_KEYED_TOPICS:
        channel["x-co-located"] = "customer"
    return channel


def _operation(action: str, channel: str, messages: list[str]) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in messages],
    }


def _messages(topic: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Return the topic's message and, on a compacted topic, the null value that ends what the key names."""
    title = schema["title"]
    common: dict[str, Any] = {"bindings": {"kafka": {"key": _key(topic, schema), "bindingVersion": KAFKA_BINDING}}}
    if topic in MESSAGE_MODELS:
        common["headers"] = _headers(_MESSAGE_HEADERS, list(_MESSAGE_HEADERS))
    payload = {"$ref": f"#/components/schemas/{title}"}
    message = {"name": title, "summary": schema["description"], "payload": payload}
    if topic in TOPIC_MODELS:
        message["examples"] = _examples(topic)
    messages = {title: message | common}
    if topics.cleanup_policy(topic) == "compact":
        summary = f"A null value: the {title.lower()} that the key names is no more."
        messages[f"{title}Tombstone"] = {"name": f"{title}Tombstone", "summary": summary, "payload": {"type": "null"}}
        messages[f"{title}Tombstone"] |= common
    return messages


def _key(topic: str, schema: dict[str, Any]) -> dict[str, Any]:
    if topic in MESSAGE_MODELS:
        return {"type": "string", "description": "UTF-8, equal to campaign_id in the body's data"}
    key_field = topics.KEY_FIELD[topic]
    own: dict[str, Any] = schema["properties"][key_field]
    return own | {"description": f"UTF-8, equal to {key_field} in the body"}


def _headers(described: Mapping[str, str], required: list[str]) -> dict[str, Any]:
    properties = {name: {"type": "string", "description": text} for name, text in described.items()}
    return {"type": "object", "required": required, "properties": properties}


def _examples(topic: str) -> list[dict[str, Any]]:
    files = sorted((EXAMPLES / topic / "good").glob("*.json"))
    return [{"name": file.stem, "payload": json.loads(file.read_bytes())} for file in files]


def _dead_letter() -> dict[str, Any]:
    return {
        "name": "DeadLetter",
        "summary": "A refused record: its original key and bytes, and why it was refused.",
        "contentType": "application/octet-stream",
        "headers": _headers(_DEAD_LETTER_HEADERS, [name for name in _DEAD_LETTER_HEADERS if "cut" not in name]),
        "payload": {"type": "string", "format": "binary"},
    }
