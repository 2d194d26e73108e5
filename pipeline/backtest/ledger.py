"""A run of the ledger as a past."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from math import gcd
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pipeline.alerts.amounts import WIDE, amounts_of
from pipeline.alerts.bank import LOOK_BACK_DAYS, goal_of, level_of
from pipeline.alerts.conversions import no_changes
from pipeline.alerts.costs import CostEvent
from pipeline.alerts.facts import live_instant, read_plans, statistics
from pipeline.alerts.finished import QUARTER_MS
from pipeline.alerts.reading import SINCE_EVER, chunks, read_changes
from pipeline.backtest.history import CampaignHistory, Touches
from pipeline.backtest.past import Past, grid_of
from pipeline.errors import UserError
from pipeline.state.calendar import DAY_MS, MINUTE_MS

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
    + [(name, "<i8") for name in ("seen", "quarter", "creditable")]
    + WIDE
    + [(name, "<i8") for name in ("last_creditable", "first")]
)
_LEVEL_MS: Final = 6 * 3_600_000  # as live asks: once a quarter of a day
_LEVELS_BACK: Final = LOOK_BACK_DAYS * DAY_MS // _LEVEL_MS


def past_of_run(  # noqa: PLR0913 - what to look at, how it was counted, and how it is asked about
    port: FactsPort,
    policy: Policy,
    span: Range,
    source: str,
    plans: Iterable[CampaignPlan] | None = None,
    *,
    holds: Iterable[float] = (),
    end_ms: int | None = None,
) -> Past:
    """Return a run as a past.

    Args:
        port: the ledger of the run.
        policy: how the run counts.
        span: what is looked at.
        source: its name for people.
        plans: the campaigns, by name; None: those that the run's definitions and facts name.
        holds: minutes that breaches must hold for by the rules to be tried: looks go back so far, and find what had
            occurred by then without asking the ledger again.
        end_ms: the run knows nothing of this instant and later, though its clock has gone on.

    Raises:
        UserError: the run has no touch and no cost, or the range is outside of it.
        LedgerUnavailableError: ClickHouse does not answer.
    """
    ((count, first_ms),) = port.fetch("backtest_span")
    last_ms = live_instant(port)
    if last_ms is not None and end_ms is not None:
        last_ms = min(last_ms, (end_ms - 1) // MINUTE_MS * MINUTE_MS)
    if not count or last_ms is None:
        raise UserError(f"{source} has no touch and no cost yet", "roi runs list shows how far it has come")
    grid = grid_of(span, first_ms, last_ms)
    every = list(read_plans(port, policy).values() if plans is None else plans)
    unit = _unit_ms(span.every_ms, [*holds, *_own_holds(every)])
    histories = tuple(
        history for chunk in chunks(every) for history in _read(port, chunk, grid, policy, unit=unit, until=last_ms)
    )

    def as_of(plans: Sequence[CampaignPlan], instant_ms: int) -> Statistics:
        return statistics(port, plans, instant_ms, policy)

    return Past(source, grid, first_ms, last_ms, histories, policy, as_of, _bank_levels(port))


def _bank_levels(port: FactsPort) -> Callable[[Sequence[CampaignPlan], int], Sequence[BankLevel | None]]:
    known: dict[tuple[object, ...], _LevelsOverTime] = {}

    def level(plan: CampaignPlan, as_of_ms: int) -> BankLevel | None:
        goal, asked = goal_of(plan)
        if goal not in known:
            known[goal] = _LevelsOverTime(port.fetch("backtest_bank_levels", every=_LEVEL_MS, **asked))
        return known[goal].level(as_of_ms // _LEVEL_MS)

    return lambda plans, as_of_ms: [level(plan, as_of_ms) for plan in plans]


class _LevelsOverTime:
    """What `bank.bank_levels` says of one goal as of any quarter of a day: the days before are a difference of sums.

    Args:
        rows: quarters in which such transactions had occurred first, ascending, with their count, the sum of their
            logarithms and of the squares.
    """

    def __init__(self, rows: Sequence[Sequence[Any]]) -> None:
        self._quarters = [int(row[0]) for row in rows]
        self._sums = [[0, *accumulate(int(row[place]) for row in rows)] for place in (1, 2, 3)]

    def level(self, quarter: int) -> BankLevel | None:
        """Return the level as of the beginning of a quarter of a day."""
        begin, end = (bisect_right(self._quarters, each) for each in (quarter - _LEVELS_BACK, quarter))
        return level_of(*(sums[end] - sums[begin] for sums in self._sums))


def _own_holds(plans: Iterable[CampaignPlan]) -> Iterator[float]:
    for plan in plans:
        if plan.definition is not None and plan.definition.hold_minutes is not None:
            yield plan.definition.hold_minutes


def _unit_ms(every_ms: int, holds: Iterable[float]) -> int:
    """Return how far apart known instants may be: steps, whole hours before, and where holds of whole minutes begin."""
    whole = (round(hold * MINUTE_MS) for hold in holds)
    return gcd(every_ms, QUARTER_MS, *(hold for hold in whole if hold % MINUTE_MS == 0))


def _read(  # noqa: PLR0913 - what to look at, and how it was counted
    port: FactsPort, plans: Sequence[CampaignPlan], grid: Grid, policy: Policy, *, unit: int, until: int
) -> Iterator[CampaignHistory]:
    names = [plan.campaign_id for plan in plans]
    bounds: dict[str, Any] = {"campaigns": names, "until": until}
    touches = port.records("backtest_touches", _TOUCHES, begin=grid.from_ms, unit=unit, **bounds)
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
        count = rows["creditable"].copy()
        creditable = count > 0
        yield CampaignHistory(
            plan,
            grid,
            Touches(rows["seen"].copy(), rows["quarter"].copy(), count, amounts_of(rows), count),
            (rows["seen"][creditable], rows["last_creditable"][creditable]),
            tuple(sorted(events.get(place, ()), key=lambda event: (event.at, event))),
            own,
            policy.zone,
            min([*rows["first"][:1].tolist(), *(event.at for event in events.get(place, ()))], default=until),
            unit,
        )
