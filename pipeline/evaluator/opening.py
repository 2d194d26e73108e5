"""What looks are made of, put together from the settings."""

from __future__ import annotations

import logging
import time
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Final

from pipeline.alerts.backlog import PostponedLooks
from pipeline.alerts.bank import bank_levels
from pipeline.alerts.facts import LedgerFacts, statistics
from pipeline.alerts.finished import FinishedFacts
from pipeline.alerts.ledger_faults import LedgerFaults
from pipeline.alerts.live import LiveFacts
from pipeline.alerts.looking import LedgerLooks, Now
from pipeline.alerts.peers import PeerShelf
from pipeline.alerts.service import moment
from pipeline.alerts.statistics import HOUR_MS
from pipeline.clickhouse.connection import connect
from pipeline.error_words import places
from pipeline.errors import PipelineError
from pipeline.evaluator.evidences import LedgerEvidences
from pipeline.evaluator.log_watch import LogWatch
from pipeline.evaluator.run_rules import RunRules
from pipeline.ledger.ledger import ClickHouseLedger
from pipeline.ledger.rows import LIVE
from pipeline.policies import describe_policy, policy_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pipeline.alerts.assembly import CampaignFacts
    from pipeline.alerts.evaluator import Looks
    from pipeline.alerts.plans import CampaignPlan
    from pipeline.alerts.reading import FactsPort
    from pipeline.alerts.statistics import BankLevel, FinishedCampaign, Statistics
    from pipeline.settings import Settings
    from pipeline.state.policy import Policy

_log = logging.getLogger(__name__)
_NOBODY: Final = (None, None)
_LEVEL_MS: Final = 6 * HOUR_MS
_FINISHED_SECONDS: Final = 15.0  # between two questions which campaigns are over: they read the touches of all


class RunFacts:
    """Implements `pipeline.alerts.looking.Facts` upon a run of the ledger.

    Args:
        port: the ledger.
        policy: how the run counts.
        over: the finished campaigns, on a connection of their own: but for the first time no look waits for them.
        check: raises UserError where the run is counted otherwise.
        monotonic: a clock.
    """

    def __init__(
        self,
        port: FactsPort,
        policy: Policy,
        over: FinishedFacts,
        *,
        check: Callable[[], None] = lambda: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._port = port
        self._policy = policy
        self._check = check
        self._monotonic = monotonic
        self._live = LiveFacts(port, policy, monotonic=monotonic)
        self._over = over
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="finished")
        self._levels: dict[str, tuple[CampaignPlan, BankLevel | None]] = {}
        self._levels_ms = 0
        self._changed: set[str] = set()  # since finished campaigns were asked for
        self._asked: float | None = None
        self._reading: Future[list[FinishedCampaign]] | None = None

    def now(self) -> Now | None:
        """Take in what has become durable; None before anything was counted."""
        self._check()
        refreshed = self._live.refresh()
        if refreshed.as_of_ms is None:
            return None
        self._changed.update(refreshed.changed)
        plans = dict(sorted(self._live.plans.items()))
        return Now(refreshed.as_of_ms, plans, frozenset(refreshed.changed), self._ended(plans, refreshed.as_of_ms))

    def statistics(self, names: Sequence[str]) -> Statistics:
        """Return some campaigns' statistics as of `now`, a row each."""
        return self._live.statistics(names)

    def as_of(self, plans: Sequence[CampaignPlan], as_of_ms: int) -> Statistics:
        """Return some campaigns' statistics as of an earlier instant, a row each."""
        return statistics(self._port, plans, as_of_ms, self._policy)

    def bank_levels(self, plans: Sequence[CampaignPlan], as_of_ms: int) -> Sequence[BankLevel | None]:
        """Return what a transaction that each one's goal matches is worth at this bank, as of the quarter of a day."""
        quarter = as_of_ms - as_of_ms % _LEVEL_MS
        if self._levels_ms != quarter:
            self._levels_ms, self._levels = quarter, {}
        known = self._levels
        missing = [plan for plan in plans if known.get(plan.campaign_id, _NOBODY)[0] is not plan]
        for plan, level in zip(missing, bank_levels(self._port, missing, quarter), strict=True):
            known[plan.campaign_id] = (plan, level)
        return [known[plan.campaign_id][1] for plan in plans]

    def finished(self) -> Sequence[FinishedCampaign] | None:
        """Return the campaigns that are over by now; None = the same as when asked before."""
        as_of_ms = self._live.as_of_ms
        if as_of_ms is None:
            return None
        if self._asked is None:  # nobody is judged before it is known what his peers teach
            found = _unless_it_fails(partial(self._over.refresh, self._live.plans, as_of_ms))
            self._asked, self._changed = self._monotonic(), set()
            return found or []
        if self._reading is None and self._monotonic() - self._asked >= _FINISHED_SECONDS:
            self._asked = self._monotonic()
            plans, changed, self._changed = dict(self._live.plans), self._changed, set()
            self._reading = self._executor.submit(self._over.refresh, plans, as_of_ms, changed)
        if self._reading is None or not self._reading.done():
            return None
        reading, self._reading = self._reading, None
        return _unless_it_fails(reading.result)

    def facts(self, names: Iterable[str]) -> dict[str, CampaignFacts]:
        """Return what is known of campaigns that have touches, as of `now`; not to be changed."""
        touched = self._live.last_touch_hours()
        chosen = [name for name in names if name in touched]
        return dict(zip(chosen, self._live.facts(chosen), strict=True))

    def _ended(self, plans: dict[str, CampaignPlan], as_of_ms: int) -> frozenset[str]:
        return frozenset(
            name
            for name, hour in self._live.last_touch_hours().items()
            if (hour + 1) * HOUR_MS + plans[name].window_ms <= as_of_ms
        )


def _unless_it_fails(read: Callable[[], list[FinishedCampaign]]) -> list[FinishedCampaign] | None:
    """Return what is read; None where our own code fails: peers are known less well, and asked about again later."""
    try:
        return read()
    except PipelineError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, campaigns are judged by what is known of peers
        _log.error("what finished campaigns teach cannot be read: %s", places(error))
        return None


def open_looks(settings: Settings) -> Looks:
    """Return looks upon the ledger of the live run.

    Raises:
        UserError: ClickHouse does not answer, or refuses the user; or the run was begun under other settings.
    """
    database, policy = settings.clickhouse_database, policy_of(settings)

    def opened() -> LedgerFacts:
        return LedgerFacts(connect(settings, "writer"), database, LIVE)

    shelf = PeerShelf(ClickHouseLedger(connect(settings, "writer"), database, LIVE, ""))
    over = FinishedFacts(opened(), policy, history_days=settings.alerts.history_days)
    port = opened()
    rules = RunRules(port, LIVE, policy, describe_policy(settings))
    rules.check()  # before anything is decided; again with every look, where no worker has begun the run yet
    facts = RunFacts(port, policy, over, check=rules.check)
    faults = LedgerFaults(opened(), settings.alerts, facts.facts, LogWatch(settings), clocks=moment)
    evidences = LedgerEvidences(opened(), policy, shelf)
    looks = LedgerLooks(settings.alerts, facts, shelf, faults, evidences, model=policy.models[0])
    return PostponedLooks(looks, faults)
