"""`roi diff`: what changed between two runs, campaign by campaign, and why."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from pipeline.cli import options
from pipeline.cli.terminal import printable

if TYPE_CHECKING:
    from pipeline.comparison.diff import CampaignDiff, RunDiff

_CAMPAIGNS_SHOWN: Final = 20


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="diff", epilog=options.example("roi diff live window-3"))(_diff)


def _diff(
    left: Annotated[str, typer.Argument(metavar="RUN_A", help="A run: live, or a replay's name.", show_default=False)],
    right: Annotated[str, typer.Argument(metavar="RUN_B", help="The run it is held against.", show_default=False)],
    as_json: options.Json = False,
    data: options.Data = None,
) -> None:
    """Show what differs between two runs: per campaign and measure, most money first, and what both count with."""
    from pipeline.clickhouse.reader import Reader
    from pipeline.comparison.diff import diff

    settings = options.settings_for(data)
    found = diff(Reader(settings), settings.clickhouse_database, left, right)
    if as_json:
        typer.echo(printable(json.dumps(_answer(found), ensure_ascii=False, indent=2, default=str), keep="\n"))
    else:
        _print(found)


def _print(found: RunDiff) -> None:
    from pipeline.cli.comparison_text import ground_lines
    from pipeline.cli.output import Column, print_renderable, table_of

    left, right = found.left, found.right
    changed = [one for one in found.campaigns if one.changed]
    if changed:
        columns = (
            Column("campaign", "Campaign"),
            Column("measure", "Measure", "word"),
            Column("left", left, "number"),
            Column("right", right, "number"),
            Column("difference", "Difference", "number"),
        )
        rows = [row for campaign in changed[:_CAMPAIGNS_SHOWN] for row in _rows(campaign)]
        print_renderable(table_of(rows, columns))
    if len(changed) > _CAMPAIGNS_SHOWN:
        typer.echo(f"and {len(changed) - _CAMPAIGNS_SHOWN:,} more campaigns differ, by less money (--json has all)")
    same = len(found.campaigns) - len(changed)
    total = len(found.campaigns)
    typer.echo(
        f"{len(changed):,} of {total:,} campaigns differ between {left} and {right}"
        if changed
        else f"no difference between {left} and {right}: {same:,} campaigns are equal in every measure"
    )
    reasons = [*found.grounds, *(ground for campaign in found.campaigns for ground in campaign.grounds)]
    if reasons:
        typer.echo("why: they count with other things")
        for line in ground_lines(reasons, left, right):
            typer.echo(printable(f"  {line}"))
    elif changed:
        typer.echo(
            "why: both count with the same settings, range and definitions, so their records differ "
            f"(roi replay --run {right} --verify names the rows)"
        )


def _rows(campaign: CampaignDiff) -> list[dict[str, Any]]:
    return [
        {
            "campaign": campaign.campaign_id if place == 0 else "",
            "measure": one.measure.removesuffix("_minor"),
            **{side: _figure(one.measure, getattr(one, side)) for side in ("left", "right", "difference")},
        }
        for place, one in enumerate(campaign.changed)
    ]


def _figure(measure: str, value: Any) -> Any:
    """Return money in whole units and fractions to a few digits, as the tables of other commands show them."""
    if value is None or (isinstance(value, int) and not measure.endswith("_minor")):
        return value
    return round(value / 100, 2) if measure.endswith("_minor") else round(value, 4)


def _answer(found: RunDiff) -> dict[str, Any]:
    return {
        "left": found.left,
        "right": found.right,
        "equal": not any(campaign.changed for campaign in found.campaigns),
        "grounds": [ground.row() for ground in found.grounds],
        "campaigns": [
            {
                "campaign_id": campaign.campaign_id,
                "measures": {
                    one.measure: {"left": one.left, "right": one.right, "difference": one.difference}
                    for one in campaign.measures
                },
                "grounds": [ground.row() for ground in campaign.grounds],
            }
            for campaign in found.campaigns
        ],
    }
