"""What the campaigns that were over as of each step had taught by then."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from pipeline.alerts.finished import FEWEST_CONVERTERS
from pipeline.alerts.isolating import each_apart, log_no_teacher
from pipeline.backtest.history import NEVER_TOUCHED
from pipeline.state.calendar import DAY_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.alerts.statistics import Booleans, FinishedCampaign, Integers
    from pipeline.backtest.grid import Grid
    from pipeline.backtest.history import CampaignHistory
    from pipeline.state.calendar import BusinessCalendar

    _Taught = list[tuple[int, FinishedCampaign | None]]

LOOKS_OF_SETTLED_MS: Final = DAY_MS
"""A campaign of which everything has come is looked at so often, and whenever anything of it changes."""


class Peers(NamedTuple):
    """Which peers a product had, from step to step.

    Attributes:
        steps: first step of every change, ascending, beginning with 0.
        versions: places in `PeersOverTime.finished` of those that teach from then on, by campaign.
    """

    steps: Integers
    versions: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class PeersOverTime:
    """Every state of finished campaigns that ever taught.

    Attributes:
        finished: what they taught; one campaign several times, where reversals or costs came after its end.
        by_product: who taught when.
    """

    finished: tuple[FinishedCampaign, ...]
    by_product: dict[str, Peers]

    def epochs(self, product: str, steps: Integers) -> Integers:
        """Return the place in `Peers.versions` as of each step; 0 where a product never had peers."""
        known = self.by_product.get(product)
        if known is None:
            return np.zeros(len(steps), np.int64)
        return np.searchsorted(known.steps, steps, "right") - 1

    def peers(self, product: str, epoch: int) -> tuple[int, ...]:
        """Return who teaches then."""
        known = self.by_product.get(product)
        return known.versions[epoch] if known is not None else ()


def settled_steps(history: CampaignHistory, grid: Grid) -> Booleans:
    """Return as of which steps all conversions of a campaign have come, as `finished.has_settled` says it."""
    every = np.arange(grid.steps)
    last, instants = history.last_touches(every), grid.instants(every)
    over = (last > NEVER_TOUCHED) & (last + history.plan.window_ms <= instants)
    ends = history.plan.ends_at_ms
    return over if ends is None else over & (ends <= instants)


def looked_steps(history: CampaignHistory, settled: Booleans) -> Integers:
    """Return the steps at which a campaign is looked at, ascending: every one until all its conversions have come.

    Then whenever anything of it changes, and once a day: nothing but the peers moves its verdict.
    """
    changes = history.change_steps
    if not len(changes):
        return changes
    rare = -(-LOOKS_OF_SETTLED_MS // history.grid.every_ms)
    begins = np.maximum.accumulate(np.where(settled, np.append(True, ~settled[:-1]), False) * np.arange(len(settled)))
    looked = ~settled | ((np.arange(len(settled)) - begins) % rare == 0)
    looked[changes] = True
    looked[: changes[0]] = False
    return np.flatnonzero(looked)


def peers_over_time(
    histories: Sequence[CampaignHistory],
    settled: Sequence[Booleans],
    calendar: BusinessCalendar,
    history_days: float,
    fewest: int = FEWEST_CONVERTERS,
) -> PeersOverTime:
    """Return what was to be learnt when.

    Args:
        histories: all campaigns.
        settled: `settled_steps` of each.
        calendar: of business days.
        history_days: a finished campaign teaches for so long after its last touch.
        fewest: customers with credit that it must have to teach anything.
    """
    finished: list[FinishedCampaign] = []
    moves: dict[str, list[tuple[int, str, int | None]]] = defaultdict(list)
    for history, is_settled in zip(histories, settled, strict=True):
        taught = partial(_taught, history, is_settled, calendar, history_days)
        for step, one in _apart(history, taught):
            place = None
            if one is not None and one.touches.sum() > 0 and one.converters.sum() >= fewest:
                place = len(finished)
                finished.append(one)
            moves[history.plan.product].append((step, history.campaign_id, place))
    return PeersOverTime(tuple(finished), {product: _peers(each) for product, each in moves.items()})


def _taught(history: CampaignHistory, is_settled: Booleans, calendar: BusinessCalendar, history_days: float) -> _Taught:
    """Return what a campaign taught from which step on; None: nothing any more."""
    every = np.arange(len(is_settled))
    recent = history.grid.instants(every) - history.last_touches(every) <= history_days * DAY_MS
    teaches = is_settled & recent
    begins = np.flatnonzero(teaches & ~np.append(False, teaches[:-1]))
    changed = history.change_steps
    steps = np.union1d(begins, changed[teaches[changed]]).tolist()
    ends = np.flatnonzero(~teaches & np.append(False, teaches[:-1])).tolist()
    return [*((step, history.finished(step, calendar)) for step in steps), *((step, None) for step in ends)]


def _apart(history: CampaignHistory, taught: Callable[[], _Taught]) -> _Taught:
    """Return what a campaign taught; nothing where its figures make our own code fail: the others teach."""

    def teaches_nothing(_: CampaignHistory, error: Exception) -> _Taught:
        log_no_teacher(history.campaign_id, error)
        return []

    return each_apart([history], lambda _: [taught()], teaches_nothing)[0]


def _peers(moves: list[tuple[int, str, int | None]]) -> Peers:
    now: dict[str, int] = {}
    states: dict[int, tuple[int, ...]] = {0: ()}
    for step, name, place in sorted(moves, key=lambda move: move[:2]):  # a campaign makes one move a step
        now.pop(name, None)
        if place is not None:
            now[name] = place
        states[step] = tuple(now[each] for each in sorted(now))
    return Peers(np.array(list(states), np.int64), tuple(states.values()))
