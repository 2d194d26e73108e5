"""What a backtest tells the rule as of a step is what a live look as of that instant tells it, bit for bit."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from pipeline.alert_settings import AlertSettings
from pipeline.alerts.bank import bank_levels
from pipeline.alerts.facts import statistics
from pipeline.alerts.finished import FinishedFacts
from pipeline.alerts.statistics import HOUR_MS
from pipeline.backtest.backtest import backtest
from pipeline.backtest.ledger import past_of_run
from pipeline.backtest.past import Range
from pipeline.backtest.peers import peers_over_time, settled_steps
from pipeline.backtest.rules import rules_of_files
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


@pytest.mark.parametrize("seed", range(depth(3)))
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


def test_between_steps_whole_hours_and_beginnings_of_holds_are_known_as_well(clickhouse: Any, run_name: str) -> None:
    ledger = bank(7, campaigns=3)
    port = played(clickhouse, run_name, ledger.log, 7)
    span, random = Range(None, None, 6 * HOUR_MS), Random(7)
    past = past_of_run(port, POLICY, span, "a run", plans(ledger).values(), holds=(50.0, 0.001))
    for history in past.histories:
        steps = random.sample(range(1, past.grid.steps), 4)
        before = (random.choice((HOUR_MS, 5 * HOUR_MS, 50 * 60_000)) for _ in steps)
        instants = [past.grid.instant(step) - back for step, back in zip(sorted(steps), before, strict=True)]
        assert all(history.knows(instant) for instant in instants)
        mine = history.statistics_at(np.array(instants))
        for row, instant in enumerate(instants):
            assert differences(mine, row, statistics(port, [history.plan], instant, POLICY)) == []
        assert not history.knows(instants[0] + 1)


@dataclass
class CountingPort:
    """A ledger that notes what it is asked."""

    port: FactsPort
    asked: list[str] = field(default_factory=list)

    def fetch(self, name: str, **parameters: Any) -> list[list[Any]]:
        self.asked.append(name)
        return self.port.fetch(name, **parameters)

    def records(self, name: str, kind: Any, **parameters: Any) -> Any:
        self.asked.append(name)
        return self.port.records(name, kind, **parameters)


def test_looks_back_between_far_steps_ask_the_ledger_nothing(clickhouse: Any, run_name: str) -> None:
    ledger = bank(3, campaigns=4)
    port = CountingPort(played(clickhouse, run_name, ledger.log, 3))
    lenient = AlertSettings(
        min_cost_minor=1_000, min_expected_converters=1.0, confidence=0.55, false_share_limit=0.9, hold_minutes=90.0
    )
    rules = rules_of_files(lenient, [])
    past = past_of_run(port, POLICY, Range(None, None, 6 * HOUR_MS), "a run", plans(ledger).values(), holds=(90.0,))
    port.asked.clear()
    found = backtest(past, rules, workers=1)
    assert any(one.episodes for rule in found.rules for one in rule.campaigns), "nothing was held, so nothing looked up"
    assert set(port.asked) <= {"backtest_bank_levels"}
    assert len(port.asked) <= 1, "there is one goal"


def test_levels_of_the_bank_are_those_that_live_looks_ask_for(clickhouse: Any, run_name: str) -> None:
    ledger = bank(9, campaigns=4)
    port = played(clickhouse, run_name, ledger.log, 9)
    every = list(plans(ledger).values())
    past = past_of_run(port, POLICY, Range(None, None, HOUR_MS), "a run", every)
    assert past.bank_levels is not None
    known, looked = 0, range(0, past.grid.steps + 24 * 40, 61)
    for step in looked:
        instant = past.grid.instant(step)
        levels = bank_levels(port, every, instant - instant % (6 * HOUR_MS))
        assert past.bank_levels(every, instant) == levels
        known += levels[0] is not None
    assert 0 < known < len(looked), "both are met"


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
