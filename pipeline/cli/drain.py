"""`roi drain`: returns when every event accepted so far is visible in ClickHouse."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Final

import typer

from pipeline.cli import options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pipeline.clickhouse.reader import Reader
    from pipeline.operations.lag import Standing
    from pipeline.settings import Settings
    from pipeline.transport.reading import Record

_POLL_SECONDS: Final = 0.2
_NAMED: Final = 5  # partitions named in an error line


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="drain", epilog=options.example("roi drain --timeout 300 --data data"))(_drain)


def _drain(
    timeout: Annotated[float, typer.Option("--timeout", min=0, metavar="S", help="Give up after S seconds.")] = 600,
    as_json: options.Json = False,
    data: options.Data = None,
) -> None:
    """Wait until every event accepted so far is visible in ClickHouse; exit code 1 if it takes too long."""
    from pipeline.clickhouse.reader import Reader
    from pipeline.transport.reading import read_topic
    from schemas.topics import CAMPAIGNS

    settings = options.settings_for(data)
    reader = Reader(settings)
    started = time.monotonic()
    deadline = started + timeout
    events = wait_for_events(settings, reader, deadline)
    campaigns = wait_for_campaigns(reader, defined_campaigns(read_topic(settings, CAMPAIGNS)), deadline)
    seconds = round(time.monotonic() - started, 3)
    if as_json:
        typer.echo(json.dumps({"events": events, "campaigns": campaigns, "seconds": seconds}))
    else:
        typer.echo(
            f"drained: {events:,} records of the event topics and {campaigns:,} campaign "
            f"definition{'' if campaigns == 1 else 's'} are in ClickHouse ({seconds:.1f} s)"
        )


def wait_for_events(settings: Settings, reader: Reader, deadline: float) -> int:
    """Wait until the ledger has the event topics up to where they end now; return how many records that is.

    Raises:
        UserError: a topic is halted, or ``deadline`` (monotonic seconds) has passed; the message names
            the cause, or the partitions behind.
    """
    from pipeline.cli.progress import progress_bar
    from pipeline.errors import UserError
    from pipeline.operations.halts import halted
    from pipeline.operations.lag import log_ends, positions

    logs = log_ends(settings)

    with progress_bar("draining", "records") as show:

        def is_done() -> bool:
            # also one that seems read to its end: of what comes next nothing would be
            for halt in halted(reader):
                raise UserError(f"{halt.topic} is halted ({halt.cause})", halt.remedy)
            return not behind()

        def behind() -> list[Standing]:
            found = [standing for standing in logs.standings(positions(reader)) if standing.lag]
            show(logs.records - sum(standing.lag for standing in found), logs.records)
            return found

        wait_until(is_done, deadline, lambda: _named_behind(behind()))
    return logs.records


def defined_campaigns(records: Iterable[Record]) -> dict[str, str]:
    """Return the definitions that a whole topic leaves, by campaign; bad records change nothing."""
    from schemas.decode import decode_campaign
    from schemas.judge import RejectedError

    defined: dict[str, str] = {}
    for record in records:
        with suppress(RejectedError):  # workers ignore it and keep the definition before
            definition = decode_campaign(record.key, record.value)
            campaign_id = (record.key or b"").decode()
            if definition is None or record.value is None:
                defined.pop(campaign_id, None)
            else:
                defined[campaign_id] = record.value.decode()
    return defined


def wait_for_campaigns(reader: Reader, defined: Mapping[str, str], deadline: float) -> int:
    """Wait until ClickHouse has the definitions as they stand in the topic; return how many they are.

    Raises:
        UserError: ``deadline`` (monotonic seconds) has passed.
    """

    def missing() -> list[str]:
        rows = reader.rows("SELECT campaign_id, definition FROM campaign_definitions") if defined else []
        known = {row["campaign_id"]: row["definition"] for row in rows}
        return sorted(campaign for campaign, definition in defined.items() if known.get(campaign) != definition)

    wait_until(lambda: not missing(), deadline, lambda: f"campaigns not yet known to the workers: {_listed(missing())}")
    return len(defined)


def wait_until(done: Callable[[], bool], deadline: float, what_is_missing: Callable[[], str]) -> None:
    """Look again and again, with a short pause, until it is done.

    Raises:
        UserError: ``deadline`` (monotonic seconds) has passed.
    """
    from pipeline.errors import UserError

    while not done():
        if time.monotonic() >= deadline:
            raise UserError(
                f"not drained in time: {what_is_missing()}",
                "see that workers run (roi status), or wait longer with --timeout",
            )
        time.sleep(_POLL_SECONDS)


def _named_behind(behind: Sequence[Standing]) -> str:
    return _listed([f"{standing.topic}[{standing.partition}] by {standing.lag:,}" for standing in behind])


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
