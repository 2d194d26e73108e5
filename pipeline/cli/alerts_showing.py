"""`roi alerts list|show`: read with the reader's rights, so they work while the board is away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from pipeline.cli import options
from pipeline.cli.alert_ids import ALERT, alert_id_of, shortened, views_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from pipeline.settings import Settings

_WIDTH: Final = 78
_UNJUDGED: Final = frozenset({"immature", "blocked"})
State = Annotated[str | None, typer.Option("--state", help="Only those in this state, such as firing.")]


def register(group: typer.Typer) -> None:
    """Add the commands."""
    group.command(name="list", epilog=options.example("roi alerts list --state firing --data data"))(_list)
    group.command(name="show", epilog=options.example("roi alerts show spring-2026 --data data"))(_show)


def _list(
    state: State = None,
    campaign: Annotated[str | None, typer.Option("--campaign", help="Only this campaign's.")] = None,
    owner: Annotated[str | None, typer.Option("--owner", help="Only those of this owner's campaigns.")] = None,
    run: Annotated[
        str, typer.Option("--run", metavar="NAME", help="A replay's, by its own clock: nobody is told of them.")
    ] = "live",
    as_json: options.Json = False,
    data: options.Data = None,
) -> None:
    """List alerts, those with the most money at risk first; every campaign has one from the first look on."""
    from pipeline.cli.output import Column, print_rows

    settings, wanted = options.settings_for(data), _known(state)
    if run == "live":
        rows = views_of(settings).plain(wanted, campaign or "", owner or "")
    else:
        rows = list(_of_run(settings, run, data, (wanted, campaign or "", owner or "")))
    columns = (
        Column("alert_id", "Alert", "word"),
        Column("campaign_id", "Campaign"),
        Column("state", "State", "word"),
        Column("return_ratio", "Ratio", "ratio", limit="required"),
        Column("upper_bound", "At most", "ratio", limit="required"),
        Column("money_at_risk_minor", "At risk", "money"),
        Column("decision", "Decision", "word", is_detail=True),
        Column("owner", "Owner", is_detail=True),
        Column("opened_at", "Since", is_detail=True),
        Column("reason", "Reason", is_detail=True),
    )
    shown = rows if as_json else [_held(_offered(_judged(row))) for row in shortened(rows, "alert_id")]
    print_rows(shown, columns, as_json=as_json, empty=_nothing(state, campaign, owner))
    if not as_json:
        _print_lines(line for row in shown if row["proposed_by"] for line in _proposal(row, settings))


def _of_run(settings: Settings, run: str, data: Path | None, chosen: tuple[str, str, str]) -> Iterator[dict[str, Any]]:
    """Yield the alerts of a run that nobody is told of, in the columns of view alerts, and say by which clock."""
    from pipeline.alerts.statistics import HOUR_MS
    from pipeline.backtest.opening import open_run
    from pipeline.backtest.past import Range
    from pipeline.backtest.states import alerts_of, row_of
    from pipeline.cli.progress import progress_bar
    from schemas.instants import instant_text

    past = open_run(settings, run, Range(None, None, HOUR_MS, ends_at_last=True), data)
    with progress_bar("looking", "campaigns") as tell:
        records = alerts_of(past, settings.alerts, tell)
    typer.echo(f"{past.source} as of {instant_text(past.last_ms)}, its own clock; nobody is told", err=True)
    for row in map(row_of, records):
        found = row["state"], row["campaign_id"], row["owner"]
        if all(not wanted or wanted == one for wanted, one in zip(chosen, found, strict=True)):
            yield row


def _show(alert: Annotated[str, ALERT], as_json: options.Json = False, data: options.Data = None) -> None:
    """Show one alert: the evidence, everything that was done, who was told, and what became of the return."""
    settings = options.settings_for(data)
    views = views_of(settings)
    print_alert(views.alert(alert_id_of(views, alert)) or {}, settings, as_json=as_json)


def print_alert(alert: Mapping[str, Any], settings: Settings, *, as_json: bool) -> None:
    """Print one alert as `AlertViews.alert` returns it."""
    import json

    from pipeline.cli.output import Column, print_rows
    from pipeline.cli.terminal import printable

    if as_json:
        typer.echo(printable(json.dumps(alert, ensure_ascii=False, indent=2), keep="\n"))
        return
    _print_lines(_lines(alert))
    if alert["proposed_by"]:
        _print_lines(_proposal(alert, settings))
    typer.echo("")
    history = (
        Column("changed_at", "When", "word"),
        Column("event", "Event", "word"),
        Column("state", "State", "word"),
        Column("by", "By"),
        Column("note", "Note"),
    )
    entries = [{**entry, "changed_at": _moment(entry["changed_at"])} for entry in alert["history"]]
    print_rows(entries, history, as_json=False, empty="nothing has happened yet")
    told = (
        Column("receiver", "Receiver"),
        Column("message_type", "Message", "word"),
        Column("state", "State", "word"),
        Column("attempts", "Attempts", "value"),
        Column("last_error", "Last error", is_detail=True),
    )
    print_rows(alert["notifications"], told, as_json=False, empty="nobody was told")


def _print_lines(lines: Iterable[str]) -> None:
    import textwrap

    from pipeline.cli.terminal import printable

    for line in lines:
        typer.echo("\n".join(textwrap.wrap(printable(line), _WIDTH, subsequent_indent="  ", break_on_hyphens=False)))


def _held(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a row with the ratio that its rule requires."""
    import json

    return {**row, "required": _required(json.loads(row["record"]))}


