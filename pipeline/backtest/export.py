"""A warehouse's export as a past: costs stand for touches, each at its own instant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.alerts.finished import QUARTER_MS
from pipeline.backtest.history import CampaignHistory, Touches
from pipeline.backtest.past import Past, grid_of
from pipeline.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.alerts.conversions import Changes
    from pipeline.alerts.plans import CampaignPlan
    from pipeline.alerts.statistics import Integers, Statistics
    from pipeline.alerts.warehouse import Warehouse
    from pipeline.backtest.grid import Grid
    from pipeline.backtest.past import Range


def past_of_export(warehouse: Warehouse, span: Range, source: str) -> Past:
    """Return an export as a past.

    Raises:
        UserError: nothing was spent in it, or the range is outside of it.
    """
    if not warehouse.costs:
        raise UserError(f"{source} hold no cost", "export what each campaign has cost")
    first_ms, last_ms = warehouse.instants()
    grid = grid_of(span, first_ms, last_ms)
    changes = warehouse.changes[np.argsort(warehouse.changes["row"], kind="stable")]
    bounds = np.searchsorted(changes["row"], np.arange(len(warehouse.plans) + 1))
    histories = []
    for place, (name, plan) in enumerate(warehouse.plans.items()):
        own = changes[bounds[place] : bounds[place + 1]]
        histories.append(_history(plan, warehouse.costs[name], own, grid, warehouse.policy.zone))

    def as_of(plans: Sequence[CampaignPlan], instant_ms: int) -> Statistics:
        return warehouse.statistics([plan.campaign_id for plan in plans], instant_ms)

    return Past(source, grid, first_ms, last_ms, tuple(histories), warehouse.policy, as_of, None)


def _history(
    plan: CampaignPlan, costs: tuple[Integers, Integers], changes: Changes, grid: Grid, zone: str
) -> CampaignHistory:
    at, cost = costs
    paid = cost > 0
    touched_at = np.concatenate([at[paid], changes["touched_at"]])
    seen = np.concatenate([at[paid], changes["at"]])
    order = np.argsort(seen, kind="stable")
    ordered = changes[np.argsort(changes["at"], kind="stable")]
    ordered["row"] = 0
    touches = Touches(at, at // QUARTER_MS, np.ones(len(at), np.int64), cost, cost)
    return CampaignHistory(plan, grid, touches, (seen[order], touched_at[order]), (), ordered, zone, int(at[0]))
