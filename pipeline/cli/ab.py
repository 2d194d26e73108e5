"""`roi ab`: whether a campaign's variants do better than its control; and who gets which variant."""

from __future__ import annotations

import json
import textwrap
from enum import StrEnum
from pathlib import Path  # noqa: TC003 - typer reads annotations when it starts
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from pipeline.cli import options
from pipeline.ledger.rows import LIVE

if TYPE_CHECKING:
    from pipeline.cli.output import Column
    from pipeline.experiments.analysis import Analysis
    from pipeline.experiments.rows import Row
    from pipeline.settings import Settings

_WIDTH: Final = 80
_SILENCE_SECONDS: Final = 900  # a million customers on a busy machine


class Metric(StrEnum):
    """What may be asked for."""

    CONVERTED = "converted"
    RETURN = "return"
    AUM = "aum"
    LOGINS = "logins"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="ab", epilog=options.example("roi ab spring-2026 --metric converted --metric return"))(_ab)


def _ab(
    campaign: Annotated[str, typer.Argument(metavar="CAMPAIGN", help="The campaign's id.", show_default=False)],
    run: Annotated[
        str | None, typer.Option("--run", metavar="NAME", help="A replay's name; default: `live`, the stream.")
    ] = None,
    metrics: Annotated[
        list[Metric] | None, typer.Option("--metric", help="An outcome; may be given several times; default all.")
    ] = None,
    control: Annotated[
        str | None, typer.Option("--control", metavar="VARIANT", help="Default: the definition's control.")
    ] = None,
    horizon_days: Annotated[
        float | None,
        typer.Option("--horizon-days", metavar="D", help="Outcome window; default: the campaign's window."),
    ] = None,
    assign: Annotated[
        Path | None,
        typer.Option(
            "--assign",
            metavar="FILE",
            help="Assign customers instead: ids, one a line (- = stdin), to `assign` touches for `roi ingest`.",
        ),
    ] = None,
    shares: Annotated[
        str | None, typer.Option("--shares", metavar="V=W,…", help="With --assign: weights; default: the definition's.")
    ] = None,
    salt: Annotated[
        str | None, typer.Option("--salt", metavar="TEXT", help="With --assign: another one assigns anew.")
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="T", help="With --assign: the touches' time, RFC 3339; default now.")
    ] = None,
    as_json: options.Json = False,
    data: options.Data = None,
) -> None:
    """Compare a campaign's variants with its control, or assign customers to them (--assign).

    The decision rests on a test that may be looked at any day; docs/ab.md says what it assumes and what it was measured
    to do. The results are stored: views ab_results and ab_history.
    """
    settings = options.settings_for(data)
    of_run = LIVE if run is None else run
    if assign is not None:
        from pipeline.cli.ab_assigning import Order, assign_customers

        why = "nothing is compared with --assign: leave it out, or --assign"
        options.refuse_idle({"--metric": metrics or None, "--horizon-days": horizon_days}, why)
        if shares is not None:
            options.refuse_idle({"--run": run}, "--shares takes the place of what a run has: leave one of them out")
        assign_customers(settings, Order(campaign, of_run, shares, salt or "", control, at), assign)
        return
    why = "nobody is assigned without --assign FILE: give it, too, or leave this out"
    options.refuse_idle({"--shares": shares, "--salt": salt, "--at": at}, why)
    if horizon_days is not None and not 0 < horizon_days <= _longest_days():
        cause = f"must be a number of days above 0, at most {_longest_days():,}"
        raise typer.BadParameter(cause, param_hint="--horizon-days")
    from pipeline.experiments.asking import Asked
    from pipeline.experiments.facts import METRICS

    wanted = tuple(metric for metric in METRICS if not metrics or metric in {str(one) for one in metrics})
    _analyse(settings, Asked(campaign, of_run, wanted, control, horizon_days), as_json=as_json)


def _longest_days() -> float:
    from schemas.campaign import MAX_DAYS

    return MAX_DAYS


def _analyse(settings: Settings, asked: Any, *, as_json: bool) -> None:
    from pipeline.cli.terminal import printable
    from pipeline.clickhouse.connection import connect
    from pipeline.errors import UserError
    from pipeline.experiments.asking import analysis_of
    from pipeline.experiments.rows import day_rows, result_rows
    from pipeline.experiments.storing import store
    from pipeline.ledger.ledger import ClickHouseLedger, LedgerUnavailableError

    client = connect(settings, "writer", silence_seconds=_SILENCE_SECONDS)
    port = ClickHouseLedger(client, settings.clickhouse_database, asked.run, "roi-ab")
    try:
        analysis = analysis_of(port, settings, asked)
    except LedgerUnavailableError as error:
        raise UserError(f"ClickHouse could not answer ({error})", "run roi migrate, or try again") from error
    rows = result_rows(asked.run, asked.campaign_id, analysis)
    store(client, settings.clickhouse_database, asked, rows, day_rows(asked.run, asked.campaign_id, analysis))
    if as_json:
        typer.echo(printable(json.dumps(rows, ensure_ascii=False, indent=2), keep="\n"))
    else:
        _print(asked.campaign_id, asked.run, analysis, rows)


