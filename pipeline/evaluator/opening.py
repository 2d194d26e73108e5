"""What looks are made of, put together from the settings."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from pipeline.alerts.facts import LedgerFacts, statistics
from pipeline.alerts.finished import FinishedFacts
from pipeline.alerts.live import LiveFacts
from pipeline.alerts.looking import LedgerLooks, Now
from pipeline.alerts.peers import PeerShelf
from pipeline.alerts.statistics import HOUR_MS
from pipeline.clickhouse.connection import connect
from pipeline.evaluator.evidences import LedgerEvidences
from pipeline.ledger.ledger import ClickHouseLedger
from pipeline.policies import policy_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.alerts.plans import CampaignPlan
    from pipeline.alerts.reading import FactsPort
    from pipeline.alerts.statistics import FinishedCampaign, Statistics
    from pipeline.settings import Settings
    from pipeline.state.policy import Policy

_LIVE: Final = "live"
_FINISHED_SECONDS: Final = 15.0  # between two questions which campaigns are over: they read the touches of all


class RunFacts:
    """Implements `pipeline.alerts.looking.Facts` upon a run of the ledger.

    Args:
        port: the ledger.
        policy: how the run counts.
        history_days: how long finished campaigns teach.
        monotonic: a clock.
    """

    def __init__(
        self, port: FactsPort, policy: Policy, history_days: float, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._port = port
        self._policy = policy
        self._monotonic = monotonic
        self._live = LiveFacts(port, policy, monotonic=monotonic)
        self._over = FinishedFacts(port, policy, history_days=history_days)
        self._asked: float | None = None

    def now(self) -> Now | None:
        """Take in what has become durable; None before anything was counted."""
        refreshed = self._live.refresh()
        if refreshed.as_of_ms is None:
            return None
        plans = dict(sorted(self._live.plans.items()))
        return Now(refreshed.as_of_ms, plans, frozenset(refreshed.changed), self._ended(plans, refreshed.as_of_ms))

    def statistics(self, names: Sequence[str]) -> Statistics:
        """Return some campaigns' statistics as of `now`, a row each."""
        return self._live.statistics(names)

    def as_of(self, plans: Sequence[CampaignPlan], as_of_ms: int) -> Statistics:
        """Return some campaigns' statistics as of an earlier instant, a row each."""
        return statistics(self._port, plans, as_of_ms, self._policy)

    def finished(self) -> Sequence[FinishedCampaign] | None:
        """Return the campaigns that are over by now; None = the same as when asked before."""
        now, as_of_ms = self._monotonic(), self._live.as_of_ms
        if as_of_ms is None or (self._asked is not None and now - self._asked < _FINISHED_SECONDS):
            return None
        found = self._over.refresh(self._live.plans, as_of_ms)
        self._asked = now
        return found

    def _ended(self, plans: dict[str, CampaignPlan], as_of_ms: int) -> frozenset[str]:
        return frozenset(
            name
            for name, hour in self._live.last_touch_hours().items()
            if (hour + 1) * HOUR_MS + plans[name].window_ms <= as_of_ms
        )


def open_looks(settings: Settings) -> LedgerLooks:
    """Return looks upon the ledger of the live run.

    Raises:
        UserError: ClickHouse does not answer, or refuses the user.
    """
    client, database = connect(settings, "writer"), settings.clickhouse_database
    shelf = PeerShelf(ClickHouseLedger(client, database, _LIVE, ""))
    port, policy = LedgerFacts(client, database, _LIVE), policy_of(settings)
    facts = RunFacts(port, policy, settings.alerts.history_days)
    return LedgerLooks(settings.alerts, facts, shelf, evidences=LedgerEvidences(port, policy, shelf))
