"""`roi alerts deliveries|test`: who was told what, and whether receivers are reached."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from pipeline.cli import options
from pipeline.cli.alert_ids import shortened, views_of, whole_id

if TYPE_CHECKING:
    from pipeline.alerts.views import AlertViews

_TEST_SECONDS: Final = 45.0  # a receiver is given up after 20, and may have just begun with something else
_POLL_SECONDS: Final = 0.2
_STATES: Final = ("waiting", "sent", "suppressed", "dead")


def register(group: typer.Typer) -> None:
    """Add the commands."""
    group.command(name="test", epilog=options.example("roi alerts test floor --data data"))(_test)
    group.command(name="deliveries", epilog=options.example("roi alerts deliveries --state dead"))(_deliveries)


def _test(
    receiver: Annotated[
        str | None,
        typer.Argument(metavar="[RECEIVER]", show_default=False, help="A name of the settings; all if not given."),
    ] = None,
    as_json: options.Json = False,
    data: options.Data = None,
) -> None:
    """Send a test to a receiver, or to all, and tell who has got it; exit code 1 if somebody has not."""
    from pipeline.cli.api_client import ApiClient

    settings = options.settings_for(data)
    body = {} if receiver is None else {"receiver": receiver}
    rows = ApiClient(settings).send("POST", "/api/alerts/test", body)
    if rows:
        rows = _settled(views_of(settings), rows[0]["message_id"])
    _print(rows, as_json, empty="nobody is told")
    unreached = [row for row in rows if row["state"] != "sent"]
    for row in unreached:
        why = row["last_error"] or f"nothing is known after {_TEST_SECONDS:.0f} s, see roi alerts deliveries"
        typer.echo(f"{row['receiver']} has not got it: {why}", err=True)
    if unreached:
        raise typer.Exit(1)


def _settled(views: AlertViews, message_id: str) -> list[dict[str, Any]]:
    """Wait until every receiver has got a message, or has not; return the notifications."""
    deadline = time.monotonic() + _TEST_SECONDS
    while True:
        rows = views.notifications(message=message_id)
        if not any(row["state"] == "waiting" for row in rows) or time.monotonic() > deadline:
            return rows
        time.sleep(_POLL_SECONDS)


def _deliveries(
    state: Annotated[str | None, typer.Option("--state", help="waiting, sent, suppressed or dead (given up).")] = None,
    retry: Annotated[
        str | None,
        typer.Option("--retry", metavar="ID", help="Send this dead one again: its id or the beginning of it."),
    ] = None,
    retry_dead: Annotated[bool, typer.Option("--retry-dead", help="Send every dead one again.")] = False,
    as_json: options.Json = False,
    data: options.Data = None,
) -> None:
    """List who was told what, newest first; or send again what was given up."""
    if state is not None and state not in _STATES:
        raise typer.BadParameter(f"{state!r} is none of {', '.join(_STATES)}", param_hint="--state")
    if retry is not None and retry_dead:
        raise typer.BadParameter("either --retry ID or --retry-dead")
    settings = options.settings_for(data)
    if retry is None and not retry_dead:
        _print(views_of(settings).notifications(state=state or ""), as_json, empty="nobody was told anything yet")
        return

    from pipeline.cli.api_client import ApiClient

    client = ApiClient(settings)
    if retry is None:
        rows = client.send("POST", "/api/notifications/retry", {})
    else:
        dead = views_of(settings).notifications(state="dead")
        listed = "roi alerts deliveries --state dead"
        notification = whole_id(dead, "notification_id", retry, "dead notification", listed)
        rows = [client.send("POST", f"/api/notifications/{notification}/retry", {})]
    _print(rows, as_json, empty="none is dead any more: all are sent again")


def _print(rows: list[dict[str, Any]], as_json: bool, empty: str) -> None:
    from pipeline.cli.output import Column, print_rows

    columns = (
        Column("notification_id", "Notification", "word"),
        Column("receiver", "Receiver"),
        Column("campaign_id", "Campaign"),
        Column("message_type", "Message", "word"),
        Column("state", "State", "word"),
        Column("attempts", "Attempts", "value", is_detail=True),
        Column("sent_at", "Sent", is_detail=True),
        Column("last_error", "Last error", is_detail=True),
    )
    print_rows(rows if as_json else shortened(rows, "notification_id"), columns, as_json=as_json, empty=empty)
