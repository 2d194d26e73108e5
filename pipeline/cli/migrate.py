"""`roi migrate`: topics and tables."""

from __future__ import annotations

import json

import typer

from pipeline.cli import options


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="migrate", epilog=options.example("roi migrate --data data"))(_migrate)


def _migrate(as_json: options.Json = False, data: options.Data = None) -> None:
    """Create the topics and bring the tables up to date; running it again changes nothing."""
    settings = options.settings_for(data)

    from pipeline.clickhouse.migrations import migrate
    from pipeline.transport.admin import TopicAdmin
    from pipeline.transport.reading import answering

    with answering(settings), TopicAdmin(settings) as admin:
        created = admin.create_missing()
    applied = migrate(settings)
    if as_json:
        typer.echo(json.dumps({"created_topics": created, "applied_migrations": applied}))
    else:
        typer.echo(f"topics: {_listed(created)} created; migrations: {_listed(applied)} applied")


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "none"
