"""Looks at all campaigns: facts, peers, rule, faults and evidence put together, as of how far the run has got."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Final, Protocol

from pipeline.alerts import words
from pipeline.alerts.assembly import alike
from pipeline.alerts.false_stops import false_stops
from pipeline.alerts.isolating import Unjudged, each_apart, unjudged
from pipeline.alerts.judging import judge
from pipeline.alerts.lifecycle import earlier_p_value, held_since, instants_to_look_back
from pipeline.alerts.money_at_risk import money_at_risk, spend_per_day
from pipeline.alerts.record import Campaign, Evidence, Look
from pipeline.alerts.retiring import as_retired
from pipeline.alerts.rule import rule_of_plan
from pipeline.alerts.statistics import HOUR_MS
from schemas.alerts import OPEN_STATES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pipeline.alert_settings import AlertSettings
    from pipeline.alerts.learning import PeerLibrary
    from pipeline.alerts.peers import PeerShelf
    from pipeline.alerts.plans import CampaignPlan
    from pipeline.alerts.record import AlertRecord
    from pipeline.alerts.rule import AlertRule
    from pipeline.alerts.statistics import BankLevel, FinishedCampaign, Statistics
    from pipeline.alerts.verdict import Outcome, Verdict

JUDGING_SECONDS: Final = 0.3
"""So long a look judges campaigns of which nothing but the time has changed."""
PART: Final = 1_000
"""So many of them at once."""
_PENDING: Final = OPEN_STATES | {"pending"}


@dataclass(frozen=True, slots=True)
class Now:
    """How far the run has got, and what has changed since the last time it was asked.

    Attributes:
        as_of_ms: nothing later is looked at.
        plans: of all campaigns by name; the same object where nothing was defined anew.
        changed: campaigns whose figures are other ones; the others' are as they were, as of an earlier instant.
        ended: campaigns of which no conversion can come any more, for their last touch is a window ago.
    """

    as_of_ms: int
    plans: Mapping[str, CampaignPlan]
    changed: frozenset[str]
    ended: frozenset[str] = frozenset()


class Facts(Protocol):
    """Where facts come from. Every call may raise LedgerUnavailableError and be repeated."""

    def now(self) -> Now | None:
        """Take in what has become durable; None before anything was counted."""

    def statistics(self, names: Sequence[str]) -> Statistics:
        """Return some campaigns' statistics as of `now`, a row each."""

    def as_of(self, plans: Sequence[CampaignPlan], as_of_ms: int) -> Statistics:
        """Return some campaigns' statistics as of an earlier instant, a row each."""

    def bank_levels(self, plans: Sequence[CampaignPlan], as_of_ms: int) -> Sequence[BankLevel | None]:
        """Return what a transaction that each one's goal matches is worth at this bank, as of the quarter of a day."""

    def finished(self) -> Sequence[FinishedCampaign] | None:
        """Return the campaigns that are over by now; None = the same as when asked before."""


@dataclass(frozen=True, slots=True)
class DataFaults:
    """What is at fault now; campaigns that are not named have no fault.

    Attributes:
        faults: by campaign what is at fault, in words.
        doubts: by campaign what may be, as `pipeline.alerts.record.Look` has it.
        young: likewise.
    """

    faults: Mapping[str, tuple[str, ...]]
    doubts: Mapping[str, tuple[str, ...]]
    young: str = ""


class Faults(Protocol):
    """Who tells that a campaign's data are at fault."""

    def faults(self, now: Now) -> DataFaults:
        """Return what is at fault."""

    def wait(self) -> None:
        """Note how far the data are while there is nothing to look at."""


NO_FAULTS: Final = DataFaults({}, {})


class Evidences(Protocol):
    """Who finds what a reader is shown beside the verdict, for campaigns that somebody has to act upon."""

    def evidence(self, plan: CampaignPlan, verdict: Verdict, rule: AlertRule, evidence: Evidence) -> Evidence:
        """Return the evidence with advice and the decisions under other attribution models, as known by now."""

    def knows(self, campaign_id: str) -> bool:
        """Tell whether that has been found."""


