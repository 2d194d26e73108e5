"""`roi alerts silence|unsilence|silences`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

import typer

from pipeline.cli import options
from pipeline.cli.alert_ids import shortened, views_of, whole_id

_DURATION: Final = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)([mhd])")
_UNITS: Final = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


def register(group: typer.Typer) -> None:
    """Add the commands."""
    silence = "roi alerts silence --campaign spring-2026 --until 2h --reason 'feed is being mended'"
    group.command(name="silence", epilog=options.example(silence))(_silence)
    group.command(name="unsilence", epilog=options.example("roi alerts unsilence sil_1a2b3c4d"))(_unsilence)
    group.command(name="silences", epilog=options.example("roi alerts silences --json"))(_silences)


def _silence(
    until: Annotated[str, typer.Option("--until", metavar="T", help="RFC 3339, or how long: 30m, 2h, 1d.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; it stays in the audit trail.")],
    campaign: Annotated[str | None, typer.Option("--campaign", help="Whose alerts nobody is told of.")] = None,
    owner: Annotated[str | None, typer.Option("--owner", help="Or all campaigns of this owner.")] = None,
    as_json: options.Json = False,
    data: options.Data = None,
) -> None:
    """Tell nobody of a campaign's alerts, or an owner's, for a while; recoveries are told all the same."""
    from pipeline.cli.api_client import ApiClient

    if (campaign is None) == (owner is None):
        raise typer.BadParameter("name either --campaign or --owner")
    whose = {"campaign_id": campaign} if owner is None else {"owner": owner}
    end = end_of(until, datetime.now(UTC))
    client = ApiClient(options.settings_for(data))
    silence = client.send("POST", "/api/silences", {**whose, "until": end, "reason": reason})
    _print(silence, f"silenced until {silence['until']}: {campaign or owner} ({silence['silence_id']})", as_json)


def _unsilence(
    silence: Annotated[
        str, typer.Argument(metavar="SILENCE", show_default=False, help="Its id, or the beginning of it.")
    ],
    as_json: options.Json = False,
    data: options.Data = None,
) -> None:
    """End a silence before its time."""
    from pipeline.cli.api_client import ApiClient

    settings = options.settings_for(data)
    client = ApiClient(settings)
    silence_id = whole_id(views_of(settings).silences(), "silence_id", silence, "silence", "roi alerts silences")
    ended = client.send("DELETE", f"/api/silences/{silence_id}")
    _print(ended, f"ended: {ended['campaign_id'] or ended['owner']} ({silence_id}) is told of again", as_json)


def _silences(as_json: options.Json = False, data: options.Data = None) -> None:
    """List silences, those in force first."""
    from pipeline.cli.output import Column, print_rows

    rows = views_of(options.settings_for(data)).silences()
    columns = (
        Column("silence_id", "Silence", "word"),
        Column("campaign_id", "Campaign"),
        Column("owner", "Owner"),
        Column("state", "State", "word"),
        Column("until", "Until", "word"),
        Column("by", "By", is_detail=True),
        Column("reason", "Reason", is_detail=True),
    )
    shown = rows if as_json else shortened(rows, "silence_id")
    print_rows(shown, columns, as_json=as_json, empty="no silences")


def end_of(text: str, now: datetime) -> str:
    """Return the instant that a person names, as RFC 3339.

    Raises:
        BadParameter: it is neither an instant with an offset nor a length such as 2h.
    """
    from schemas.instants import format_instant, parse_instant

    if match := _DURATION.fullmatch(text):
        return format_instant(now + float(match[1]) * _UNITS[match[2]])
    try:
        return format_instant(parse_instant(text))
    except ValueError as error:
        raise typer.BadParameter(
            f"{text!r} is no instant ({error}) and no length such as 2h", param_hint="--until"
        ) from error


def _print(silence: dict[str, Any], line: str, as_json: bool) -> None:
    import json

    from pipeline.cli.terminal import printable

    text = json.dumps(silence, ensure_ascii=False, indent=2) if as_json else line
    typer.echo(printable(text, keep="\n" if as_json else ""))
