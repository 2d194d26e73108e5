"""`roi simulate`: a simulated bank with campaigns whose true return is known."""

from __future__ import annotations

import gzip
import json
import math
import sys
import time
from contextlib import contextmanager
from itertools import islice
from pathlib import Path  # noqa: TC003 - typer reads the annotations when it runs
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from pipeline.cli import options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.ingest.ports import RecordProducer
    from pipeline.simulation.bank import Bank, BankOptions


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="simulate", epilog=options.example("roi simulate --rate 2000 --truth truth.json"))(_simulate)


def _simulate(
    rate: Annotated[float, typer.Option("--rate", min=0.001, help="Events per second from now on.")] = 500.0,
    customers: Annotated[int, typer.Option("--customers", min=1, help="Customers of the bank.")] = 30_000,
    campaigns: Annotated[int, typer.Option("--campaigns", min=1, help="Campaigns.")] = 40,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Same seed, same bank.")] = 1,
    duration: Annotated[
        float | None,
        typer.Option(
            "--duration", metavar="S", min=0, help="Seconds to go on after the past; default is until Ctrl-C."
        ),
    ] = None,
    events: Annotated[
        int | None, typer.Option("--events", metavar="N", min=1, help="Stop after so many events.")
    ] = None,
    backfill_days: Annotated[
        float,
        typer.Option(
            "--backfill-days",
            metavar="D",
            min=0,
            help="Days of the past that come first, as fast as they can. More than "
            "the allowed lateness (3 days) only for an instance without events: they would be too late.",
        ),
    ] = 2.5,
    backfill_density: Annotated[
        float, typer.Option("--backfill-density", min=0, help="Events per customer and day of the past.")
    ] = 8.0,
    finished: Annotated[
        int,
        typer.Option(
            "--finished",
            metavar="N",
            min=0,
            help="Campaigns that were over weeks ago, for running ones to be compared with, come first of all. "
            "Only for an instance without events: they would be too late.",
        ),
    ] = 0,
    disorder: Annotated[float, typer.Option("--disorder", min=0, max=1, help="Share of events that come late.")] = 0.02,
    duplicates: Annotated[float, typer.Option("--duplicates", min=0, max=1, help="Share that comes twice.")] = 0.005,
    bad: Annotated[float, typer.Option("--bad", min=0, max=1, help="Share with a broken twin.")] = 0.001,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE",
            dir_okay=False,
            help="Write lines for `roi ingest` (.gz packs them) instead of to "
            "Kafka, without waiting; only the past unless --duration or --events is given.",
        ),
    ] = None,
    truth: Annotated[
        Path | None,
        typer.Option(
            "--truth", metavar="FILE", dir_okay=False, help="Write each campaign's true return ratio as JSON."
        ),
    ] = None,
    as_json: options.Json = False,
    data: options.Data = None,
) -> None:
    """Simulate a bank: definitions and profiles, then days of the past at once, then live events.

    Its campaigns are truly below 1:2, at the edge, above it, or good but immature (conversions still to come).
    """
    from pipeline.simulation.bank import LONGEST_PAST_DAYS, Bank, BankOptions
    from pipeline.simulation.schedule import Irregularities

    if duration is not None and events is not None:
        raise typer.BadParameter("give --duration or --events, not both")
    if finished and backfill_days > LONGEST_PAST_DAYS:
        raise typer.BadParameter(f"--finished needs --backfill-days of at most {LONGEST_PAST_DAYS}")
    if disorder + duplicates + bad > 1:
        raise typer.BadParameter("--disorder, --duplicates and --bad may not sum to more than 1")
    wished = BankOptions(
        seed=seed,
        customers=customers,
        campaigns=campaigns,
        rate=rate,
        backfill_days=backfill_days,
        backfill_density=backfill_density,
        finished=finished,
        irregularities=Irregularities(disorder, duplicates, bad),
    )
    bank = Bank(wished, int(time.time() * 1000))
    if truth is not None:
        _write_truth(truth, bank, wished)
    live_seconds = duration if duration is not None else 0.0 if out is not None and events is None else math.inf
    started = time.monotonic()
    if out is not None:
        with _opened(out) as file:
            sent = _to_file(bank, file, live_seconds, events)
    else:
        sent = _to_kafka(bank, data, live_seconds, events)
    _report(sent, time.monotonic() - started, out, as_json=as_json)


def _to_file(bank: Bank, file: BinaryIO, live_seconds: float, most: int | None) -> int:
    from pipeline.ingest.writer import EnvelopeWriter

    writer = EnvelopeWriter(file)
    _send_definitions(bank, writer)
    sent = 0
    for event in islice(bank.events(live_seconds=live_seconds), most):
        writer.send(event.topic, event.key, event.value)
        sent += 1
    writer.flush()
    return sent


def _to_kafka(bank: Bank, data: Path | None, live_seconds: float, most: int | None) -> int:
    """Send events when they fall due; Ctrl-C is the usual end and no failure."""
    from pipeline.ingest.kafka import open_producer
    from pipeline.simulation.pacing import paced
    from schemas.topics import INPUT_TOPICS

    producer = open_producer(options.settings_for(data), INPUT_TOPICS)
    sent = 0
    try:
        _send_definitions(bank, producer)
        due = islice(bank.events(live_seconds=live_seconds), most)
        for event in paced(due, lambda: time.time() * 1000, time.sleep):
            producer.send(event.topic, event.key, event.value)
            sent += 1
    except KeyboardInterrupt:
        typer.echo("stopping …", err=True)
    producer.flush()
    return sent


def _send_definitions(bank: Bank, producer: RecordProducer) -> None:
    """Send campaigns and customers, and wait: workers read them to their end before their first event."""
    for topic, key, value in bank.definitions():
        producer.send(topic, key, value)
    producer.flush()


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    from pipeline.errors import UserError

    try:
        file = path.open("wb")
    except OSError as error:
        raise UserError(f"{path} cannot be written ({error.strerror})", "choose another file") from error
    with file:
        if path.suffix == ".gz":
            with gzip.GzipFile("", "wb", compresslevel=1, fileobj=file) as packed:
                yield packed  # type: ignore[misc] # a GzipFile writes like any binary file
        else:
            yield file


def _write_truth(path: Path, bank: Bank, wished: BankOptions) -> None:
    content = {"seed": wished.seed, "now_ms": bank.now_ms, "campaigns": bank.truth()}
    with _opened(path) as file:
        file.write(json.dumps(content, indent=2).encode() + b"\n")


def _report(sent: int, seconds: float, out: Path | None, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"events": sent, "seconds": round(seconds, 3), "out": str(out) if out else None}))
    else:
        target = f"written to {out}" if out else "acknowledged by Kafka"
        typer.echo(f"{sent:,} events {target} in {seconds:.1f} s ({sent / max(seconds, 1e-9):,.0f}/s)")
    sys.stdout.flush()
