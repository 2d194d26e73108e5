"""Which experiments to analyse again, for boards show what is stored: as it was asked before, as event time goes on."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pipeline.experiments.asking import Asked
from pipeline.experiments.facts import METRICS
from pipeline.ledger.rows import LIVE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FINISHED_TIMES: Final = 24
"""An experiment that is over is analysed so many times as seldom: late events and reversals may still come."""


@dataclass(frozen=True, slots=True)
class Due:
    """An analysis to be made again.

    Attributes:
        asked: what.
        as_of_ms: of the oldest of its results; 0 = never made.
    """

    asked: Asked
    as_of_ms: int


def due(rows: Iterable[list[Any]], tried: Mapping[str, int], every_ms: int, run: str = LIVE) -> list[Due]:
    """Return what to analyse again, the oldest first; of what was never analysed, that of campaigns that have ended.

    Args:
        rows: of sql/queries/experiments_known.sql.
        tried: by campaign, the run's clock when an analysis could not be made: it is tried again as if it had been.
        every_ms: how far event time goes on before.
        run: whose experiments these are.
    """
    found: dict[tuple[str, str | None, float | None], list[tuple[str, int, bool]]] = defaultdict(list)
    analysed: set[str] = set()
    planned: dict[str, bool] = {}
    clock = 0
    for campaign, metric, asked, control, window_days, as_of_ms, is_finished, clock_ms in rows:
        clock = int(clock_ms)
        if not metric:
            planned[campaign] = bool(is_finished)
            continue
        analysed.add(campaign)
        # what was stored before questions were has the control and the window that it was answered with
        question = json.loads(asked) if asked else {"control": control or None, "horizon_days": window_days}
        key = campaign, question["control"], question["horizon_days"]
        found[key].append((metric, int(as_of_ms), bool(is_finished)))
    for campaign in planned.keys() - analysed:
        found[campaign, None, None] = [(metric, 0, False) for metric in METRICS]
    waiting = []
    for (campaign, control, horizon_days), every in found.items():
        as_of = max(min(as_of for _, as_of, _ in every), tried.get(campaign, 0))
        is_over = all(is_finished for *_, is_finished in every)
        if clock - as_of >= every_ms * (FINISHED_TIMES if is_over else 1):
            metrics = tuple(metric for metric in METRICS if metric in {metric for metric, *_ in every})
            waiting.append(Due(Asked(campaign, run, metrics, control, horizon_days), as_of))
    return sorted(
        waiting, key=lambda one: (one.as_of_ms, not planned.get(one.asked.campaign_id, False), one.asked.campaign_id)
    )
