"""`roi explain`: the credits, touches, transactions and costs behind a campaign's numbers, and that they add up."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Annotated, Final

import typer

from pipeline.cli import options
from pipeline.cli.boundary import FAILED
from pipeline.cli.terminal import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.operations.evidence import Cell, Explanation

_HASH: Final = re.compile(r"[0-9a-f]{32}")
_EVERYTHING: Final = (1 << 63) - 1
_SOURCE: Final = (("topic", "Topic"), ("partition", "Partition"), ("offset", "Offset"))
_LISTS: Final[Mapping[str, Sequence[tuple[str, str]]]] = {
    "credits": (
        ("at", "Converted at"),
        ("transaction_event_id", "Transaction"),
        ("touch_event_id", "Touch"),
        ("touched_at", "Touched at"),
        ("customer_hash", "Customer"),
        ("variant", "Variant"),
        ("tier", "Tier"),
        ("credit_millionths", "Millionths"),
        ("return_minor", "Return"),
        ("aum_minor", "AUM delta"),
    ),
    "transactions": (
        ("at", "At"),
        ("event_id", "Transaction"),
        ("customer_hash", "Customer"),
        ("kind", "Kind"),
        ("amount_minor", "Amount"),
        ("effective_minor", "Left by reversals"),
        ("reverses", "Reverses"),
        *_SOURCE,
    ),
    "touches": (
        ("at", "At"),
        ("event_id", "Touch"),
        ("customer_hash", "Customer"),
        ("variant", "Variant"),
        ("tier", "Tier"),
        ("channel", "Channel"),
        ("kind", "Kind"),
        ("creditable", "Creditable"),
        ("cost_minor", "Cost"),
        *_SOURCE,
    ),
    "costs": (
        ("at", "At"),
        ("event_id", "Cost event"),
        ("variant", "Variant"),
        ("category", "Category"),
        ("amount_minor", "Amount"),
        *_SOURCE,
    ),
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="explain", epilog=options.example("roi explain spring-2026 --variant A --limit 5"))(_explain)


def _explain(
    campaign: Annotated[str, typer.Argument(metavar="CAMPAIGN", help="The campaign's id.", show_default=False)],
    customer_hash: Annotated[
        str | None,
        typer.Option(
            "--customer-hash", metavar="H", help="List only this customer's evidence, by the hash the views show."
        ),
    ] = None,
    variant: Annotated[
        str | None, typer.Option("--variant", help="The campaign's row for this variant; '' is none.")
    ] = None,
    tier: Annotated[
        str | None, typer.Option("--tier", help="The campaign's row for this tier; '' holds the cost events.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=0, help="Newest so many of each list; 0 = all.")] = 20,
    run: Annotated[str, typer.Option("--run", metavar="R", help="A replay's name; `live` is the stream.")] = "live",
    as_json: options.Json = False,
    data: options.Data = None,
) -> None:
    """List what is behind a campaign's totals, down to the records in Kafka, and check that it adds up."""
    from pipeline.clickhouse.reader import Reader
    from pipeline.errors import UserError
    from pipeline.operations.evidence import Cell
    from pipeline.operations.evidence_shown import name_of, plain, read_evidence
    from pipeline.operations.runs import check_run

    if variant is not None and tier is not None:
        raise typer.BadParameter("no total is kept for a variant within a tier: give one of them", param_hint="--tier")
    if customer_hash is not None and not _HASH.fullmatch(customer_hash):
        raise typer.BadParameter("must be 32 hexadecimal digits, as in the view credits", param_hint="--customer-hash")
    settings = options.settings_for(data)
    cell = Cell(run, campaign, variant, tier, customer_hash)
    reader = Reader(settings)
    check_run(reader, settings.clickhouse_database, run)
    found = read_evidence(reader, settings.clickhouse_database, cell, limit or _EVERYTHING)
    if found is None:
        raise UserError(f"there is no {name_of(cell)}", "roi forecast lists the campaigns that have events")
    if as_json:
        typer.echo(json.dumps(plain(cell, found), ensure_ascii=False, indent=2))
    else:
        _print(cell, found)
    if found.differences:
        raise typer.Exit(FAILED)


def _print(cell: Cell, found: Explanation) -> None:
    from pipeline.cli.output import Column, print_rows
    from pipeline.operations.evidence_shown import dated

    lists = {
        "credits": found.credits,
        "transactions": found.transactions,
        "touches": found.touches,
        "costs": found.costs,
    }
    for name, rows in lists.items():
        if name in found.counts:
            typer.echo(f"{name}: {len(rows):,} of {found.counts[name]:,}, newest first")
        else:
            typer.echo(f"{name}: {len(rows):,}, those of the credits above and what reverses them")
        columns = [
            Column(key, heading, "value" if key in {"partition", "offset"} else "text") for key, heading in _LISTS[name]
        ]
        print_rows([dated(row) for row in rows], columns, as_json=False, empty="none")
    _print_sums(cell, found)


def _print_sums(cell: Cell, found: Explanation) -> None:
    from pipeline.cli.output import Column, print_rows
    from pipeline.metrics.registry import metric
    from pipeline.operations.evidence import MEASURES
    from pipeline.operations.evidence_shown import name_of

    labels = {name: f"{metric(name).label}, {metric(name).unit}" for name in MEASURES}
    whose = (Column("customer", "This customer", "number"),) if found.customer is not None else ()
    columns = (
        Column("measure", "Measure"),
        *whose,
        Column("evidence", "Sum of the evidence", "number"),
        Column("cell", "Cell", "number"),
        Column("difference", "Difference", "number"),
    )
    print_rows(
        [
            {
                "measure": label,
                "customer": (found.customer or {}).get(name),
                "evidence": found.evidence[name],
                "cell": found.cell[name],
                "difference": found.evidence[name] - found.cell[name],
            }
            for name, label in labels.items()
        ],
        columns,
        as_json=False,
        empty="",
    )
    if found.differences:
        wrong = ", ".join(f"{labels[name]} by {difference:+,}" for name, difference in found.differences.items())
        typer.echo(printable(f"DIFFERS: the evidence does not add up to the {name_of(cell)}: {wrong}"))
    else:
        typer.echo(printable(f"adds up: all rows, listed or not, together make the {name_of(cell)}"))
