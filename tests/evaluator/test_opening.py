"""What a run's facts do where the finished campaigns, which teach the others, cannot be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pipeline.evaluator.opening import RunFacts
from pipeline.ledger.ledger import LedgerUnavailableError
from schemas.topics import TRANSACTIONS
from tests.alerts.building import T0
from tests.alerts.campaigns import peers
from tests.alerts.facts_support import POLICY
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from pipeline.alerts.statistics import FinishedCampaign

PEERS = peers(2)
LATER = 60.0


class EmptyRun:
    """A run of which nothing but a watermark is known."""

    def fetch(self, name: str, **parameters: Any) -> list[list[Any]]:
        del parameters
        return [[0, TRANSACTIONS, T0, 1]] if name == "alert_positions" else []

    def records(self, name: str, kind: np.dtype[np.void], **parameters: Any) -> Any:
        raise AssertionError((name, kind, parameters))


class Over:
    """Finished campaigns that cannot be read while an error is set."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.calls = 0

    def refresh(self, *given: Any) -> list[FinishedCampaign]:
        del given
        self.calls += 1
        if self.error is not None:
            raise self.error
        return PEERS


class Reading:
    """Facts of a run, and the clock by which finished campaigns are asked for."""

    def __init__(self, over: Over) -> None:
        self.seconds = 0.0
        self.facts = RunFacts(EmptyRun(), POLICY, over, monotonic=lambda: self.seconds)  # type: ignore[arg-type] # for it asks for refresh alone
        self.facts.now()

    def asked_again(self) -> Callable[[], Any]:
        """Let a later question be answered, and return how to take the answer."""
        self.seconds += LATER
        first = self.facts.finished()
        reading = self.facts._reading
        if reading is None:  # it was answered at once
            return lambda: first
        wait_until(reading.done, 10)
        return self.facts.finished


@pytest.mark.parametrize("is_first", [True, False])
def test_finished_campaigns_that_make_the_program_fail_end_no_look_and_are_asked_for_again(
    caplog: pytest.LogCaptureFixture, *, is_first: bool
) -> None:
    over = Over()
    reading = Reading(over)
    if not is_first:
        assert reading.facts.finished() == PEERS
    over.error = OverflowError("of customer anna")
    taken = reading.facts.finished() if is_first else reading.asked_again()()
    assert taken == ([] if is_first else None)
    assert "OverflowError" in caplog.text
    assert "anna" not in caplog.text
    calls = over.calls
    assert reading.facts.finished() is None, "they read the touches of all: not with every look"
    assert over.calls == calls
    over.error = None
    assert reading.asked_again()() == PEERS


@pytest.mark.parametrize("is_first", [True, False])
def test_what_clickhouse_did_not_answer_of_them_ends_the_look(*, is_first: bool) -> None:
    over = Over()
    reading = Reading(over)
    if not is_first:
        reading.facts.finished()
    over.error = LedgerUnavailableError("away")
    with pytest.raises(LedgerUnavailableError):
        (reading.facts.finished if is_first else reading.asked_again())()
    over.error = None
    assert (reading.facts.finished() if is_first else reading.asked_again()()) == PEERS
