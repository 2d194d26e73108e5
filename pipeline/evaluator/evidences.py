"""What stands on an alert beside its verdict: whether one segment drags it down, and what other models would decide.

Each campaign's questions cost some queries, so only those that are below or open are asked about: at once when nothing
is known of one, for it is not told before, and again when enough event time has passed and its turn comes.
"""

from __future__ import annotations

import logging
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from pipeline.alerts.advice import Segment, SegmentKind, advice
from pipeline.alerts.facts import model_statistics, segment_statistics
from pipeline.alerts.judging import judge
from pipeline.alerts.segments import CampaignReading
from pipeline.alerts.statistics import HOUR_MS
from pipeline.error_words import places
from pipeline.evaluator.repeating import Repeats
from pipeline.ledger.ledger import LedgerUnavailableError

if TYPE_CHECKING:
    from pipeline.alerts.learning import PeerLibrary
    from pipeline.alerts.peers import PeerShelf
    from pipeline.alerts.plans import CampaignPlan
    from pipeline.alerts.reading import FactsPort
    from pipeline.alerts.record import Evidence
    from pipeline.alerts.rule import AlertRule
    from pipeline.alerts.verdict import Verdict
    from pipeline.state.policy import Policy

_KINDS: Final[tuple[SegmentKind, ...]] = ("channel", "variant", "tier")
_AGAIN_MS: Final = 600_000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Found:
    as_of_ms: int
    advice: dict[str, Any] | None
    decisions_by_model: dict[str, bool]


class LedgerEvidences:
    """Implements `pipeline.alerts.looking.Evidences` upon a run of the ledger.

    A look does not wait for it: what is asked for is found in a thread of its own, and shown from the next look on.

    Args:
        port: the ledger, this object's alone.
        policy: how the run counts.
        shelf: peers.
        executor: runs one question after another.
    """

    def __init__(self, port: FactsPort, policy: Policy, shelf: PeerShelf, executor: Executor | None = None) -> None:
        self._port = port
        self._policy = policy
        self._shelf = shelf
        self._executor = executor or ThreadPoolExecutor(1, thread_name_prefix="evidence")
        self._found: dict[str, _Found] = {}
        self._asked: dict[str, Future[_Found]] = {}
        self._repeats: Repeats[_Found] = Repeats(self._executor)

    def evidence(self, plan: CampaignPlan, verdict: Verdict, rule: AlertRule, evidence: Evidence) -> Evidence:
        """Return the evidence with what is known beside it by now."""
        name = plan.campaign_id
        self._collect(name)
        found = self._found.get(name)
        if found is None or verdict.as_of_ms - found.as_of_ms >= _AGAIN_MS:
            library = self._shelf.library(plan.product, plan.window_ms / HOUR_MS)
            look = partial(self._looked, plan, verdict, rule, library)
            if found is not None:
                self._repeats.ask(name, look)
            elif name not in self._asked:
                self._asked[name] = self._executor.submit(look)
        if found is None:
            return evidence
        decisions = found.decisions_by_model | dict(evidence.decisions_by_model)  # of the model that decides: newer
        return replace(evidence, advice=found.advice, decisions_by_model=decisions)

    def knows(self, campaign_id: str) -> bool:
        """Tell whether a campaign's evidence has been found."""
        return campaign_id in self._found

    def _collect(self, name: str) -> None:
        asked = self._asked.get(name)
        try:
            if asked is not None and asked.done():
                del self._asked[name]
                self._found[name] = asked.result()
            self._found |= self._repeats.answers()
        except LedgerUnavailableError as error:
            _log.warning("evidence waits for ClickHouse (%s)", error)

    def _looked(self, plan: CampaignPlan, verdict: Verdict, rule: AlertRule, library: PeerLibrary) -> _Found:
        """Return what was found, nothing where it cannot be: the alert needs none of it, and is tried again as ever."""
        try:
            return self._look(plan, verdict, rule, library)
        except LedgerUnavailableError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the verdict stands without what is shown beside it
            _log.error("no evidence for campaign %s: %s", plan.campaign_id, places(error))
            return _Found(verdict.as_of_ms, None, {})

    def _look(self, plan: CampaignPlan, verdict: Verdict, rule: AlertRule, library: PeerLibrary) -> _Found:
        reading = CampaignReading(self._port, plan, verdict.as_of_ms, self._policy)
        segments = [segment for kind in _KINDS for segment in _segments(reading, kind, library, rule)]
        mending = advice(verdict, segments, rule)
        decisions = {self._policy.models[0]: verdict.outcome == "below"}
        others = model_statistics(reading, self._policy.labels[1:])
        for model, rows in zip(self._policy.models[1:], others, strict=True):
            decisions[model] = judge(rows, library, rule)[0].outcome == "below"
        return _Found(verdict.as_of_ms, None if mending is None else asdict(mending), decisions)


def _segments(reading: CampaignReading, kind: SegmentKind, library: PeerLibrary, rule: AlertRule) -> list[Segment]:
    names, rows = segment_statistics(reading, kind)
    if len(names) < 2:  # the only one is the campaign itself
        return []
    return [Segment(kind, name, one) for name, one in zip(names, judge(rows, library, rule), strict=True)]
