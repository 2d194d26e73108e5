"""What a replay is to do: settled when it begins, stored with the run, and the same for everybody who works on it."""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec

from pipeline.state.policy import Span
from pipeline.transport.ports import TP
from schemas.instants import instant_text
from schemas.topics import LANE_OF_TOPIC

FROM_TOPICS: Final = "topics"
FROM_FILES: Final = "files"


class LogPart(msgspec.Struct, frozen=True):
    """A partition's log as far as it is replayed: offsets in [start, end) of one life of its topic."""

    topic: str
    partition: int
    start: int
    end: int
    topic_id: str = ""

    @property
    def tp(self) -> TP:
        """The partition."""
        return TP(self.topic, self.partition)


class Plan(msgspec.Struct, frozen=True):
    """A run's whole order.

    Attributes:
        run: its name.
        source: `topics` or `files`.
        begin_ms, end_ms: event times that count, the end excluded; null is without a bound.
        overrides: settings laid over the installation's, by dotted name.
        logs: the event topics' partitions.
        tables: the dimension topics' partitions.
        partition_counts: of each topic; where records come from files, of what they are spread over.
        campaigns: file with definitions in place of the topic's, '' = the topic's.
        customers: file with profiles in place of the topic's, '' = the topic's.
        inputs: files that the events come from, where they come from files.
        topic: of all records of those files, or `auto`.
        has_pseudonyms: the files' customers are pseudonyms: they are an archive.
        has_definitions: the files bring the definitions of campaigns; else those that live knows count.
    """

    run: str
    source: str
    logs: tuple[LogPart, ...]
    tables: tuple[LogPart, ...]
    partition_counts: dict[str, int]
    begin_ms: int | None = None
    end_ms: int | None = None
    overrides: dict[str, Any] = {}
    campaigns: str = ""
    customers: str = ""
    inputs: tuple[str, ...] = ()
    topic: str = "auto"
    has_pseudonyms: bool = False
    has_definitions: bool = False

    @property
    def span(self) -> Span | None:
        """The event times that count, None for all."""
        if self.begin_ms is None and self.end_ms is None:
            return None
        whole = Span()
        return Span(
            whole.begin if self.begin_ms is None else self.begin_ms, whole.end if self.end_ms is None else self.end_ms
        )

    @property
    def records(self) -> int:
        """About how many records there are to read: gaps count too."""
        return sum(log.end - log.start for log in self.logs)

    def encoded(self) -> str:
        """Return the plan as JSON."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def decoded(cls, text: str) -> Plan:
        """Return a plan from its JSON."""
        return msgspec.json.decode(text, type=cls)


def differences(begun: Plan, asked: Plan) -> list[str]:
    """Return in words what of a run's order is asked for otherwise than it was begun; the logs' ends may have grown."""
    found = []
    for name, words in (
        ("source", "the source"),
        ("begin_ms", "--from"),
        ("end_ms", "--to"),
        ("overrides", "the settings"),
        ("campaigns", "--campaigns"),
        ("customers", "--customers"),
        ("inputs", "--input"),
        ("topic", "--topic"),
    ):
        if getattr(begun, name) != getattr(asked, name):
            found.append(
                f"{words} ({_shown(name, getattr(begun, name))} then, {_shown(name, getattr(asked, name))} now)"
            )
    return found


def _shown(name: str, value: Any) -> str:
    if name.endswith("_ms"):
        return "none" if value is None else instant_text(value)
    if name == "overrides":
        return ", ".join(f"{key}={_setting_text(each)}" for key, each in value.items()) or "none"
    return (value if isinstance(value, str) else ", ".join(value)) or "none"


def _setting_text(value: Any) -> str:  # as one gives it to --set
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def parts(plan: Plan, count: int) -> list[frozenset[TP]]:
    """Return the plan's partitions in ``count`` parts, without empty ones: what shares a shard stays together."""
    shards: dict[tuple[str, int], list[LogPart]] = {}
    for log in plan.logs:
        shards.setdefault((LANE_OF_TOPIC[log.topic].name, log.partition), []).append(log)
    sized = sorted(shards.items(), key=lambda item: (-sum(log.end - log.start for log in item[1]), item[0]))
    found: list[set[TP]] = [set() for _ in range(count)]
    loads = [0] * count
    for _, logs in sized:
        lightest = loads.index(min(loads))
        found[lightest] |= {log.tp for log in logs}
        loads[lightest] += 1 + sum(log.end - log.start for log in logs)
    return [frozenset(part) for part in found if part]


def range_text(plan: Plan) -> str:
    """Return in words which events a run counts; '' = all."""
    begin = "" if plan.begin_ms is None else f" from {instant_text(plan.begin_ms)}"
    end = "" if plan.end_ms is None else f" before {instant_text(plan.end_ms)}"
    return f", events{begin}{end}" if begin or end else ""
