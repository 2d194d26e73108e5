"""What stands on an alert beside its verdict: whether one segment drags it down, and what other models would decide.

Each campaign's questions cost some queries, so only those that are below or open are asked about, a few at a time, and
again when enough event time has passed.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from pipeline.alerts.advice import Segment, SegmentKind, advice
from pipeline.alerts.facts import segment_statistics, statistics
from pipeline.alerts.judging import judge
from pipeline.alerts.statistics import HOUR_MS

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.alerts.learning import PeerLibrary
    from pipeline.alerts.peers import PeerShelf
    from pipeline.alerts.plans import CampaignPlan
    from pipeline.alerts.reading import FactsPort
    from pipeline.alerts.record import Evidence
    from pipeline.alerts.rule import AlertRule
    from pipeline.alerts.verdict import Verdict
    from pipeline.state.policy import Policy

BUDGET_SECONDS: Final = 0.3
_KINDS: Final[tuple[SegmentKind, ...]] = ("channel", "variant", "tier")
_AGAIN_MS: Final = 600_000


@dataclass(frozen=True, slots=True)
class _Found:
    as_of_ms: int
    advice: dict[str, Any] | None
    decisions_by_model: dict[str, bool]


class LedgerEvidences:
    """Implements `pipeline.alerts.looking.Evidences` upon a run of the ledger.

    Args:
        port: the ledger.
        policy: how the run counts.
        shelf: peers.
        monotonic: a clock for the budget, which is that of one look: `begin` starts it.
    """

    def __init__(
        self, port: FactsPort, policy: Policy, shelf: PeerShelf, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._port = port
        self._policy = policy
        self._shelf = shelf
        self._monotonic = monotonic
        self._began = monotonic()
        self._found: dict[str, _Found] = {}

    def begin(self) -> None:
        """Begin a look's budget."""
        self._began = self._monotonic()

    def evidence(self, plan: CampaignPlan, verdict: Verdict, rule: AlertRule, evidence: Evidence) -> Evidence:
        """Return the evidence with what is known beside it; beyond the budget, with what was known before."""
        found = self._found.get(plan.campaign_id)
        if found is None or verdict.as_of_ms - found.as_of_ms >= _AGAIN_MS:
            if self._monotonic() - self._began <= BUDGET_SECONDS:
                found = self._found[plan.campaign_id] = self._look(plan, verdict, rule)
            elif found is None:
                return evidence
        return replace(evidence, advice=found.advice, decisions_by_model=found.decisions_by_model)

    def _look(self, plan: CampaignPlan, verdict: Verdict, rule: AlertRule) -> _Found:
        library = self._shelf.library(plan.product, plan.window_ms / HOUR_MS)
        segments = [
            segment for kind in _KINDS for segment in self._segments(kind, plan, verdict.as_of_ms, library, rule)
        ]
        mending = advice(verdict, segments, rule)
        decisions = {self._policy.models[0]: verdict.outcome == "below"}
        for model, label in list(zip(self._policy.models, self._policy.labels, strict=True))[1:]:
            rows = statistics(self._port, [plan], verdict.as_of_ms, self._policy, model=label)
            decisions[model] = judge(rows, library, rule)[0].outcome == "below"
        return _Found(verdict.as_of_ms, None if mending is None else asdict(mending), decisions)

    def _segments(
        self, kind: SegmentKind, plan: CampaignPlan, as_of_ms: int, library: PeerLibrary, rule: AlertRule
    ) -> list[Segment]:
        names, rows = segment_statistics(self._port, plan, kind, as_of_ms, self._policy)
        if len(names) < 2:  # the only one is the campaign itself
            return []
        return [Segment(kind, name, one) for name, one in zip(names, judge(rows, library, rule), strict=True)]
