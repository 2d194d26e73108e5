"""`roi alerts ack|decide|approve|note`: over the HTTP API, under the name of one's token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from pipeline.cli import options
from pipeline.cli.alert_ids import ALERT, alert_id_of, views_of

if TYPE_CHECKING:
    from pathlib import Path

Alert = Annotated[str, ALERT]
_DONE: Final = {"acknowledge": "acknowledged", "decide": "decided", "approve": "approved", "note": "noted"}


def register(group: typer.Typer) -> None:
    """Add the commands."""
    group.command(name="ack", epilog=options.example("roi alerts ack spring-2026 --note 'looking at it'"))(_ack)
    decide = "roi alerts decide spring-2026 --decision stop --reason 'budget goes to autumn'"
    group.command(name="decide", epilog=options.example(decide))(_decide)
    group.command(name="approve", epilog=options.example("roi alerts approve spring-2026"))(_approve)
    group.command(name="note", epilog=options.example("roi alerts note spring-2026 'branch 12 has been asked'"))(_note)


def _ack(
    alert: Alert,
    note: Annotated[str | None, typer.Option("--note", help="What is being done.")] = None,
    as_json: options.Json = False,
    data: options.Data = None,
) -> None:
    """Say that you have seen it: no more reminders."""
    _act(alert, "acknowledge", {} if note is None else {"note": note}, as_json, data)


def _decide(
    alert: Alert,
    decision: Annotated[
        Literal["stop", "optimise", "continue"], typer.Option("--decision", help="What is to be done.")
    ],
    reason: Annotated[str, typer.Option("--reason", help="Why; it stays in the audit trail.")],
    as_json: options.Json = False,
    data: options.Data = None,
) -> None:
    """Decide about the campaign: a stop goes out on roi.stops.v1, with four eyes after another person's yes."""
    _act(alert, "decide", {"decision": decision, "reason": reason}, as_json, data)


def _approve(alert: Alert, as_json: options.Json = False, data: options.Data = None) -> None:
    """Approve a stop that another person has decided."""
    _act(alert, "approve", {}, as_json, data)


def _note(
    alert: Alert,
    text: Annotated[str, typer.Argument(metavar="TEXT", show_default=False, help="The remark.")],
    as_json: options.Json = False,
    data: options.Data = None,
) -> None:
    """Add a remark to its history."""
    _act(alert, "note", {"note": text}, as_json, data)


def _act(named: str, action: str, body: dict[str, Any], as_json: bool, data: Path | None) -> None:
    import json

    from pipeline.cli.api_client import ApiClient
    from pipeline.cli.terminal import printable

    settings = options.settings_for(data)
    client = ApiClient(settings)  # before anything is asked: without a token there is nothing to do
    alert_id = alert_id_of(views_of(settings), named)
    alert = client.send("POST", f"/api/alerts/{alert_id}/{action}", body)
    if as_json:
        typer.echo(printable(json.dumps(alert, ensure_ascii=False, indent=2), keep="\n"))
        return
    waits = action == "decide" and alert["history"][-1]["event"] == "proposed"
    done = "proposed: another person approves it" if waits else _DONE[action]
    by = alert["history"][-1]["by"]
    typer.echo(printable(f"{done} by {by}: {alert['campaign_id']} ({alert_id}) is {alert['state']}"))