class LedgerLooks:
    """Implements `pipeline.alerts.evaluator.Looks` upon the ledger.

    Args:
        settings: of alerts.
        facts: of the campaigns.
        shelf: peers.
        faults: of the data; None = there are none.
        evidences: of campaigns that are below or open.
        model: the attribution model that decides.
        monotonic: a clock for the budget of a look.
    """

    def __init__(  # noqa: PLR0913 - everything that a look is made of
        self,
        settings: AlertSettings,
        facts: Facts,
        shelf: PeerShelf,
        faults: Faults | None = None,
        evidences: Evidences | None = None,
        *,
        model: str = "last_touch",
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._facts = facts
        self._shelf = shelf
        self._faults = faults
        self._evidences = evidences
        self._model = model
        self._per_day: dict[str, float] = {}
        self._monotonic = monotonic
        self._known: dict[str, tuple[CampaignPlan, AlertRule, Campaign]] = {}
        self._verdicts: dict[str, Verdict] = {}
        self._judged: tuple[int, int] | None = None
        self._stale: set[str] = set()
        self._aged: dict[str, None] = {}  # in the order of waiting
        self._shown: dict[str, tuple[Verdict, Evidence]] = {}
        self._unjudged = Unjudged(settings.language)

    def look(self, records: Mapping[str, AlertRecord]) -> Sequence[Look]:
        """Return a look at every campaign."""
        if (now := self._facts.now()) is None:
            if self._faults is not None:
                self._faults.wait()
            return []
        if (finished := self._facts.finished()) is not None:
            self._shelf.refresh(finished)
        self._known = {name: self._of_plan(plan) for name, plan in now.plans.items()}
        verdicts = self._judge(now, records)
        rules = [rule for _, rule, _ in self._known.values()]
        earlier = {name: earlier_p_value(records.get(name), rule) for name, (_, rule, _) in self._known.items()}
        stops = false_stops(verdicts, rules, self._settings.false_share_limit, earlier)
        withheld = words.withheld_text(stops.expected_share, self._settings.language)
        since = self._held_since(records, verdicts)
        found = NO_FAULTS if self._faults is None else self._faults.faults(now)
        looks = []
        for verdict, (plan, rule, campaign) in zip(verdicts, self._known.values(), strict=True):
            name = plan.campaign_id
            may_fire = verdict.outcome != "below" or name in stops.may_fire
            beside = partial(self._evidence, plan, verdict, rule, records.get(name))
            evidence = self._unjudged.alone(name, beside, Evidence())
            look = Look(
                verdict=verdict,
                rule=rule,
                held_since_ms=since.get(name, verdict.as_of_ms),
                campaign=campaign,
                faults=(*found.faults.get(name, ()), *self._unjudged.faults(name)),
                doubts=found.doubts.get(name, ()),
                young=found.young,
                is_over=is_over(campaign, records.get(name), now),
                withheld="" if may_fire else withheld,
                evidence=evidence,
                is_evident=verdict.outcome != "below" or self._evidences is None or self._evidences.knows(name),
            )
            looks.append(as_retired(look, records.get(name), self._settings.language) if plan.is_retired else look)
        return looks

    def _judge(self, now: Now, records: Mapping[str, AlertRecord]) -> list[Verdict]:
        """Return the verdicts of all campaigns.

        Those whose figures have changed are judged now. When a minute has passed, those that are below are too, and the
        others as far as the budget goes; who is left over keeps a verdict of some seconds ago, and comes first the next
        time.
        """
        begun = self._monotonic()
        state = (now.as_of_ms, self._shelf.version)
        # what has changed stays so until it is judged: a look may end half-way, and is then taken again
        self._stale |= now.changed
        if state != self._judged:
            self._stale |= {name for name, verdict in self._verdicts.items() if verdict.outcome == "below"}
            self._aged |= dict.fromkeys(now.plans)
        self._judged = state
        chosen = [name for name in now.plans if name in self._stale or name not in self._verdicts]
        self._judge_some(chosen, now, records)
        for name in chosen:
            self._aged.pop(name, None)
        while self._aged and self._monotonic() - begun < JUDGING_SECONDS:
            part = list(islice(self._aged, PART))
            self._judge_some([name for name in part if name in now.plans], now, records)
            for name in part:
                del self._aged[name]
        return [self._verdicts[name] for name in now.plans]

    def _judge_some(self, names: Sequence[str], now: Now, records: Mapping[str, AlertRecord]) -> None:
        def together(some: Sequence[str]) -> list[Verdict]:
            plans, statistics = [now.plans[name] for name in some], self._facts.statistics(some)
            judged = self._judged_of(statistics, plans, now.as_of_ms)
            self._pace(statistics, plans, judged)
            self._unjudged.judged(some)
            return judged

        def failed(name: str, error: Exception) -> Verdict:
            self._unjudged.failed(name, error)
            known = None if name not in records else records[name].verdict  # an earlier process's
            return unjudged(name, now.as_of_ms, self._verdicts.get(name, known))

        for group in alike(now.plans[name] for name in names):
            chosen = [plan.campaign_id for plan in group]
            self._verdicts |= dict(zip(chosen, each_apart(chosen, together, failed), strict=True))
        self._stale.difference_update(names)

    def _pace(self, statistics: Statistics, plans: Sequence[CampaignPlan], judged: Sequence[Verdict]) -> None:
        """Note what a day costs where that tells what is left to spend, of campaigns that are or were below."""
        for row, (plan, verdict) in enumerate(zip(plans, judged, strict=True)):
            is_asked = verdict.outcome == "below" or plan.campaign_id in self._per_day
            if is_asked and plan.ends_at_ms is not None:
                self._per_day[plan.campaign_id] = spend_per_day(statistics, row)

    def _judged_of(self, statistics: Statistics, plans: Sequence[CampaignPlan], as_of_ms: int) -> list[Verdict]:
        """Return verdicts; where neither peers nor converters tell values, the bank's own transactions do."""
        libraries = [self._library(plan) for plan in plans]
        rules = [self._known[plan.campaign_id][1] for plan in plans]
        judged = judge(statistics, libraries, rules)
        unknown = [
            row
            for row, (verdict, rule) in enumerate(zip(judged, rules, strict=True))
            if verdict.cost_minor >= rule.min_cost_minor
            and any(caveat.code == "no_known_value" for caveat in verdict.caveats)
        ]
        if not unknown:
            return judged
        found = self._facts.bank_levels([plans[row] for row in unknown], as_of_ms)
        levels = {row: level for row, level in zip(unknown, found, strict=True) if level is not None}
        if not levels:
            return judged
        again = judge(
            statistics.rows(list(levels)),
            [libraries[row] for row in levels],
            [rules[row] for row in levels],
            list(levels.values()),
        )
        for row, verdict in zip(levels, again, strict=True):
            judged[row] = verdict
        return judged

    def _library(self, plan: CampaignPlan) -> PeerLibrary:
        return self._shelf.library(plan.product, plan.window_ms / HOUR_MS)

    def _of_plan(self, plan: CampaignPlan) -> tuple[CampaignPlan, AlertRule, Campaign]:
        known = self._known.get(plan.campaign_id)
        if known is None or known[0] is not plan:
            self._stale.add(plan.campaign_id)
            known = (plan, rule_of_plan(self._settings, plan), campaign_of(plan))
        return known

    def _evidence(self, plan: CampaignPlan, verdict: Verdict, rule: AlertRule, record: AlertRecord | None) -> Evidence:
        known = self._shown.get(plan.campaign_id)
        is_judged = verdict.outcome != "immature" or not self._unjudged.faults(plan.campaign_id)
        if known is None or known[0] is not verdict:
            evidence = Evidence(
                reasons=words.reasons(verdict, rule, self._settings.language) if is_judged else (),
                money_at_risk_minor=money_at_risk(plan, verdict, rule, self._per_day.get(plan.campaign_id)),
                decisions_by_model={self._model: verdict.outcome == "below"} if is_judged else {},
            )
            known = self._shown[plan.campaign_id] = (verdict, evidence)
        needs_action = verdict.outcome == "below" or (record is not None and record.state in _PENDING)
        if not needs_action or not is_judged or self._evidences is None:
            return known[1]
        return self._evidences.evidence(plan, verdict, rule, known[1])

    def _held_since(self, records: Mapping[str, AlertRecord], verdicts: Sequence[Verdict]) -> dict[str, int]:
        """Return since when each verdict has held, looking back where nobody has looked, newest hour first."""
        asked: dict[int, list[Verdict]] = defaultdict(list)
        for verdict in verdicts:
            rule = self._known[verdict.campaign_id][1]
            for instant in instants_to_look_back(records.get(verdict.campaign_id), verdict, rule):
                asked[instant].append(verdict)
        back: dict[str, list[tuple[int, Outcome]]] = defaultdict(list)
        broken: set[str] = set()
        for instant in sorted(asked, reverse=True):
            wanted = [verdict for verdict in asked[instant] if verdict.campaign_id not in broken]
            if not wanted:  # the longest hold has 876,000 hours
                continue
            for verdict, outcome in zip(wanted, self._outcomes(wanted, instant), strict=True):
                back[verdict.campaign_id].append((instant, outcome))
                if outcome != verdict.outcome:
                    broken.add(verdict.campaign_id)
        return {
            verdict.campaign_id: held_since(
                records.get(verdict.campaign_id), verdict, back.get(verdict.campaign_id, ())
            )
            for verdict in verdicts
        }

    def _outcomes(self, verdicts: Sequence[Verdict], instant: int) -> list[Outcome]:
        def together(some: Sequence[CampaignPlan]) -> list[Outcome]:
            judged = self._judged_of(self._facts.as_of(some, instant), some, instant)
            return [verdict.outcome for verdict in judged]

        def failed(plan: CampaignPlan, error: Exception) -> Outcome:
            self._unjudged.failed(plan.campaign_id, error)
            return "immature"

        outcomes: dict[str, Outcome] = {}
        for group in alike(self._known[verdict.campaign_id][0] for verdict in verdicts):
            outcomes |= zip((plan.campaign_id for plan in group), each_apart(group, together, failed), strict=True)
        return [outcomes[verdict.campaign_id] for verdict in verdicts]


def is_over(campaign: Campaign, record: AlertRecord | None, now: Now) -> bool:
    """Tell whether nothing is left to stop: the planned end has passed, or a request to stop has been followed."""
    if campaign.ends_ms is not None and campaign.ends_ms <= now.as_of_ms:
        return True
    return record is not None and record.stop_id is not None and campaign.campaign_id in now.ended


def campaign_of(plan: CampaignPlan) -> Campaign:
    """Return what alerts need of a definition."""
    definition = plan.definition
    if definition is None:
        return Campaign(plan.campaign_id, ends_ms=plan.ends_at_ms)
    return Campaign(plan.campaign_id, definition.name, definition.owner, plan.ends_at_ms, definition.receivers)
