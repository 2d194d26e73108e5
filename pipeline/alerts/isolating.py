"""Campaigns whose figures make our own code fail, kept apart: one of them must not end the judging of the others.

Many campaigns are judged at once. Where that raises, halves are judged apart, down to the campaign that it is; this one
counts as not judged, which blocks it with a fault that says so, and is tried again whenever its verdict is due.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from pipeline.alerts.fault_words import unjudged_text
from pipeline.alerts.verdict import Verdict
from pipeline.error_words import describe as describe_error
from pipeline.errors import PipelineError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.alerts.sayings import Language, Saying

One = TypeVar("One")
Found = TypeVar("Found")
_NO_FAULT_OF_DATA = (PipelineError, MemoryError)  # of the ledger or of the machine: every campaign's, to be repeated
_log = logging.getLogger(__name__)


def each_apart(
    some: Sequence[One], work: Callable[[Sequence[One]], Sequence[Found]], failed: Callable[[One, Exception], Found]
) -> list[Found]:
    """Return what is found of some at once; where that raises, of halves of them.

    Args:
        some: of whom.
        work: may be repeated on a part of them.
        failed: what is found of one for whom alone it raises.

    Raises:
        PipelineError: what the work raises on purpose.
    """
    if not some:
        return []
    try:
        return list(work(some))
    except _NO_FAULT_OF_DATA:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the other campaigns are judged
        if len(some) == 1:
            return [failed(some[0], error)]
    half = len(some) // 2
    return each_apart(some[:half], work, failed) + each_apart(some[half:], work, failed)


def unjudged(campaign_id: str, as_of_ms: int, last: Verdict | None = None) -> Verdict:
    """Return the verdict on a campaign that could not be judged: nothing is decided, and known what was known last.

    Who watches a firing alert is told of it, and must not read that nothing was spent.
    """
    if last is not None:
        return replace(last, as_of_ms=as_of_ms, outcome="immature", p_value=1.0)
    return Verdict(campaign_id, as_of_ms, "immature", None, None, None, None, 0, None, None, 0, 0, 0.0, 0.0, 1.0)


def log_unjudged(campaign_id: str, error: Exception) -> None:
    """Log whom an error kept from being judged: its kind and place, without a text that may quote data."""
    _log.error("campaign %s cannot be judged, the others are: %s", campaign_id, describe_error(error))


def log_no_teacher(campaign_id: str, error: Exception) -> None:
    """Log which finished campaign an error keeps from teaching its successors, likewise."""
    _log.error("campaign %s teaches nothing, the others do: %s", campaign_id, describe_error(error))


class Heard:
    """What the log has heard of campaigns: an error of the same kind again is no news."""

    def __init__(self) -> None:
        self._kinds: dict[str, str] = {}

    def is_news(self, campaign_id: str, error: Exception) -> bool:
        """Tell whether the last error of a campaign was of another kind; this one is heard now."""
        kind = describe_error(error)
        before, self._kinds[campaign_id] = self._kinds.get(campaign_id), kind
        return before != kind


class Unjudged:
    """Who could not be judged, and why."""

    def __init__(self, language: Language) -> None:
        self._language = language
        self._faults: dict[str, Saying] = {}
        self._heard = Heard()

    def alone(self, campaign_id: str, work: Callable[[], Found], instead: Found) -> Found:
        """Return what work on one campaign returns, ``instead`` where it raises."""

        def failed(_: str, error: Exception) -> Found:
            self.failed(campaign_id, error)
            return instead

        return each_apart([campaign_id], lambda _: [work()], failed)[0]

    def failed(self, campaign_id: str, error: Exception) -> None:
        """Note whom an error kept from being judged; the log hears of each kind once."""
        self.told(campaign_id)
        if self._heard.is_news(campaign_id, error):
            log_unjudged(campaign_id, error)

    def told(self, campaign_id: str) -> None:
        """Note whom an error kept from being judged of which the log has heard."""
        self._faults[campaign_id] = unjudged_text(self._language)

    def judged(self, campaign_ids: Sequence[str]) -> None:
        """Note who has been judged since."""
        for name in campaign_ids:
            self._faults.pop(name, None)

    @property
    def names(self) -> list[str]:
        """Who is not judged."""
        return sorted(self._faults)

    def faults(self, campaign_id: str) -> tuple[Saying, ...]:
        """Return why a campaign is not judged; nothing = it is."""
        fault = self._faults.get(campaign_id)
        return () if fault is None else (fault,)
