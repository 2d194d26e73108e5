"""What peers teach, those left out whose figures make our own code fail: a product's other campaigns are judged.

Live and in a backtest a library is learnt here, so that both leave out the same. Pure, but for a line in the log.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pipeline.alerts.isolating import each_apart, log_no_teacher
from pipeline.alerts.learning import generic_library, learn
from pipeline.error_words import describe as describe_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.alerts.learning import PeerLibrary
    from pipeline.alerts.statistics import FinishedCampaign

_log = logging.getLogger(__name__)


def learn_apart(finished: Sequence[FinishedCampaign], product: str, window_hours: float) -> PeerLibrary:
    """Return what `learn` does, of the peers from whom it can be learnt; the generic library where that fails too."""

    def taught(some: Sequence[FinishedCampaign]) -> Sequence[FinishedCampaign | None]:
        learn(some, product, window_hours)
        return some

    def teaches_nothing(one: FinishedCampaign, error: Exception) -> None:
        log_no_teacher(one.campaign_id, error)

    def without_the_odd(peers: Sequence[FinishedCampaign], _: Exception) -> PeerLibrary:
        sound = [one for one in each_apart(peers, taught, teaches_nothing) if one is not None]
        return each_apart([sound], lambda _: [learn(sound, product, window_hours)], without_any)[0]

    def without_any(_: Sequence[FinishedCampaign], error: Exception) -> PeerLibrary:
        _log.error("finished campaigns of %s teach nothing together: %s", product, describe_error(error))
        return generic_library(product, window_hours)

    mine = [one for one in finished if one.product == product]
    return each_apart([mine], lambda _: [learn(mine, product, window_hours)], without_the_odd)[0]
