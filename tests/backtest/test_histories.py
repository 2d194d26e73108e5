"""What a backtest tells the rule as of a step is what a live look as of that instant tells it, bit for bit."""

from __future__ import annotations

from dataclasses import fields
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from pipeline.alerts.facts import statistics
from pipeline.alerts.finished import FinishedFacts
from pipeline.alerts.statistics import HOUR_MS
from pipeline.backtest.ledger import past_of_run
from pipeline.backtest.past import Range
from pipeline.backtest.peers import peers_over_time, settled_steps
from tests.alerts.facts_support import POLICY, SHAPE, plans_of, played
from tests.backtest.stories import bank, plans
from tests.oracle.generators import random_log
from tests.support.depth import depth

if TYPE_CHECKING:
    from pipeline.alerts.reading import FactsPort
    from pipeline.alerts.statistics import Statistics
    from pipeline.backtest.past import Past


def differences(mine: Statistics, row: int, other: Statistics) -> list[str]:
    """Return the columns in which two rows differ in any bit."""
    return [
        one.name
        for one in fields(mine)
        if not (
            np.array_equal(getattr(mine, one.name)[row], getattr(other, one.name)[0])
            if isinstance(getattr(mine, one.name), np.ndarray | tuple)
            else getattr(mine, one.name) == getattr(other, one.name)
        )
    ]


def assert_equal_at_steps(past: Past, port: FactsPort, random: Random, count: int) -> None:
    for history in past.histories:
        steps = np.array(sorted(random.sample(range(past.grid.steps), min(count, past.grid.steps))))
        mine = history.statistics(steps)
        for row, step in enumerate(steps.tolist()):
            other = statistics(port, [history.plan], past.grid.instant(step), POLICY)
            assert differences(mine, row, other) == []


@pytest.mark.parametrize("seed", range(depth(6)))
@pytest.mark.parametrize("every", [HOUR_MS, 7 * 60_000, 86_400_000])
def test_rows_of_random_logs_are_those_of_live_looks(clickhouse: Any, run_name: str, seed: int, every: int) -> None:
    log = random_log(seed=seed, size=300, shape=SHAPE)
    port = played(clickhouse, run_name, log, seed)
    past = past_of_run(port, POLICY, Range(None, None, every), "a run", plans_of(log).values())
    assert_equal_at_steps(past, port, Random(seed), 6)


def test_rows_of_a_bank_with_bills_are_those_of_live_looks(clickhouse: Any, run_name: str) -> None:
    ledger = bank(3)
    port = played(clickhouse, run_name, ledger.log, 3)
    past = past_of_run(port, POLICY, Range(None, None, HOUR_MS), "a run", plans(ledger).values())
    assert past.grid.steps > 300
    assert_equal_at_steps(past, port, Random(3), 8)


def test_peers_as_of_every_step_are_those_that_live_learns_from(clickhouse: Any, run_name: str) -> None:
    ledger = bank(5)
    port = played(clickhouse, run_name, ledger.log, 5)
    every = plans(ledger)
    past = past_of_run(port, POLICY, Range(None, None, HOUR_MS), "a run", every.values())
    settled = [settled_steps(history, past.grid) for history in past.histories]
    found = peers_over_time(past.histories, settled, POLICY.calendar(), 400.0, fewest=2)
    states = 0
    for step in range(0, past.grid.steps, 11):
        whole = FinishedFacts(port, POLICY, fewest=2).refresh(every, past.grid.instant(step))
        (epoch,) = found.epochs("deposit", np.array([step])).tolist()
        mine = [found.finished[place] for place in found.peers("deposit", epoch)]
        assert [one.campaign_id for one in mine] == [one.campaign_id for one in whole]
        assert all(one.teaches_the_same(other) for one, other in zip(mine, whole, strict=True))
        states += len(whole) > 0
    assert states > 10
    assert len(found.finished) > len(past.histories), "no reversal came after an end"
