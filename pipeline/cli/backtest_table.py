"""How `roi backtest` prints: rules side by side in money, and the campaigns on which they differ most."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any, Final

import typer

from pipeline.cli.output import Column, print_rows
from pipeline.cli.terminal import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pipeline.backtest.money import Money
    from pipeline.backtest.results import CampaignResult, Found

_WIDTH: Final = 78
_MOST: Final = 20
"""So many campaigns are listed; --json has all."""
_NONE: Final = "-"

_MONEY: Final[tuple[tuple[str, Callable[[Money], str]], ...]] = (
    ("fired", lambda money: f"{money.fired:,}"),
    ("of these rightly", lambda money: f"{money.fired_rightly:,}"),
    ("of these wrongly", lambda money: f"{money.fired_wrongly:,}"),
    ("precision", lambda money: _percent(money.precision)),
    ("recall", lambda money: _percent(money.recall)),
    ("median days to fire", lambda money: _days(money.median_hours_to_fire)),
    ("spend avoided", lambda money: _amount(money.spend_avoided_minor)),
    ("return it had brought", lambda money: _amount(money.return_given_up_minor)),
    ("return forgone", lambda money: _amount(money.return_forgone_minor)),
    ("spend not made for it", lambda money: _amount(money.spend_not_made_minor)),
    ("gain at the limit", lambda money: _amount(money.gain_at_limit_minor)),
)


def print_backtest(found: Found) -> None:
    """Print a backtest for people."""
    for line in _head(found):
        typer.echo("\n".join(textwrap.wrap(printable(line), _WIDTH, subsequent_indent="  ")))
    rules = [rule.rule.name for rule in found.rules]
    rows = [
        {"measure": name, **{rule.rule.name: written(rule.money) for rule in found.rules}} for name, written in _MONEY
    ]
    columns = (Column("measure", "Campaigns and money", "word"), *(Column(name, name, "value") for name in rules))
    print_rows(rows, columns, as_json=False, empty="")
    _print_campaigns(found, rules)
    for note in found.notes:
        typer.echo("\n".join(textwrap.wrap(printable(f"note: {note}"), _WIDTH, subsequent_indent="  ")))


def _head(found: Found) -> Iterator[str]:
    from schemas.instants import short_text

    grid, money = found.past.grid, found.rules[0].money
    every = grid.every_ms / 60_000
    yield (
        f"{found.past.source}: {short_text(grid.from_ms)} to {short_text(grid.last_ms)}"
        f" every {every:g} minutes, {found.looks:,} looks"
    )
    yield (
        f"{money.campaigns + money.not_settled:,} campaigns: {money.below_limit:,} ended below their limit,"
        f" {money.campaigns - money.below_limit:,} at or above it, {money.not_settled:,} not settled yet (not counted"
        " as right or wrong)"
    )


def _print_campaigns(found: Found, rules: Sequence[str]) -> None:
    by_rule = [rule.campaigns for rule in found.rules]
    every = list(zip(*by_rule, strict=True))
    telling = [row for row in every if any(one.first is not None for one in row)]
    telling.sort(key=lambda row: -max(one.after.cost for one in row))
    rows = [_campaign_row(row, rules) for row in telling[:_MOST]]
    limits = (
        [Column("limit", "Limit", "ratio", is_detail=True, limit="limit")]
        if len({row["limit"] for row in rows}) > 1
        else []
    )
    columns = (
        Column("campaign_id", "Fired on day"),
        *limits,
        Column("settled", "Settled", "ratio", limit="limit"),
        *(Column(f"rule {name}", name, "word") for name in rules),
    )
    print_rows(rows, columns, as_json=False, empty="no rule would have fired on any campaign")
    if len(telling) > _MOST:
        typer.echo(f"{len(telling) - _MOST:,} more fired on, with less money after the firing: --json has all")


def _campaign_row(row: Sequence[CampaignResult], rules: Sequence[str]) -> dict[str, Any]:
    first = row[0]
    found: dict[str, Any] = {"campaign_id": first.campaign_id, "limit": first.limit, "settled": first.settled_ratio}
    for name, one in zip(rules, row, strict=True):
        found[f"rule {name}"] = _fired(one)
    return found


def _fired(one: CampaignResult) -> str:
    hours = one.fate.hours
    if hours is None:
        return _NONE
    said = {True: " right", False: " wrong", None: ""}[one.fired_right]
    return f"{hours / 24:.1f}{said}"


def _percent(share: float | None) -> str:
    return _NONE if share is None else f"{100 * share:.0f} %"


def _days(hours: float | None) -> str:
    return _NONE if hours is None else f"{hours / 24:.1f}"


def _amount(minor: int) -> str:
    return f"{minor / 100:,.2f}"
