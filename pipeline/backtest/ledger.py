"""A run of the ledger as a past."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pipeline.alerts.bank import bank_levels
from pipeline.alerts.conversions import no_changes
from pipeline.alerts.costs import CostEvent
from pipeline.alerts.facts import live_instant, read_plans, statistics
from pipeline.alerts.reading import SINCE_EVER, chunks, read_changes
from pipeline.backtest.history import CampaignHistory, Touches
from pipeline.backtest.past import Past, grid_of
from pipeline.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pipeline.alerts.plans import CampaignPlan
    from pipeline.alerts.reading import FactsPort
    from pipeline.alerts.statistics import BankLevel, Statistics
    from pipeline.backtest.grid import Grid
    from pipeline.backtest.past import Range
    from pipeline.state.policy import Policy

_TOUCHES: Final = np.dtype(
    [("place", "<u4")]
    + [(name, "<i8") for name in ("step", "quarter", "creditable", "cost", "last_creditable", "first")]
)
_LEVEL_MS: Final = 6 * 3_600_000  # as live asks: once a quarter of a day


def past_of_run(
    port: FactsPort, policy: Policy, span: Range, source: str, plans: Iterable[CampaignPlan] | None = None
) -> Past:
    """Return a run as a past.

    Args:
        port: the ledger of the run.
        policy: how the run counts.
        span: what is looked at.
        source: its name for people.
        plans: the campaigns, by name; None: those that the run's definitions and facts name.

    Raises:
        UserError: the run has no touch and no cost, or the range is outside of it.
        LedgerUnavailableError: ClickHouse does not answer.
    """
    ((count, first_ms),) = port.fetch("backtest_span")
    last_ms = live_instant(port)
    if not count or last_ms is None:
        raise UserError(f"{source} has no touch and no cost yet", "roi runs list shows how far it has come")
    grid = grid_of(span, first_ms, last_ms)
    every = list(read_plans(port, policy).values() if plans is None else plans)
    histories = tuple(history for chunk in chunks(every) for history in _read(port, chunk, grid, last_ms, policy))

    def as_of(plans: Sequence[CampaignPlan], instant_ms: int) -> Statistics:
        return statistics(port, plans, instant_ms, policy)

    return Past(source, grid, first_ms, last_ms, histories, policy, as_of, _bank_levels(port))


def _bank_levels(port: FactsPort) -> Callable[[Sequence[CampaignPlan], int], Sequence[BankLevel | None]]:
    known: dict[tuple[str, int], BankLevel | None] = {}

    def levels(plans: Sequence[CampaignPlan], as_of_ms: int) -> Sequence[BankLevel | None]:
        quarter = as_of_ms - as_of_ms % _LEVEL_MS
        new = [plan for plan in plans if (plan.campaign_id, quarter) not in known]
        for plan, level in zip(new, bank_levels(port, new, quarter), strict=True):
            known[plan.campaign_id, quarter] = level
        return [known[plan.campaign_id, quarter] for plan in plans]

    return levels


def _read(
    port: FactsPort, plans: Sequence[CampaignPlan], grid: Grid, until: int, policy: Policy
) -> Iterator[CampaignHistory]:
    names = [plan.campaign_id for plan in plans]
    bounds: dict[str, Any] = {"campaigns": names, "until": until}
    touches = port.records("backtest_touches", _TOUCHES, begin=grid.from_ms, every=grid.every_ms, **bounds)
    events: dict[int, list[CostEvent]] = {}
    for place, *event in port.fetch("alert_costs", **bounds):
        events.setdefault(place, []).append(CostEvent(*event))
    changes = read_changes(port, plans, until, policy, model="", since=SINCE_EVER)
    changes = changes[np.lexsort((changes["at"], changes["row"]))]
    places = np.arange(len(plans) + 1)
    of_touches, of_changes = (np.searchsorted(table, places) for table in (touches["place"], changes["row"]))
    for place, plan in enumerate(plans):
        rows = touches[of_touches[place] : of_touches[place + 1]]
        own = changes[of_changes[place] : of_changes[place + 1]].copy() if len(changes) else no_changes()
        own["row"] = 0
        creditable = rows["creditable"] > 0
        yield CampaignHistory(
            plan,
            grid,
            Touches(*(rows[name].copy() for name in ("step", "quarter", "creditable", "cost", "creditable"))),
            (rows["step"][creditable], rows["last_creditable"][creditable]),
            tuple(sorted(events.get(place, ()), key=lambda event: (event.at, event))),
            own,
            policy.zone,
            min([*rows["first"][:1].tolist(), *(event.at for event in events.get(place, ()))], default=until),
        )