def _print(campaign: str, run: str, analysis: Analysis, rows: list[Row]) -> None:
    from pipeline.cli.output import print_renderable, table_of
    from pipeline.cli.terminal import printable
    from pipeline.experiments.words import LABELS, chance, mismatch

    facts, ratio = analysis.facts, analysis.sample_ratio
    _say(
        f"campaign {campaign} · run {run} · control {analysis.design.control} · window "
        f"{rows[0]['window_days']:g} days · as of {rows[0]['as_of'][:16].replace('T', ' ')} UTC"
    )
    _say(
        f"{analysis.customers:,} customers assigned, {analysis.ended:,} with their window over · "
        f"{facts.left_out:,} in two variants, left out · sample ratio p = {chance(ratio.p_value)} "
        f"({chance(ratio.sequential_p)} looked at any day)"
    )
    if ratio.is_wrong:
        _say(printable(f"INVALID: {mismatch(analysis)}"))
    for metric in analysis.design.metrics:
        typer.echo(f"\n{LABELS[metric]}")
        chosen = [row for row in rows if row["metric"] == metric]
        shown = [_shown(metric, row) for row in chosen]
        print_renderable(table_of([row for each in shown for row in each], _columns(), _WIDTH))
        for row in chosen:
            if row["verdict"] and not ratio.is_wrong:
                _say(printable(row["verdict"]))
    _print_money(rows)
    for caveat in dict.fromkeys(caveat for row in rows for caveat in row["caveats"]):
        _say(f"! {caveat}.")


def _columns() -> tuple[Column, ...]:
    from pipeline.cli.output import Column

    return (
        Column("variant", "Variant", "word"),
        Column("n", "Customers", "value", is_detail=True),
        Column("mean", "Mean", "value"),
        Column("lift", "Lift", "value"),
        Column("interval", "95 % interval", "value"),
        Column("p", "p", "value", is_detail=True),
        Column("decision", "Decision", "word"),
    )


def _shown(metric: str, row: Row) -> list[dict[str, Any]]:
    """Return a variant's lines: everyone at one look, and ended windows at any look; the control has the means only."""
    from pipeline.experiments.words import amount, chance

    def interval(low: float | None, high: float | None) -> str | None:
        if low is None or high is None:
            return None
        return f"{_short(amount(metric, low, sign=True))} … {_short(amount(metric, high, sign=True))}"

    everyone = {
        "variant": row["variant"] or "(none)",
        "n": f"{row['n']:,}",
        "mean": _short(amount(metric, row["mean"])),
        "lift": None if row["is_control"] else _short(amount(metric, row["lift"], sign=True)),
        "interval": interval(row["ci_low"], row["ci_high"]),
        "p": None if row["is_control"] else chance(row["p_value"]),
        "decision": "",
    }
    ended = {
        "variant": "  ended",
        "n": f"{row['ended']:,}",
        "mean": _short(amount(metric, row["ended_mean"])),
        "lift": None if row["is_control"] else _short(amount(metric, row["ended_lift"], sign=True)),
        "interval": interval(row["always_low"], row["always_high"]),
        "p": None if row["is_control"] else chance(row["always_valid_p"]),
        "decision": row["decision"] or "",
    }
    return [everyone, ended]


def _short(text: str) -> str:
    return text.removesuffix(" points").replace(" %", "%")


def _print_money(rows: list[Row]) -> None:
    from pipeline.cli.output import Column, print_renderable, table_of

    first = rows[0]["metric"]
    money = [row for row in rows if row["metric"] == first and not row["is_control"]]
    typer.echo("\nin money: incremental (beyond the control) beside attributed")
    columns = (
        Column("variant", "Variant", "word"),
        Column("incremental_return_minor", "Incremental", "money"),
        Column("cost_minor", "Cost", "money"),
        Column("incremental_roi", "ROI", "ratio"),
        Column("attributed_return_minor", "Attributed", "money"),
        Column("attributed_roi", "ROI", "ratio"),
    )
    print_renderable(table_of(money, columns, _WIDTH))
    typer.echo("ROI = (return - cost) / cost")


def _say(text: str, indent: str = "") -> None:
    typer.echo(textwrap.fill(text, _WIDTH, initial_indent=indent, subsequent_indent=indent))
