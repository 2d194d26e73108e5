"""`roi alerts`: campaigns whose return stays below what is required, and what people do about them."""

from __future__ import annotations

import typer

from pipeline.cli import alerts_acting, alerts_deliveries, alerts_peers, alerts_running, alerts_showing, alerts_silences


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="Alerts on campaigns whose return stays below what is required.", no_args_is_help=False)
    for part in (alerts_running, alerts_showing, alerts_acting, alerts_silences, alerts_deliveries, alerts_peers):
        part.register(group)
    app.add_typer(group, name="alerts")
