"""`roi archive`: topics to Parquet, without customer ids, for replays of when the topics have forgotten."""

from __future__ import annotations

import json
from pathlib import Path  # noqa: TC003 - typer reads the annotations when it runs
from typing import Annotated

import typer

from pipeline.cli import options
from pipeline.cli.instants import instant_ms, zone_of_range
from pipeline.ledger.rows import LIVE


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="archive", epilog=options.example("roi archive --to archive/2026-03 --from 2026-03-01"))(_archive)


def _archive(
    directory: Annotated[
        Path, typer.Option("--to", metavar="DIR", help="An empty directory, or one to make.", show_default=False)
    ],
    begin: Annotated[
        str | None, typer.Option("--from", metavar="T", help="Archive events from this time or business day on.")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to-time", metavar="T", help="Archive events before this time or business day.")
    ] = None,
    as_json: options.Json = False,
    data: options.Data = None,
) -> None:
    """Write what the topics hold to Parquet files by topic and business day, with pseudonyms in place of customers.

    `roi replay --input DIR` counts it again to the same numbers. An archive is there whole or not at all.
    """
    import time

    from pipeline.archive.archiving import archive_topics
    from pipeline.cli.progress import progress_bar

    settings = options.settings_for(data)
    zone = zone_of_range(settings, LIVE, begin, end)
    first = None if begin is None else instant_ms(begin, "--from", zone)
    last = None if end is None else instant_ms(end, "--to-time", zone)
    if first is not None and last is not None and first >= last:
        raise typer.BadParameter("the range is empty: --to-time is not later than --from", param_hint="--to-time")
    started = time.monotonic()
    with progress_bar("archiving", "records") as show:
        found = archive_topics(settings, directory, first, last, show)
    seconds = time.monotonic() - started
    paths = found.manifest.paths
    size = sum((directory / path).stat().st_size for path in paths)
    if as_json:
        answer = {
            "directory": str(directory),
            "read": found.read,
            "records": found.manifest.records,
            "files": len(paths),
            "bytes": size,
            "seconds": round(seconds, 3),
        }
        typer.echo(json.dumps(answer))
        return
    left_out = found.read - found.manifest.records
    typer.echo(
        f"{directory}: {found.manifest.records:,} records in {len(paths):,} files, "
        f"{size / 1e6:,.1f} MB, {seconds:.1f} s ({found.read / max(seconds, 1e-9):,.0f}/s)"
        + (f"; {left_out:,} left out: outside of the range, or of erased customers" if left_out else "")
    )
