"""`roi drain`: returns when every event accepted so far is visible in ClickHouse."""

from __future__ import annotations

import json
import math
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

import typer

from pipeline.cli import options
from pipeline.errors import UnreachableError, UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from pipeline.clickhouse.reader import Reader
    from pipeline.operations.lag import Standing
    from pipeline.settings import Settings
    from pipeline.transport.reading import Record

T = TypeVar("T")

_POLL_SECONDS: Final = 0.2
_QUESTION_SECONDS: Final = 30.0
_LOOK_SECONDS: Final = 2.0  # between looks at what may be at fault
STRANGERS_SECONDS: Final = 20.0
_RESTART_SECONDS: Final = 90.0  # a supervisor has started a dead part again well before
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
    from pipeline.operations.refusals import refusals
    from pipeline.transport.reading import read_topic
    from schemas.topics import CAMPAIGNS

    settings = options.settings_for(data)
    reader = Reader(settings, timeout_seconds=_QUESTION_SECONDS)
    watch = Watch(settings, data)
    started = time.monotonic()
    deadline = started + timeout
    rows = wait_for_events(settings, reader, deadline, watch)
    campaigns = wait_for_campaigns(reader, defined_campaigns(read_topic(settings, CAMPAIGNS)), deadline, watch)
    counts = count_events(rows, watch.patiently(lambda: refusals(reader), deadline))
    seconds = round(time.monotonic() - started, 3)
    if as_json:
        typer.echo(json.dumps({**counts, "campaigns": campaigns, "seconds": seconds}))
    else:
        typer.echo(
            f"drained: {_in_words(counts)}; {campaigns:,} campaign definition{'' if campaigns == 1 else 's'} "
            f"({seconds:.1f} s)"
        )


