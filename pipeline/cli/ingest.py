"""`roi ingest`: files of events into Kafka."""

from __future__ import annotations

import json
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from pipeline.cli import options
from pipeline.cli.terminal import printable

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterator

    from pipeline.ingest.records import LineParser
    from pipeline.ingest.run import Ingestion, Tally
    from pipeline.ingest.sources import Readable

_STDIN: Final = "-"
_COMPLAINTS_SHOWN: Final = 20
_REASONS_SHOWN: Final = 6


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="ingest", epilog=options.example("roi ingest events.ndjson.gz --data data"))(_ingest)


def _ingest(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE…", help="One JSON object per line, plain or gzip; - is stdin.", show_default=False
        ),
    ],
    topic: Annotated[
        str,
        typer.Option(
            "--topic", metavar="T", help='Topic of every line; auto: each line is {"topic": …, "value": {…}}.'
        ),
    ] = "auto",
    sort: Annotated[
        bool | None,
        typer.Option(
            "--sort/--no-sort",
            help="Send all files' events in order of time. Default: files yes, a pipe as it comes.",
            show_default=False,
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Send nothing; say what would be refused, exit code 1 if anything would.")
    ] = False,
    as_json: options.Json = False,
    data: options.Data = None,
) -> None:
    """Send files of events to Kafka; refused lines are named on stderr and the rest goes on.

    A broken event with a key is sent too, and said: the workers put it into the dead-letter topic with a reason.

    With --topic auto a line may carry a "key" as well; a null value with a key retires a campaign or erases a profile.
    """
    from pipeline.ingest.kafka import foreteller, open_producer
    from pipeline.ingest.ordering import TimeOrder
    from pipeline.ingest.run import Ingestion
    from pipeline.ingest.writer import Discard
    from schemas.topics import INPUT_TOPICS

    parse = _parser(topic)
    _check_files(files)
    settings = options.settings_for(data)
    sorts = _sorts(files) if sort is None else sort
    producer = Discard() if check else open_producer(settings, INPUT_TOPICS if topic == "auto" else [topic])
    complaints = _Complaints()
    ingestion = Ingestion(
        producer,
        parse,
        complaints,
        foreteller=foreteller(settings, is_sorted=sorts),
        order=TimeOrder() if sorts and not check else None,
    )
    started = time.monotonic()
    try:
        with _byte_bar(files) as on_read:
            for name in files:
                _read(ingestion, name, on_read)
    except KeyboardInterrupt:
        if sorts:  # in the midst of reading nothing has been sent, and a part in order of time would be a trap
            raise
        ingestion.finish()  # what was read is sent
        raise
    finally:
        complaints.conclude(ingestion.tally)
    ingestion.finish()
    _report(ingestion.tally, time.monotonic() - started, as_json=as_json, is_check=check)
    if not ingestion.tally.complete or (check and ingestion.tally.expected):
        raise typer.Exit(1)


def _sorts(files: list[str]) -> bool:
    """Files are sorted, a pipe is not: a live feed would never end, and nothing of it would be sent."""
    return all(name != _STDIN or Path("/dev/stdin").is_file() for name in files)


class _Complaints:
    """Prints the first few complaints and counts the others."""

    def __init__(self) -> None:
        self._made = 0

    def __call__(self, sentence: str) -> None:
        self._made += 1
        if self._made <= _COMPLAINTS_SHOWN:
            typer.echo(printable(sentence), err=True)

    def conclude(self, tally: Tally) -> None:
        """Say how many complaints were not printed, and what the workers will refuse."""
        if self._made > _COMPLAINTS_SHOWN:
            typer.echo(f"… and {self._made - _COMPLAINTS_SHOWN:,} more", err=True)
            if tally.refused:
                reasons = _counted(tally.refusals)
                typer.echo(f"refused {tally.refused:,} of {tally.read:,} lines: {reasons}", err=True)
        if tally.expected:
            reasons = _counted(tally.expected)
            words = f"warning: the workers will refuse {tally.expected.total():,} of {tally.read:,} events: {reasons}"
            typer.echo(f"{words} (roi dlq list shows them then)", err=True)


def _counted(reasons: Counter[str]) -> str:
    shown = reasons.most_common(_REASONS_SHOWN)
    more = "" if len(shown) == len(reasons) else f" and {len(reasons) - len(shown)} other reasons"
    return ", ".join(f"{reason} {count:,}" for reason, count in shown) + more


def _parser(topic: str) -> LineParser:
    from pipeline.ingest.records import parser_for

    try:
        return parser_for(topic)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--topic") from error


def _check_files(files: list[str]) -> None:
    """Find a mistyped name before anything is sent."""
    from pipeline.errors import UserError

    for name in files:
        if name != _STDIN and not Path(name).exists():
            raise UserError(f"{name} is not there", "correct the name")
        if name != _STDIN and Path(name).is_dir():
            raise UserError(f"{name} is a directory", f"name its files: {name}/*")


def _read(ingestion: Ingestion, name: str, on_read: Callable[[int], None]) -> None:
    from pipeline.ingest.sources import text_chunks

    with _opened(name) as stream:
        ingestion.read("stdin" if name == _STDIN else name, text_chunks(stream, on_read))


@contextmanager
def _opened(name: str) -> Iterator[Readable]:
    from pipeline.errors import UserError

    if name == _STDIN:
        yield sys.stdin.buffer  # type: ignore[misc] # a BufferedReader, though typed more loosely
        return
    try:
        file = Path(name).open("rb")  # noqa: SIM115 - closed below; only opening it is the user's mistake
    except OSError as error:
        raise UserError(f"{name} cannot be opened ({error.strerror})", "check its permissions") from error
    with file:
        yield file


@contextmanager
def _byte_bar(files: list[str]) -> Iterator[Callable[[int], None]]:
    """Yield a function that takes the bytes just read and moves a bar on stderr, if that is a terminal."""
    if not sys.stderr.isatty() or options.is_plain_terminal():
        yield lambda _size: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    known = [Path(name).stat().st_size for name in files if name != _STDIN and Path(name).is_file()]
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=sum(known) if len(known) == len(files) else None)
        yield lambda size: progress.advance(task, size)


def _report(tally: Tally, seconds: float, *, as_json: bool, is_check: bool) -> None:
    if as_json:
        summary = {
            "read": tally.read,
            "produced": 0 if is_check else tally.produced,
            "refused": tally.refused,
            "broken_files": tally.broken,
            "expected_dead_letters": dict(tally.expected),
            "seconds": round(seconds, 3),
        }
        typer.echo(json.dumps(summary))
        return
    refused = f", {tally.refused:,} refused" if tally.refused else ""
    if is_check:
        typer.echo(f"{tally.read:,} lines checked, nothing sent{refused}")
        return
    typer.echo(
        f"{tally.produced:,} events acknowledged by Kafka{refused}, in {seconds:.1f} s "
        f"({tally.produced / max(seconds, 1e-9):,.0f}/s)"
    )