def _required(record: Mapping[str, Any]) -> float | None:
    found: float | None = record.get("rule", {}).get("min_return_ratio")
    return found


def _offered(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a row whose decision shows that a stop is proposed."""
    return {**row, "decision": "stop?"} if row["proposed_by"] else row


def _judged(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a row without money at risk while its campaign is not judged, as the board shows it."""
    return {**row, "money_at_risk_minor": None} if row["state"] in _UNJUDGED else row


def _proposal(alert: Mapping[str, Any], settings: Settings) -> Iterator[str]:
    """Say who proposes what, and who may approve it, as far as these settings name people."""
    alert_id, by = alert["alert_id"], alert["proposed_by"]
    yield f"{alert_id}: {by} proposes to stop {alert['campaign_id']} ({alert['proposal_reason']})"
    if alert["state"] == "blocked":
        yield "  it can be approved when the campaign's data are mended"
        return
    people = settings.api.tokens
    others = sorted(name for name, token in people.items() if token.role == "decider" and name != by)
    if people and not others:
        yield f"  nobody but {by} has a decider's token: roi token NAME --role decider makes one"
    else:
        who = " or ".join(others) or "another person with a decider's token"
        yield f"  {who} may approve it: roi alerts approve {alert_id}"


def _nothing(state: str | None, campaign: str | None, owner: str | None) -> str:
    """Return the sentence for no rows, which names what was asked for."""
    asked = [
        text
        for value, text in (
            (state, f"in state {state}"),
            (campaign, f"of campaign {campaign!r}"),
            (owner, f"of owner {owner!r}"),
        )
        if value
    ]
    if asked:
        return f"there are no alerts {', '.join(asked)}; roi alerts list shows all"
    return "no alerts; the evaluator (roi alerts run) begins them"


def _lines(alert: Mapping[str, Any]) -> Iterator[str]:
    from pipeline.cli.output import Column

    record = alert["record"]
    required = _required(record)

    def written(key: str, kind: Any) -> str:
        return Column(key, key, kind).cell(alert[key], required)

    yield f"{alert['alert_id']} is {alert['state']}"
    yield f"campaign {alert['campaign_id']}"
    yield f"owner {alert['owner'] or '-'}, since {_moment(alert['opened_at'])}, as of {_moment(alert['as_of'])}"
    yield (
        f"return ratio {written('return_ratio', 'ratio')}, at most {written('upper_bound', 'ratio')},"
        f" required {Column('', '', 'ratio').cell(required, required)}"
    )
    risk = "not judged yet" if alert["state"] in _UNJUDGED else written("money_at_risk_minor", "money")
    yield f"at risk {risk}, decision {alert['decision'] or '-'}"
    yield from (f"- {reason}" for reason in record.get("reasons", ()))
    yield from _after(alert["after_decision"], required)


def _after(after: Mapping[str, Any] | None, required: float | None) -> Iterator[str]:
    if after is None:
        return
    from pipeline.cli.output import Column

    ratio, money = Column("return_ratio", "", "ratio"), Column("", "", "money")
    before = ratio.cell(after["before"]["return_ratio"], required)
    if after["after"] is None:
        so_far = f"{after['days_so_far']:g} days so far"
        yield f"{after['decision']}: ratio {before} in the {after['days']} days before; {so_far}"
    else:
        yield (
            f"{after['decision']}: ratio {before} in the {after['days']} days before,"
            f" {ratio.cell(after['after']['return_ratio'], required)} in those after;"
        )
        yield f"spend avoided {money.cell(after['spend_avoided_minor'])}"


def _moment(text: str | None) -> str:
    """Return an instant to the second."""
    return "-" if text is None else f"{text[:19].replace('T', ' ')}Z"


def _known(state: str | None) -> str:
    from schemas.alerts import STATES

    if state is not None and state not in STATES:
        raise typer.BadParameter(f"{state!r} is none of {', '.join(STATES)}", param_hint="--state")
    return state or ""
