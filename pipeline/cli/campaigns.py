"""`roi campaigns`: definitions in, definitions and live totals out."""

from __future__ import annotations

import json
from pathlib import Path  # noqa: TC003 - typer reads the annotations when it runs
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from pipeline.cli import options

if TYPE_CHECKING:
    from pipeline.alert_settings import AlertSettings

_LIST: Final = """
    SELECT d.campaign_id AS campaign_id, d.definition AS definition, d.updated_at AS updated_at, t.reached AS reached,
           t.converters AS converters, t.cost_minor AS cost_minor, t.return_minor AS return_minor,
           t.return_ratio AS return_ratio
    FROM campaign_definitions AS d
    LEFT JOIN (SELECT * FROM campaign_totals WHERE run = 'live') AS t ON d.campaign_id = t.campaign_id
    ORDER BY campaign_id
"""


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="Campaign definitions.", no_args_is_help=False)
    group.command(name="apply", epilog=options.example("roi campaigns apply campaigns.yaml --data data"))(_apply)
    group.command(name="list", epilog=options.example("roi campaigns list --json"))(_list)
    app.add_typer(group, name="campaigns")


def _apply(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE…", help="JSON (one definition or a list), NDJSON or YAML.", show_default=False),
    ],
    as_json: options.Json = False,
    data: options.Data = None,
) -> None:
    """Check definitions and send them; nothing is sent unless every one is good."""
    from pipeline.operations.definitions import read_definitions, validated
    from pipeline.transport.producer import EventProducer
    from schemas.topics import CAMPAIGNS

    definitions = validated([definition for path in files for definition in read_definitions(path)])
    settings = options.settings_for(data)
    producer = EventProducer(settings)
    for campaign, payload in definitions.items():
        producer.send(CAMPAIGNS, campaign.encode(), payload)
    producer.flush()
    if as_json:
        typer.echo(json.dumps({"applied": sorted(definitions)}))
    else:
        typer.echo(
            f"applied {len(definitions)} campaign{'' if len(definitions) == 1 else 's'}, acknowledged by Kafka; "
            "workers take them in within moments (roi drain waits for that)"
        )


def _list(as_json: options.Json = False, data: options.Data = None) -> None:
    """List the campaigns that the workers know, with their totals so far."""
    from pipeline.cli.output import Column, print_rows
    from pipeline.clickhouse.reader import Reader

    settings = options.settings_for(data)
    rows = [_described(row, settings.alerts) for row in Reader(settings).rows(_LIST)]
    columns = (
        Column("campaign_id", "Campaign"),
        Column("name", "Name"),
        Column("goal", "Goal", is_detail=True),
        Column("window_days", "Window, days", "value", is_detail=True),
        Column("budget_minor", "Budget", "money", is_detail=True),
        Column("reached", "Reached", "number"),
        Column("converters", "Converters", "number"),
        Column("cost_minor", "Cost", "money"),
        Column("return_minor", "Return", "money"),
        Column("return_ratio", "Ratio", "ratio", limit="min_return_ratio"),
    )
    print_rows(rows, columns, as_json=as_json, empty="no campaign is defined; roi campaigns apply FILE adds some")


def _described(row: dict[str, Any], alerts: AlertSettings) -> dict[str, Any]:
    from pipeline.alerts.rule import rule_of

    definition = json.loads(row["definition"])
    totals = {
        name: row[name]
        for name in ("reached", "converters", "cost_minor", "return_minor", "return_ratio", "updated_at")
    }
    return {
        "campaign_id": row["campaign_id"],
        "name": definition["name"],
        "goal": _goal(definition["goal"]),
        "window_days": definition.get("attribution_window_days", 7),
        "budget_minor": definition.get("budget_minor"),
        "starts_at": definition.get("starts_at"),
        "ends_at": definition.get("ends_at"),
        "min_return_ratio": rule_of(alerts, definition).min_return_ratio,
        **totals,
    }


def _goal(goal: dict[str, Any]) -> str:
    words = ", ".join(dict.fromkeys(goal["kinds"]))
    if goal.get("products"):
        words += f" of {', '.join(goal['products'])}"
    if goal.get("min_amount_minor"):
        words += f" from {goal['min_amount_minor'] / 100:,.2f}"
    return words
