"""`roi forecast`: what touch days will have returned once the conversions still to come are in."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from pipeline.cli import options

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.clickhouse.reader import Reader
    from pipeline.forecast.lag_curve import CohortCell
    from pipeline.forecast.maturity import Forecast
    from pipeline.settings import Settings

Run = Annotated[str, typer.Option("--run", metavar="NAME", help="A replay's name; `live` is the stream.")]
_MOST_LEFT_OUT: Final = 10
_SCHEMA_WINDOW_DAYS: Final = 7.0  # of a definition that names none (contract section 2)


@dataclass(frozen=True, slots=True)
class CampaignForecast:
    """A campaign's forecast beside its ratio as it stands."""

    campaign_id: str
    window_days: float
    return_ratio: float | None
    min_return_ratio: float
    forecast: Forecast


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="forecast", epilog=options.example("roi forecast spring-2026 --data data"))(_forecast)


def _forecast(
    campaign: Annotated[
        str | None,
        typer.Argument(
            metavar="[CAMPAIGN]", help="One campaign with its lag curve; all if not given.", show_default=False
        ),
    ] = None,
    run: Run = "live",
    as_json: options.Json = False,
    data: options.Data = None,
) -> None:
    """Forecast the return of all touch days but the newest two, with a 90 % band, from a campaign's own lags."""
    from pipeline.clickhouse.reader import Reader
    from pipeline.errors import UserError
    from pipeline.operations.runs import check_run

    settings = options.settings_for(data)
    reader = Reader(settings)
    check_run(reader, settings.clickhouse_database, run)
    forecasts = read_forecasts(reader, settings, run, campaign)
    if campaign is not None and not forecasts:
        raise UserError(f"campaign {campaign!r} has no event in run {run!r}", "roi forecast lists those that have")
    if as_json:
        typer.echo(json.dumps([asdict(found) for found in forecasts], indent=2, default=str))
    elif campaign is not None:
        _print_one(forecasts[0])
    else:
        _print_all(forecasts)


def read_forecasts(reader: Reader, settings: Settings, run: str, campaign: str | None) -> list[CampaignForecast]:
    """Return the forecasts of a run's campaigns, or of one, the costliest first."""
    from pipeline.alerts.rule import rule_of
    from pipeline.clickhouse.sql import query
    from pipeline.forecast.maturity import Converters, forecast

    def rows(name: str) -> list[dict[str, Any]]:
        parameters = {"run": run, "campaign": campaign or ""}
        return reader.rows(query(f"forecast_{name}", settings.clickhouse_database), parameters)

    cells: dict[str, list[CohortCell]] = defaultdict(list)
    for row in rows("cells"):
        cells[row["campaign_id"]].append(_cell(row))
    days = rows("day")
    # a run without a transaction has lived through no day at all
    as_of = date.fromisoformat(days[0]["as_of"]) if days else date.min
    found = []
    for row in rows("campaigns"):
        window_days = _window_days(row, settings)
        known = Converters(row["converters"], row["converted_return_minor"], row["squared_return"])
        found.append(
            CampaignForecast(
                row["campaign_id"],
                window_days,
                row["return_ratio"],
                rule_of(settings.alerts, json.loads(row["definition"] or "{}")).min_return_ratio,
                forecast(cells[row["campaign_id"]], as_of=as_of, window_days=window_days, converters=known),
            )
        )
    return found


def _cell(row: Mapping[str, Any]) -> CohortCell:
    from pipeline.forecast.lag_curve import CohortCell

    return CohortCell(
        date.fromisoformat(row["touch_day"]), row["lag_day"], row["conversions"], row["return_minor"], row["cost_minor"]
    )


def _window_days(row: Mapping[str, Any], settings: Settings) -> float:
    from pipeline.policies import recorded_settings

    if not row["definition"]:  # counts by the settings that the run was begun with
        begun = recorded_settings(row["counted_by"] or "")
        return float(begun.get("attribution.window_days", settings.attribution.window_days))
    return float(json.loads(row["definition"]).get("attribution_window_days", _SCHEMA_WINDOW_DAYS))


def _summary(found: CampaignForecast) -> dict[str, Any]:
    forecast = found.forecast
    ratio = forecast.ratio
    return {
        "campaign_id": found.campaign_id,
        "return_ratio": found.return_ratio,
        "required": found.min_return_ratio,
        "mature_ratio": forecast.return_minor / forecast.cost_minor if forecast.cost_minor > 0 else None,
        "matured_share": None if forecast.matured_share is None else f"{forecast.matured_share:.0%}",
        "ratio": ratio and ratio.value,
        "low": ratio and ratio.low,
        "high": ratio and ratio.high,
        "state": forecast.immature and f"immature: {forecast.immature}",
    }


