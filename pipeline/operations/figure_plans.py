"""Plans of the bank's figures: which may be planned, how files say so, and how they get into the table."""

from __future__ import annotations

import csv
import math
import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final, Literal

from pipeline.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pipeline.settings import Settings

Unit = Literal["minor", "number", "share"]
PLANNABLE: Final[dict[str, Unit]] = {
    "transactions": "number",
    "amount_minor": "minor",
    "online_transactions": "number",
    "online_amount_minor": "minor",
    "online_share": "share",
    "online_amount_share": "share",
    "payments": "number",
    "payments_amount_minor": "minor",
    "cross_bank_share": "share",
    "cross_bank_amount_share": "share",
    "wealth_purchases": "number",
    "wealth_amount_minor": "minor",
    "wealth_online_share": "share",
    "wealth_online_amount_share": "share",
    "scenario_share": "share",
    "high_value_coverage": "share",
    "long_tail_activated": "number",
    "long_tail_activation_rate": "share",
    "new_customers": "number",
    "contributed_aum_minor": "minor",
    "automated_reach_share": "share",
}
"""Figures that the board *Bank figures* holds against a plan, with the unit of the target (docs/metrics.md)."""
_HEADER: Final = ["figure", "period", "target"]
_PERIOD: Final = re.compile(r"(\d{4})(?:-(\d{2})|[- ]?Q([1-4]))?")
_REMEDY: Final = "correct the file; nothing was applied"


@dataclass(frozen=True, slots=True)
class FigurePlan:
    """A target for a figure of one period, in minor units, as a count, or as a share of 1; None takes the plan away."""

    figure: str
    period_kind: str
    period_start: date
    target: float | None


def read_plans(path: Path) -> list[FigurePlan]:
    """Return the plans of a CSV file with the columns figure, period (2026-03, 2026-Q1, 2026) and target.

    Raises:
        UserError: the file cannot be read, or a line is wrong; the message has the line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read as UTF-8 text", "name a CSV file") from error
    try:
        lines = list(csv.reader(text.splitlines()))
    except csv.Error as error:  # a quote that is never closed makes one cell of the rest
        raise UserError(f"{path} is no CSV file ({error})", _REMEDY) from error
    if not lines or [cell.strip() for cell in lines[0]] != _HEADER:
        raise UserError(f"{path}:1: the header is not {','.join(_HEADER)}", _REMEDY)
    return [_plan(f"{path}:{number}", cells) for number, cells in enumerate(lines[1:], 2) if any(cells)]


def _plan(place: str, cells: list[str]) -> FigurePlan:
    if len(cells) != len(_HEADER):
        raise UserError(f"{place}: {len(cells)} columns instead of {len(_HEADER)}", _REMEDY)
    figure, period, target = (cell.strip() for cell in cells)
    if figure not in PLANNABLE:
        raise UserError(f"{place}: {figure[:60]!r} is no figure to plan; these are: {', '.join(PLANNABLE)}", _REMEDY)
    return FigurePlan(figure, *_period(place, period), _target(place, figure, target))


def _period(place: str, text: str) -> tuple[str, date]:
    found = _PERIOD.fullmatch(text)
    month = 1 if found is None or found[2] is None else int(found[2])
    if found is None or not 1 <= month <= 12 or not 1970 <= int(found[1]) <= 2148:
        raise UserError(f"{place}: {text[:20]!r} is no period; write 2026-03, 2026-Q1 or 2026", _REMEDY)
    if found[3]:
        return "quarter", date(int(found[1]), 3 * int(found[3]) - 2, 1)
    return ("month" if found[2] else "year"), date(int(found[1]), month, 1)


def _target(place: str, figure: str, text: str) -> float | None:
    if not text:
        return None
    try:
        target = float(text)
    except ValueError:
        target = math.nan
    if not math.isfinite(target) or (PLANNABLE[figure] == "share" and not 0 <= target <= 1):
        wanted = "a share between 0 and 1" if PLANNABLE[figure] == "share" else "a number"
        raise UserError(f"{place}: the target {text[:20]!r} is not {wanted}", _REMEDY)
    return target


def write_plans(settings: Settings, plans: Iterable[FigurePlan]) -> None:
    """Make plans durable, all or none; the last of one figure and period counts.

    Raises:
        UserError: ClickHouse does not take them.
    """
    from clickhouse_connect.driver.exceptions import ClickHouseError

    from pipeline.clickhouse.connection import connect

    newest = {(plan.figure, plan.period_kind, plan.period_start): plan for plan in plans}
    rows: list[list[Any]] = [[*key, plan.target] for key, plan in newest.items()]
    client = connect(settings, "writer")
    try:
        columns = ["figure", "period_kind", "period_start", "target"]
        client.insert(f"{settings.clickhouse_database}.figure_plans", rows, columns)
    except ClickHouseError as error:
        raise UserError("ClickHouse did not take the plans", "look at it with roi doctor, then try again") from error
    finally:
        client.close()
