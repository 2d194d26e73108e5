"""`roi alerts peers`: what finished campaigns have taught, by product."""

from __future__ import annotations

import time
from pathlib import Path  # noqa: TC003 - typer reads the annotations when it runs
from typing import Annotated, Any, Final

import typer

from pipeline.cli import options

_LIBRARIES: Final = """
    SELECT product, source, JSONExtractFloat(body, 'window_hours') AS window_hours,
           argMax(peers.campaigns, version) AS campaigns, argMax(peers.customers, version) AS customers,
           toString(argMax(learnt_at, version)) AS learnt, max(version) AS newest
    FROM alert_peers AS peers GROUP BY product, source, window_hours ORDER BY product, window_hours, source
"""
_FILE: Final = "NDJSON or Parquet, as for `roi backtest`."


def register(group: typer.Typer) -> None:
    """Add the command."""
    group.command(name="peers", epilog=options.example("roi alerts peers --data data"))(_peers)


def _peers(
    learn: Annotated[bool, typer.Option("--learn", help="Learn from a warehouse's history first.")] = False,
    costs: Annotated[Path | None, typer.Option("--costs", metavar="FILE", help=f"Its costs: {_FILE}")] = None,
    returns: Annotated[Path | None, typer.Option("--credits", metavar="FILE", help=f"Its credits: {_FILE}")] = None,
    as_json: options.Json = False,
    data: options.Data = None,
) -> None:
    """List what finished campaigns have taught, by product; --learn takes a warehouse's history in.

    A product's campaigns are compared with the library that rests on more campaigns. What the ledger's own finished
    campaigns teach, the evaluator learns by itself.
    """
    from pipeline.cli.output import Column, print_rows
    from pipeline.clickhouse.reader import Reader

    if learn != (costs is not None) or learn != (returns is not None):
        raise typer.BadParameter("--learn, --costs FILE and --credits FILE belong together")
    settings = options.settings_for(data)
    if costs is not None and returns is not None:
        _learn(settings, costs, returns)
    rows = Reader(settings).rows(_LIBRARIES)
    columns = (
        Column("product", "Product"),
        Column("source", "From"),
        Column("window_hours", "Window (h)", "number"),
        Column("campaigns", "Campaigns", "number"),
        Column("customers", "Customers", "number"),
        Column("learnt", "Learnt at (UTC)"),
        Column("newest", "Version", "number"),
    )
    print_rows(rows, columns, as_json=as_json, empty="nothing is learnt yet: no campaign has finished")


def _learn(settings: Any, costs: Path, returns: Path) -> None:
    from pipeline.alerts.facts import LedgerFacts, read_plans
    from pipeline.alerts.peers import learn_from_warehouse
    from pipeline.alerts.warehouse import read_warehouse
    from pipeline.clickhouse.connection import connect
    from pipeline.ledger.ledger import ClickHouseLedger
    from pipeline.ledger.run_policy import policy_of_run
    from pipeline.policies import policy_of

    client = connect(settings, "writer")
    facts = LedgerFacts(client, settings.clickhouse_database, "live")
    policy = policy_of_run(facts, policy_of(settings))  # what is learnt is for all, whatever this shell is set to
    plans = read_plans(facts, policy)
    history = read_warehouse(costs, returns, policy, plans, now_ms=round(time.time() * 1000))
    _, last_ms = history.instants()
    finished = history.finished(last_ms)  # what was touched within a window of the export's end may still convert
    port = ClickHouseLedger(client, settings.clickhouse_database, "live", "")
    learnt = learn_from_warehouse(port, finished, plans.values())
    typer.echo(f"learnt from {len(finished)} finished campaigns: {learnt} librar{'y' if learnt == 1 else 'ies'}")
