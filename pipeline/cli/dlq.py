"""`roi dlq`: look at refused records, and send them again once the cause is mended."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Final

import typer

from pipeline.cli import options

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipeline.transport.reading import Record

_LIST: Final = """
    SELECT topic, partition, offset, reason, detail, toString(at) AS at FROM dead_letters
    WHERE run = 'live'
        AND ({topic:String} = '' OR topic = {topic:String}) AND ({reason:String} = '' OR reason = {reason:String})
    ORDER BY at DESC, topic, partition, offset LIMIT {limit:UInt64}
"""
_OF_NULL_ONLY: Final = frozenset({"missing_value", "key_mismatch", "misplaced_key"})
"""Reasons that a null value is refused for and an empty one never is: that is `not_json`, whatever its key is."""
Topic = Annotated[str | None, typer.Option("--topic", help="Only records of this input topic.")]
Reason = Annotated[str | None, typer.Option("--reason", help="Only records refused for this reason.")]


@dataclass(frozen=True, slots=True)
class Choice:
    """Which dead letters are meant; None means all."""

    reason: str | None
    partition: int | None
    offset: int | None

    def matches(self, record: Record) -> bool:
        """Tell whether a record of a dead-letter topic is meant, by the headers that say where it came from."""
        headers = record.headers
        wished = (("dlq.reason", self.reason), ("dlq.partition", self.partition), ("dlq.offset", self.offset))
        return all(value is None or headers.get(name) == str(value) for name, value in wished)


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="Dead letters: records that were refused.", no_args_is_help=False)
    group.command(name="list", epilog=options.example("roi dlq list --reason invalid_event"))(_list)
    retry = "roi dlq retry --topic bank.touches.v1 --reason not_json"
    group.command(name="retry", epilog=options.example(retry))(_retry)
    app.add_typer(group, name="dlq")


def _list(
    topic: Topic = None,
    reason: Reason = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Newest so many.")] = 100,
    as_json: options.Json = False,
    data: options.Data = None,
) -> None:
    """List refused records, newest first: where they stand, why, and since when."""
    from pipeline.cli.output import Column, print_rows
    from pipeline.clickhouse.reader import Reader

    reader = Reader(options.settings_for(data))
    rows = reader.rows(_LIST, {"topic": _known(topic) or "", "reason": reason or "", "limit": limit})
    columns = (
        Column("topic", "Topic"),
        Column("partition", "Partition", "value"),
        Column("offset", "Offset", "value"),
        Column("reason", "Reason"),
        Column("detail", "Detail"),
        Column("at", "Since"),
    )
    print_rows(rows, columns, as_json=as_json, empty="no dead letters")


def _retry(
    topic: Topic = None,
    reason: Reason = None,
    partition: Annotated[int | None, typer.Option("--partition", min=0, help="Only of this partition.")] = None,
    offset: Annotated[int | None, typer.Option("--offset", min=0, help="Only those at this offset there.")] = None,
    as_json: options.Json = False,
    data: options.Data = None,
) -> None:
    """Send refused records again, byte for byte, to the topic they came from."""
    from pipeline.transport.producer import EventProducer
    from pipeline.transport.reading import read_topic
    from schemas.topics import INPUT_TOPICS, dead_letter_topic

    settings = options.settings_for(data)
    named = _known(topic)
    choice = Choice(reason, partition, offset)
    sent: dict[str, int] = {}
    producer = EventProducer(settings)
    for origin in (named,) if named else INPUT_TOPICS:
        # a whole list first: what is sent now may come back while the topic is still being read
        chosen = list(to_retry(read_topic(settings, dead_letter_topic(origin)), choice))
        for record in chosen:
            producer.send(origin, record.key, record.value)
        sent[origin] = len(chosen)
    producer.flush()
    if as_json:
        typer.echo(json.dumps(sent))
    else:
        lines = [f"{name}: {count:,} sent again" for name, count in sent.items() if count]
        typer.echo("\n".join(lines) or "nothing to retry")


def to_retry(records: Iterable[Record], choice: Choice) -> Iterator[Record]:
    """Choose records as they were in the topic they came from, each distinct key and value once.

    A record that is refused again lies in the topic twice, and would double with every retry.
    """
    seen: set[tuple[bytes | None, bytes | None]] = set()
    for record in map(_as_it_came, records):
        content = (record.key, record.value)
        if choice.matches(record) and content not in seen:
            seen.add(content)
            yield record


def _as_it_came(letter: Record) -> Record:
    """Return a letter with its value null again if the record's was: letters have an empty one in its place.

    A header tells it; in letters of older releases, which lack it, some reasons do. Keys are in letters as they were.
    """
    headers = letter.headers
    if letter.value or "dlq.cut_from_bytes" in headers:
        return letter
    is_null = "dlq.null" in headers or headers.get("dlq.reason") in _OF_NULL_ONLY
    return replace(letter, value=None if is_null else b"")


def _known(topic: str | None) -> str | None:
    """Return the topic.

    Raises:
        BadParameter: it is none of the input topics.
    """
    from schemas.topics import INPUT_TOPICS

    if topic is not None and topic not in INPUT_TOPICS:
        raise typer.BadParameter(f"{topic!r} is none of {', '.join(INPUT_TOPICS)}", param_hint="--topic")
    return topic