def count_events(positions: Iterable[Mapping[str, Any]], refused: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what became of all events of the topics as they are now; a record that is no event counts nowhere.

    Args:
        positions: the ledger's rows of the topics.
        refused: as `refusals` returns it.
    """
    from pipeline.operations.refusals import definitions_by_topic, events_by_reason

    sums = {name: sum(row[name] for row in positions) for name in ("accepted", "duplicates", "dead_letters")}
    return {
        "events": sum(sums.values()),
        "accepted": sums["accepted"],
        "duplicates": sums["duplicates"],
        "refused": sums["dead_letters"],
        "refused_by_reason": events_by_reason(refused) if sums["dead_letters"] else {},
        "definitions_refused": sum(definitions_by_topic(refused).values()),
    }


def _in_words(counts: Mapping[str, Any]) -> str:
    reasons = ", ".join(f"{reason} {letters:,}" for reason, letters in counts["refused_by_reason"].items())
    why = f" ({reasons}; see roi dlq list)" if reasons else ""
    if counts["definitions_refused"]:
        why += f", and {counts['definitions_refused']:,} refused definitions and profiles"
    return (
        f"{counts['events']:,} events are in ClickHouse, {counts['accepted']:,} accepted, "
        f"{counts['duplicates']:,} duplicates, {counts['refused']:,} refused{why}"
    )


class Watch:
    """Tells what passes (the endpoint of an instance is being restarted) from what no waiting mends."""

    def __init__(self, settings: Settings, data: Path | None) -> None:
        self._settings = settings
        self._data = data
        self._looked_at = -math.inf
        self._silent_since: float | None = None
        self._strangers_since = math.inf

    def ask(self, question: Callable[[], T]) -> T | None:
        """Ask ClickHouse; None while it does not answer and somebody is there to start it again.

        Raises:
            UnreachableError: it does not answer, and that will not pass by itself.
        """
        from pipeline.operations.observing import supervised

        try:
            answer = question()
        except UnreachableError:
            now = time.monotonic()
            self._silent_since = self._silent_since or now
            if not supervised(self._data) or now - self._silent_since > _RESTART_SECONDS:
                raise
            self.raise_lasting()
            return None
        self._silent_since = None
        return answer

    def patiently(self, question: Callable[[], T], deadline: float) -> T:
        """Ask until there is an answer."""
        found: list[T] = []

        def is_answered() -> bool:
            answer = self.ask(question)
            if answer is not None:
                found.append(answer)
            return answer is not None

        wait_until(is_answered, deadline, lambda: "ClickHouse is being started again")
        return found[0]

    def raise_lasting(self) -> None:
        """Look for faults that waiting does not mend, now and then.

        Raises:
            UserError: there is one.
        """
        from pipeline.clickhouse.reader import Reader
        from pipeline.operations.health import faults
        from pipeline.operations.observing import QUESTION_SECONDS, observe
        from pipeline.operations.presence import workers_seen

        if time.monotonic() - self._looked_at < _LOOK_SECONDS:
            return
        self._looked_at = time.monotonic()
        workers = None
        with suppress(UserError):  # who does not answer is waited for, or told by what is asked next
            workers = workers_seen(self._settings, Reader(self._settings, timeout_seconds=QUESTION_SECONDS))
        are_strangers = workers is not None and bool(workers.strangers_in)
        self._strangers_since = min(self._strangers_since, self._looked_at) if are_strangers else math.inf
        # those of one that was killed leave the group in a moment
        have_stayed = self._looked_at - self._strangers_since >= STRANGERS_SECONDS
        for fault in faults(observe(self._settings, self._data, workers=workers if have_stayed else None)):
            if fault.is_lasting:
                raise UserError(f"not drained: {fault.part}: {fault.cause}", fault.remedy)


def wait_for_events(settings: Settings, reader: Reader, deadline: float, watch: Watch) -> list[dict[str, Any]]:
    """Wait until the ledger has the event topics up to where they end now; return its rows of these topics.

    Raises:
        UserError: something is at fault that waiting does not mend, or ``deadline`` (monotonic seconds) has passed; the
            message names the cause, or the partitions behind.
    """
    from pipeline.cli.progress import progress_bar
    from pipeline.operations.halts import halted
    from pipeline.operations.lag import log_ends, positions

    logs = log_ends(settings)
    rows: list[dict[str, Any]] = []
    behind: list[Standing] = []

    with progress_bar("draining", "records") as show:

        def is_done() -> bool:
            # also one that seems read to its end: of what comes next nothing would be
            for halt in watch.ask(lambda: halted(reader)) or ():
                raise UserError(f"{halt.topic} is halted ({halt.cause})", halt.remedy)
            found = watch.ask(lambda: positions(reader))
            if found is None:
                return False
            rows[:] = [row for row in found if row["topic_id"] == logs.topic_ids.get(row["topic"])]
            behind[:] = [standing for standing in logs.standings(found) if standing.lag]
            show(logs.records - sum(standing.lag for standing in behind), logs.records)
            if behind:
                watch.raise_lasting()
            return not behind

        wait_until(is_done, deadline, lambda: _named_behind(behind) or "ClickHouse is being started again")
    return rows


def defined_campaigns(records: Iterable[Record]) -> dict[str, str]:
    """Return the definitions that a whole topic leaves, by campaign; bad records change nothing."""
    from schemas.decode import decode_campaign
    from schemas.judge import RejectedError
    from schemas.parser_limits import readable_json

    defined: dict[str, str] = {}
    for record in records:
        with suppress(RejectedError):  # workers ignore it and keep the definition before
            definition = decode_campaign(record.key, record.value)
            campaign_id = (record.key or b"").decode()
            if definition is None or record.value is None:
                defined.pop(campaign_id, None)
            else:
                defined[campaign_id] = readable_json(record.value).decode()
    return defined


def wait_for_campaigns(reader: Reader, defined: Mapping[str, str], deadline: float, watch: Watch | None = None) -> int:
    """Wait until ClickHouse has the definitions as they stand in the topic; return how many they are.

    Raises:
        UserError: ``deadline`` (monotonic seconds) has passed.
    """

    def missing() -> list[str]:
        rows = reader.rows("SELECT campaign_id, definition FROM campaign_definitions") if defined else []
        known = {row["campaign_id"]: row["definition"] for row in rows}
        return sorted(campaign for campaign, definition in defined.items() if known.get(campaign) != definition)

    def is_done() -> bool:
        return (missing() if watch is None else watch.ask(missing)) == []

    wait_until(is_done, deadline, lambda: f"campaigns not yet known to the workers: {_listed(missing())}")
    return len(defined)


def wait_until(done: Callable[[], bool], deadline: float, what_is_missing: Callable[[], str]) -> None:
    """Look again and again, with a short pause, until it is done.

    Raises:
        UserError: ``deadline`` (monotonic seconds) has passed.
    """
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
