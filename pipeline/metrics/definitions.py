"""What a metric definition is, and the short ways to write one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["measure", "ratio", "rolling", "figure", "operational"]
MINOR: Final = "minor units"
COUNT: Final = "count"
RATIO: Final = "ratio"


BOARD_PREFIX: Final = "board_"
# each has a view of this prefix for boards, of the same columns (0025_figure_snapshots.sql)
COUNTED_FOR_BOARDS: Final = frozenset(
    {
        "transaction_figures",
        "channel_mix",
        "customer_figures",
        "campaign_new_customers",
        "campaign_recommendations",
        "campaign_automation",
        "campaign_aum",
        "campaign_aum_costs",
    }
)


@dataclass(frozen=True, slots=True)
class MetricDefinition:
    """One metric: the only place where its meaning is written for people.

    Attributes:
        name: the name of its column, or of its Prometheus family; where one column name means several things, a longer
            name that tells them apart.
        label: what boards call it.
        formula: how it comes about; of a Prometheus metric its help text.
        unit: ``minor units``, ``count``, ``ratio``, …
        source: section of the contract, or the SQL migration that has the formula.
        kind: measures add up; ratios do not, and are null where their denominator is 0; rolling metrics count distinct
            customers over days; figures are the bank's assessment figures; operational ones tell how the pipeline does.
        columns: every ``view.column`` that shows it.
        short: what boards call it where there is little room.
    """

    name: str
    label: str
    formula: str
    unit: str
    source: str
    kind: Kind
    columns: tuple[str, ...] = ()
    short: str | None = None


@dataclass(frozen=True, slots=True)
class Dimension:
    """A column that says what a row is about, or when; it means the same in every view."""

    name: str
    label: str
    meaning: str


def columns(column: str, *views: str) -> tuple[str, ...]:
    """Return the column's name within each view, and within those that boards show instead."""
    shown = [*views, *(f"{BOARD_PREFIX}{view}" for view in views if view in COUNTED_FOR_BOARDS)]
    return tuple(f"{view}.{column}" for view in shown)
