"""`roi plans`: targets for the bank's figures in and out."""

from __future__ import annotations

import json
from pathlib import Path  # noqa: TC003 - typer reads the annotations when it runs
from typing import Annotated

import typer

from pipeline.cli import options


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="Plans of the bank's figures, which their board shows beside the actual ones.")
    group.command(name="apply", epilog=options.example("roi plans apply plans.csv --data data"))(_apply)
    group.command(name="list", epilog=options.example("roi plans list --json"))(_list)
    app.add_typer(group, name="plans")


def _apply(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            show_default=False,
            help="CSV with the columns figure, period (2026-03, 2026-Q1 or 2026) and target; without one = no plan.",
        ),
    ],
    as_json: options.Json = False,
    data: options.Data = None,
) -> None:
    """Set plans from a file; nothing is set unless every line is good."""
    from pipeline.operations.figure_plans import read_plans, write_plans

    plans = read_plans(file)
    write_plans(options.settings_for(data), plans)
    if as_json:
        typer.echo(json.dumps({"applied": len(plans)}))
    else:
        typer.echo(f"applied {len(plans)} plan{'' if len(plans) == 1 else 's'}")


def _list(as_json: options.Json = False, data: options.Data = None) -> None:
    """List the plans in force."""
    from pipeline.cli.output import Column, print_rows
    from pipeline.clickhouse import sql
    from pipeline.clickhouse.reader import Reader

    settings = options.settings_for(data)
    rows = Reader(settings).rows(sql.query("figure_plans", settings.clickhouse_database))
    columns = (
        Column("figure", "Figure", "word"),
        Column("period_kind", "Period", "word"),
        Column("period_start", "From", "word"),
        Column("target", "Target", "number"),
    )
    print_rows(rows, columns, as_json=as_json, empty="no plan is set; roi plans apply FILE sets some")
