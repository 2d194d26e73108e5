"""What looks are made of, put together from the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.alerts.facts import LedgerFacts, instant_of, read_plans, statistics
from pipeline.alerts.looking import LedgerLooks, Now
from pipeline.alerts.peers import PeerShelf
from pipeline.clickhouse.connection import connect
from pipeline.ledger.ledger import ClickHouseLedger
from pipeline.policies import policy_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.alerts.plans import CampaignPlan
    from pipeline.alerts.statistics import FinishedCampaign, Statistics
    from pipeline.settings import Settings
    from pipeline.state.policy import Policy

_LIVE = "live"


class LedgerNow:
    """Implements `pipeline.alerts.looking.Facts`: all campaigns, read anew whenever the run has got further."""

    def __init__(self, port: LedgerFacts, policy: Policy) -> None:
        self._port = port
        self._policy = policy
        self._plans: dict[str, CampaignPlan] = {}
        self._stamp: list[list[Any]] = []
        self._now: Now | None = None

    def now(self) -> Now | None:
        """Return the facts of all campaigns as of how far the run has got."""
        positions = self._port.fetch("alert_positions")
        marks: dict[str, int] = {}
        for _, topic, watermark, *_ in positions:
            marks[topic] = max(watermark, marks.get(topic, watermark))
        as_of_ms = instant_of(marks)
        if as_of_ms is None:
            return None
        found = read_plans(self._port, self._policy)
        # the same object for the same plan: what is made of it is made once
        plans = {name: self._plans[name] if self._plans.get(name) == plan else plan for name, plan in found.items()}
        if self._now is None or positions != self._stamp or plans != self._plans:
            wanted = list(plans.values())
            numbers = statistics(self._port, wanted, as_of_ms, self._policy)
            self._now = Now(as_of_ms, wanted, numbers)
        self._plans, self._stamp = plans, positions
        return self._now

    def as_of(self, plans: Sequence[CampaignPlan], as_of_ms: int) -> Statistics:
        """Return the statistics of some campaigns as of an earlier instant, a row each."""
        return statistics(self._port, plans, as_of_ms, self._policy)

    def finished(self) -> Sequence[FinishedCampaign] | None:
        """Return the campaigns that are over by now."""
        return None


def open_looks(settings: Settings) -> LedgerLooks:
    """Return looks upon the ledger of the live run.

    Raises:
        UserError: ClickHouse does not answer, or refuses the user.
    """
    client, database = connect(settings, "writer"), settings.clickhouse_database
    shelf = PeerShelf(ClickHouseLedger(client, database, _LIVE, ""))
    facts = LedgerNow(LedgerFacts(client, database, _LIVE), policy_of(settings))
    return LedgerLooks(settings.alerts, facts, shelf)
