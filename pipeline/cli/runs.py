"""`roi runs`: which runs there are, and taking one away."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli import options

if TYPE_CHECKING:
    from collections.abc import Mapping


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="Runs: live, and those that replays have filled.", no_args_is_help=False)
    group.command(name="list", epilog=options.example("roi runs list --json"))(_list)
    group.command(name="drop", epilog=options.example("roi runs drop window-3"))(_drop)
    app.add_typer(group, name="runs")


def _list(as_json: options.Json = False, data: options.Data = None) -> None:
    """List the runs: what each counts with that live does not, its range, and how far it has come."""
    from pipeline.cli.output import Column, print_rows
    from pipeline.clickhouse import sql
    from pipeline.clickhouse.reader import Reader
    from pipeline.comparison.grounds import check_runs

    settings = options.settings_for(data)
    reader, database = Reader(settings), settings.clickhouse_database
    facts = check_runs(reader, database)
    rows = [_with_all_differences(_with_range(row), facts) for row in reader.rows(sql.query("runs_shown", database))]
    if not as_json:
        rows = [_shown(row) for row in rows]
    columns = (
        Column("run", "Run"),
        Column("state", "State", "word"),
        Column("settings", "Differs from live"),
        Column("range", "Range", "word", is_detail=True),
        Column("events", "Records", "number"),
        Column("rows", "Rows", "number"),
        Column("began_at", "Begun", is_detail=True),
        Column("ended_at", "Ended", is_detail=True),
        Column("cause", "Why", is_detail=True),
    )
    print_rows(
        rows, columns, as_json=as_json, empty="there is no run yet: roi up counts live, roi replay a run beside it"
    )


def _with_range(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a run with the bounds of its range as `--from` and `--to` of a replay take them, to the millisecond."""
    from schemas.instants import short_text

    bounds = {"from_ms": "from_time", "to_ms": "to_time"}
    found = {bounds.get(name, name): value for name, value in row.items()}
    for name in bounds.values():
        if found[name] is not None:
            found[name] = short_text(found[name])
    return found


def _with_all_differences(row: Mapping[str, Any], facts: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return a run with all that it counts by otherwise than live, also what only its shell was set to."""
    from pipeline.comparison.grounds import settings_that_differ
    from pipeline.policies import as_given

    live, this = facts.get("live"), facts.get(row["run"])  # which a replay may have begun, or dropped, just now
    found = () if live is None or this is None else settings_that_differ(live, this)
    # what one of the records lacks, for it is an older release's, is not known to differ
    known = [one for one in found if one.left is not None and one.right is not None]
    own = {one.name: as_given(one.name, one.right) if isinstance(one.right, str) else one.right for one in known}
    told = json.loads(row["settings"])
    return {**row, "settings": {name: value for name, value in own.items() if name not in told} | told}


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    settings = ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in row["settings"].items())
    bounds = (row["from_time"], row["to_time"])
    span = "everything" if bounds == (None, None) else f"{bounds[0] or '…'} – {bounds[1] or '…'}"
    return {**row, "settings": settings or "nothing", "range": span}


def _drop(
    run: Annotated[str, typer.Argument(metavar="NAME", help="The run.", show_default=False)],
    as_json: options.Json = False,
    data: options.Data = None,
) -> None:
    """Remove everything of a run; nothing of it stays in any table."""
    from pipeline.replay.beginning import ledger_of
    from pipeline.replay.removing import drop_run

    drop_run(ledger_of(options.settings_for(data), run, "roi-runs-drop"), run)
    typer.echo(json.dumps({"dropped": run}) if as_json else f"run {run} is gone")
