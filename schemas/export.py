"""The contract for other languages: a JSON Schema per topic, and one AsyncAPI document of all of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml
from pydantic.json_schema import GenerateJsonSchema

from schemas import TOPIC_MODELS, topics

if TYPE_CHECKING:
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
"""
_DEAD_LETTER_HEADERS: Final = {
    "dlq.topic": "topic the record came from",
    "dlq.partition": "its partition there",
    "dlq.offset": "its offset there",
    "dlq.reason": "why it was refused, for machines",
    "dlq.detail": "the field and rule; never the value",
    "dlq.app": "who refused it",
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
    """Return the JSON Schema (2020-12) of an input topic's values.

    It is as strict as JSON Schema can be: it takes 5.0 for an integer and knows no calendar, the pipeline does not.
    """
    schema = TOPIC_MODELS[topic].model_json_schema(schema_generator=_WithoutFieldTitles)
    return {"$schema": _DIALECT, "$id": f"{topic}.schema.json", **schema}


def asyncapi() -> dict[str, Any]:
    """Return the AsyncAPI 3 document of the input topics and their dead-letter topics."""
    document: dict[str, Any] = {
        "asyncapi": "3.0.0",
        "info": {"title": "Campaign ROI events", "version": "1.0.0", "description": _SUMMARY},
        "defaultContentType": "application/json",
        "channels": {},
        "operations": {},
        "components": {"messages": {"DeadLetter": _dead_letter()}, "schemas": {}},
    }
    for topic in topics.INPUT_TOPICS:
        _describe(topic, document)
    plain: dict[str, Any] = json.loads(json.dumps(document))  # nothing shared, so that YAML needs no anchors
    return plain


def export(directory: Path) -> list[Path]:
    """Write ``<topic>.schema.json`` for every input topic and ``asyncapi.yaml``; return the files written."""
    directory.mkdir(parents=True, exist_ok=True)
    texts = {f"{topic}.schema.json": _pretty(json_schema(topic)) for topic in topics.INPUT_TOPICS}
    texts["asyncapi.yaml"] = yaml.dump(asyncapi(), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    paths = []
    for name, text in texts.items():
        path = directory / name
        path.write_text(text, encoding="utf-8")
        paths.append(path)
    return paths


def _pretty(schema: dict[str, Any]) -> str:
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"


def _describe(topic: str, document: dict[str, Any]) -> None:
    """Add a topic's channels, operations, messages and schemas to the document."""
    channel = topic.split(".")[1]
    schema = TOPIC_MODELS[topic].model_json_schema(
        schema_generator=_WithoutFieldTitles, ref_template="#/components/schemas/{model}"
    )
    components = document["components"]
    components["schemas"] |= schema.pop("$defs", {}) | {schema["title"]: schema}
    messages = _messages(topic, schema)
    components["messages"] |= messages
    document["channels"][channel] = _channel(topic, list(messages))
    document["operations"][f"receive{channel.capitalize()}"] = _operation("receive", channel, list(messages))
    refused = f"{channel}DeadLetters"
    document["channels"][refused] = _channel(topics.dead_letter_topic(topic), ["DeadLetter"])
    document["operations"][f"send{refused[0].upper()}{refused[1:]}"] = _operation("send", refused, ["DeadLetter"])


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
    key_field = topics.KEY_FIELD[topic]
    key = schema["properties"][key_field] | {"description": f"UTF-8, equal to {key_field} in the body"}
    common = {"bindings": {"kafka": {"key": key, "bindingVersion": KAFKA_BINDING}}}
    payload = {"$ref": f"#/components/schemas/{title}"}
    message = {"name": title, "summary": schema["description"], "payload": payload, "examples": _examples(topic)}
    messages = {title: message | common}
    if topics.cleanup_policy(topic) == "compact":
        summary = f"A null value: the {title.lower()} that the key names is no more."
        messages[f"{title}Tombstone"] = {"name": f"{title}Tombstone", "summary": summary, "payload": {"type": "null"}}
        messages[f"{title}Tombstone"] |= common
    return messages


def _examples(topic: str) -> list[dict[str, Any]]:
    files = sorted((EXAMPLES / topic / "good").glob("*.json"))
    return [{"name": file.stem, "payload": json.loads(file.read_bytes())} for file in files]


def _dead_letter() -> dict[str, Any]:
    headers = {name: {"type": "string", "description": text} for name, text in _DEAD_LETTER_HEADERS.items()}
    return {
        "name": "DeadLetter",
        "summary": "A refused record: its original key and bytes, and why it was refused.",
        "contentType": "application/octet-stream",
        "headers": {
            "type": "object",
            "required": [name for name in headers if "cut" not in name],
            "properties": headers,
        },
        "payload": {"type": "string", "format": "binary"},
    }