def _print_all(forecasts: list[CampaignForecast]) -> None:
    from pipeline.cli.output import Column, print_rows

    columns = (
        Column("campaign_id", "Campaign"),
        Column("return_ratio", "All days", "ratio", limit="required"),
        Column("mature_ratio", "Mature", "ratio", limit="required"),
        Column("matured_share", "Share in", "value"),
        Column("ratio", "Forecast", "ratio", limit="required"),
        Column("low", "Low", "ratio", limit="required"),
        Column("high", "High", "ratio", limit="required"),
        Column("state", "State"),
    )
    print_rows([_summary(found) for found in forecasts], columns, as_json=False, empty="no campaign has an event yet")
    for line in _coverage([found for found in forecasts if found.forecast.ratio is not None]):
        typer.echo(line)


def _coverage(forecasts: list[CampaignForecast]) -> list[str]:
    """Return what the ratios cover: a forecast may be below what has come in where the newest days did well."""
    from pipeline.cli.terminal import printable
    from pipeline.forecast.lag_curve import last_mature_day

    if not forecasts:
        return []
    last = last_mature_day(forecasts[0].forecast.as_of)
    lines = [
        f"All days, Mature: return / cost so far; Mature is touch days up to {last}.",
        "The forecast, and the share of its return that is in, are of mature days, too.",
    ]
    left_out = [it for it in forecasts if it.forecast.young_cost_minor or it.forecast.young_return_minor]
    lines += [
        f"too young, so not in the forecast of {printable(it.campaign_id)}: {_young(it.forecast)}"
        for it in left_out[:_MOST_LEFT_OUT]
    ]
    more = len(left_out) - _MOST_LEFT_OUT
    return [*lines, f"… and of {more} others: --json"] if more > 0 else lines


def _young(forecast: Forecast) -> str:
    return f"cost {_money(forecast.young_cost_minor)}, return {_money(forecast.young_return_minor)}"


def _print_one(found: CampaignForecast) -> None:
    from pipeline.cli.output import Column, print_rows

    forecast = found.forecast
    steps = [
        {
            "lag_day": count.lag_day,
            "cohorts": count.cohorts,
            "conversions": f"{count.through_lag:,.2f}",
            "conversion_share": f"{count.share:.1%}",
            "return_minor": money.through_lag,
            "return_share": f"{money.share:.1%}",
        }
        for count, money in zip(forecast.conversion_curve, forecast.return_curve, strict=True)
    ]
    columns = (
        Column("lag_day", "Lag, days", "value"),
        Column("cohorts", "Touch days", "number"),
        Column("conversions", "Conversions by then", "value"),
        Column("conversion_share", "Share of final", "value"),
        Column("return_minor", "Return by then", "money"),
        Column("return_share", "Share of final", "value"),
    )
    print_rows(steps, columns, as_json=False, empty="no touch day has lived through a lag day yet")
    typer.echo(
        f"campaign {found.campaign_id} · window {found.window_days:g} days · "
        f"{forecast.cohorts} touch days counted, transactions known to the beginning of {forecast.as_of}"
    )
    typer.echo(f"these touch days: cost {_money(forecast.cost_minor)} · return so far {_money(forecast.return_minor)}")
    typer.echo(f"the newest touch days, too young to count: {_young(forecast)}")
    typer.echo(_verdict(forecast, found.min_return_ratio))


def _verdict(forecast: Forecast, required: float) -> str:
    from pipeline.cli.output import Column

    if forecast.immature is not None or forecast.matured_return is None:
        return f"immature: {forecast.immature}"
    money, ratio = forecast.matured_return, forecast.ratio
    share = "" if forecast.matured_share is None else f"{forecast.matured_share:.0%} of the final return is in · "
    told = f"matured return {_money(money.value)} (90 %: {_money(money.low)} to {_money(money.high)})"
    if ratio is None:
        return f"{share}{told} · no cost, so no ratio"
    value, low, high = (Column("", "", "ratio").cell(one, required) for one in (ratio.value, ratio.low, ratio.high))
    return f"{share}{told} · forecast ratio {value} (90 %: {low} to {high})"


def _money(minor: float) -> str:
    return f"{minor / 100:,.2f}"
