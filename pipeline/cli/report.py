"""`roi report`: a campaign as the page that a manager mails."""

from __future__ import annotations

import json
import sys
from pathlib import Path  # noqa: TC003 - typer reads annotations when it starts
from typing import Annotated, Literal

import typer

from pipeline.cli import options
from pipeline.cli.instants import instant_ms
from pipeline.errors import UserError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="report", epilog=options.example("roi report spring-2026 --html build/spring.html"))(_report)


def _report(
    campaign: Annotated[str, typer.Argument(metavar="CAMPAIGN", help="The campaign's id.", show_default=False)],
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="One HTML file; - = stdout.")] = None,
    pdf: Annotated[Path | None, typer.Option("--pdf", metavar="FILE", help="A PDF; - = stdout.")] = None,
    run: Annotated[str, typer.Option("--run", metavar="R", help="A replay's name; `live` is the stream.")] = "live",
    start: Annotated[str | None, typer.Option("--from", metavar="T", help="RFC 3339; default: its first day.")] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="T", help="RFC 3339; default: the newest event.")] = None,
    language: Annotated[
        Literal["en", "zh"] | None, typer.Option("--language", help="Default: that of notices (alerts.language).")
    ] = None,
    as_json: options.Json = False,
    data: options.Data = None,
) -> None:
    """Write a campaign's figures, plots, alert and definitions as one HTML file or PDF."""
    if html is None and pdf is None:
        raise typer.BadParameter("name the file to write: --html FILE or --pdf FILE", param_hint="--html")
    from pipeline.clickhouse.reader import Reader
    from pipeline.operations.runs import begun_under
    from pipeline.report.formats import style_of
    from pipeline.report.gathering import Asked, gather

    settings = options.settings_for(data)
    begun = begun_under(Reader(settings), settings.clickhouse_database, run)
    style = style_of(language or settings.alerts.language, settings, begun)
    first = None if start is None else instant_ms(start, "--from", style.zone)
    last = None if end is None else instant_ms(end, "--to", style.zone)
    document = gather(settings, Asked(campaign, run, first, last), style)
    written: list[str] = []
    if html is not None:
        from pipeline.report.html import page

        written.append(write(html, page(document).encode()))
    if pdf is not None:
        from pipeline.report.pdf import paper

        written.append(write(pdf, paper(document)))
    told = [path for path in written if path != "-"]
    if as_json:
        typer.echo(json.dumps(told), err="-" in written)
    else:
        typer.echo("\n".join(f"written: {path}" for path in told), err="-" in written)


def write(path: Path, content: bytes) -> str:
    """Write a file in one step, so that no half of one is ever mailed; return its name.

    Raises:
        UserError: it cannot be written.
    """
    if str(path) == "-":
        sys.stdout.buffer.write(content)
        return "-"
    from pipeline.embedded.directory import write_private_file

    try:
        write_private_file(path, content)
    except OSError as error:  # it names the file that was to become this one
        raise UserError(f"{path} cannot be written ({error.strerror})", "name another place") from error
    return str(path)
