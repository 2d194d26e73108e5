"""`roi backtest`: the alert rule as of every step of the past, and what it would have been in money."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path  # noqa: TC003 - typer reads the annotations when it runs
from typing import TYPE_CHECKING, Annotated, Final

import typer

from pipeline.cli import options
from pipeline.ledger.rows import LIVE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.backtest.past import Past, Range
    from pipeline.backtest.results import Found
    from pipeline.settings import Settings

_DURATION: Final = re.compile(r"([1-9]\d{0,5})(m|h|d)", re.ASCII)
_UNITS: Final = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}
_FORMS: Final = "NDJSON (plain or gzip) or Parquet"


def register(app: typer.Typer) -> None:
    """Add the command."""
    example = "roi backtest --costs costs.ndjson --credits credits.ndjson --rule strict.toml --png backtest.png"
    app.command(name="backtest", epilog=options.example(example))(_backtest)


def _backtest(
    run: Annotated[
        str | None, typer.Option("--run", metavar="NAME", help="A replay's name; default: `live`, the stream.")
    ] = None,
    rule: Annotated[
        list[Path] | None,
        typer.Option("--rule", metavar="FILE", help="TOML with settings of alerts to try; may be given several times."),
    ] = None,
    begin: Annotated[
        str | None, typer.Option("--from", metavar="T", help="First step: an instant or a business day.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="T", help="No step is later.")] = None,
    every: Annotated[
        str, typer.Option("--every", metavar="D", help="From step to step, such as 30m, 1h or 1d.")
    ] = "1h",
    costs: Annotated[
        Path | None, typer.Option("--costs", metavar="FILE", help=f"A warehouse's costs: {_FORMS}.")
    ] = None,
    returns: Annotated[Path | None, typer.Option("--credits", metavar="FILE", help="Its credits, likewise.")] = None,
    campaigns: Annotated[
        Path | None,
        typer.Option("--campaigns", metavar="FILE", help="Definitions of its campaigns, as for `roi campaigns apply`."),
    ] = None,
    keep: Annotated[
        str | None,
        typer.Option("--keep", metavar="NAME", help="Keep the result for the board; it replaces one of that name."),
    ] = None,
    png: Annotated[Path | None, typer.Option("--png", metavar="FILE", help="Also draw a plot.")] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, metavar="N", help="Processes at most; default: the processors.")
    ] = None,
    as_json: options.Json = False,
    data: options.Data = None,
) -> None:
    """Try the alert rule on the past: when it would have fired, and what that would have been in money.

    The plain rule (ratio so far below the limit) and the product's own are always among those compared.
    """
    from pipeline.backtest.backtest import backtest
    from pipeline.backtest.rules import rules_of_files
    from pipeline.cli.instants import zone_of_range
    from pipeline.cli.progress import progress_bar
    from pipeline.cli.terminal import printable

    if (costs is None) != (returns is None):
        raise typer.BadParameter("--costs FILE and --credits FILE belong together: neither says what the other does")
    if costs is not None:
        options.refuse_idle({"--run": run}, "an export is looked at without any run: leave it out, or the export")
    if keep is not None and not keep.strip():
        raise typer.BadParameter("it names nothing that a board could choose", param_hint="--keep")
    settings = options.settings_for(data)
    step_ms = _every(every)
    zone = settings.time.zone if costs is not None else zone_of_range(settings, run or LIVE, begin, end)
    span = _span(begin, end, step_ms, zone)
    rules = rules_of_files(settings.alerts, rule or [])
    if costs is not None and returns is not None:
        past = _export(settings, span, costs, returns, campaigns)
    else:
        past = _run(settings, span, run, campaigns, data, (one.settings.hold_minutes for one in rules))
    with progress_bar("looking", "campaigns") as tell:
        found = backtest(past, rules, history_days=settings.alerts.history_days, workers=workers, tell=tell)
    if keep is not None:
        from pipeline.backtest.keeping import keep as keep_result

        keep_result(settings, found, keep)
    if png is not None:
        _draw(found, png)
    if as_json:
        document = json.dumps(found.document(), ensure_ascii=False, indent=2, allow_nan=False)
        typer.echo(printable(document, keep="\n"))
    else:
        _print(found)


def _span(begin: str | None, end: str | None, step_ms: int, zone: str) -> Range:
    from pipeline.backtest.past import Range
    from pipeline.cli.instants import instant_ms

    span = Range(
        None if begin is None else instant_ms(begin, "--from", zone),
        None if end is None else instant_ms(end, "--to", zone),
        step_ms,
    )
    if span.is_upside_down:
        raise typer.BadParameter("it is before --from: no step is in between", param_hint="--to")
    return span


def _every(text: str) -> int:
    found = _DURATION.fullmatch(text)
    if found is None:
        raise typer.BadParameter(f"{text[:40]!r} is no length of time: write 30m, 1h or 1d", param_hint="--every")
    return int(found[1]) * _UNITS[found[2]]


def _export(settings: Settings, span: Range, costs: Path, returns: Path, campaigns: Path | None) -> Past:
    from pipeline.alerts.plans import plan_of
    from pipeline.alerts.warehouse import read_warehouse
    from pipeline.backtest.export import past_of_export
    from pipeline.operations.definitions import read_definitions, validated
    from pipeline.policies import policy_of
    from schemas.decode import decode_campaign

    policy = policy_of(settings)
    plans = {}
    if campaigns is not None:
        for name, text in validated(list(read_definitions(campaigns))).items():
            plans[name] = plan_of(name, decode_campaign(name.encode(), text), policy)
    warehouse = read_warehouse(costs, returns, policy, plans, now_ms=round(time.time() * 1000))
    return past_of_export(warehouse, span, f"{costs} and {returns}")


def _run(
    settings: Settings, span: Range, run: str | None, campaigns: Path | None, data: Path | None, holds: Iterable[float]
) -> Past:
    from pipeline.backtest.opening import open_run

    if campaigns is not None:
        raise typer.BadParameter("--campaigns belongs to an export; a run has definitions of its own (roi replay)")
    return open_run(settings, LIVE if run is None else run, span, data, holds)


def _draw(found: Found, file: Path) -> None:
    from pipeline.backtest.plot import draw

    file.write_bytes(draw(found))


def _print(found: Found) -> None:
    from pipeline.cli.backtest_table import print_backtest

    print_backtest(found)
