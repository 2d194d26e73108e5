"""Judged campaigns: no look that matters is left out, and the same seed gives the same table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bench.stop_rule.campaigns import Campaign, campaign
from bench.stop_rule.cells import Task, done, library_of, summary
from bench.stop_rule.portfolio import MIX, Ended, dealt, shares
from bench.stop_rule.runs import tasks_of
from bench.stop_rule.scenarios import SCENARIOS
from bench.stop_rule.trials import Portfolio, Told, plain_stop, tried

BY_NAME = {one.name: one for one in SCENARIOS}
BASE = BY_NAME["base: 600 touches a day, σ 1.0"]


@pytest.mark.parametrize(
    ("name", "true_ratio"), [(BASE.name, 1.4), (BASE.name, 2.0), ("0 peers, σ 1.6", 1.4), ("30 days", 1.7)]
)
def test_two_passes_stop_when_judging_every_look_does(name: str, true_ratio: float) -> None:
    scenario = BY_NAME[name]
    library, bank = library_of(Task(scenario, true_ratio, 0, 12, 5))
    random = np.random.default_rng(6)
    drawn = [campaign(random, scenario, true_ratio) for _ in range(12)]
    fast = tried(Portfolio(drawn), Told(library, bank))
    complete = tried(Portfolio(drawn, every_look=True), Told(library, bank))
    assert [one.stopped_at for one in fast] == [one.stopped_at for one in complete]
    assert true_ratio == 2.0 or any(one.stopped_at is not None for one in fast)


def test_a_stop_needs_the_breach_an_hour_before() -> None:
    library, bank = library_of(Task(BASE, 1.2, 0, 8, 5))
    random = np.random.default_rng(7)
    for trial in tried(Portfolio([campaign(random, BASE, 1.2) for _ in range(8)]), Told(library, bank)):
        if trial.stopped_at is not None:
            assert trial.below(trial.stopped_at)
            assert trial.below(trial.stopped_at - 1)


def one_with(at: list[float], value: list[float], reversed_at: list[float]) -> Campaign:
    """A campaign of two days with 10 touches an hour: 10,000 an hour is spent, the limit is 20,000 an hour."""
    count = len(at)
    return Campaign(
        scenario=replace(BASE, days=2),
        weekday=0,
        touches=np.full(48, 10),
        cost=np.full(48, 10_000.0),
        touch_hour=np.zeros(count, np.int64),
        lag=np.array(at),
        at=np.array(at),
        value=np.array(value),
        customer=np.arange(count),
        product=np.zeros(count, np.int64),
        reversed_at=np.array(reversed_at),
    )


def test_the_plain_rule_stops_once_the_minimum_cost_is_spent_and_the_ratio_is_below_for_an_hour() -> None:
    # 100,000 is spent with the tenth hour, and below since; the hour after it has held
    assert plain_stop(one_with([1.0], [1.0], [np.inf])) == 10


def test_the_plain_rule_sees_reversals_when_they_happen() -> None:
    assert plain_stop(one_with([1.0], [1e9], [np.inf])) is None
    assert plain_stop(one_with([1.0], [1e9], [30.5])) == 31


def test_the_same_task_gives_the_same_cell_and_another_number_another_portfolio() -> None:
    first, second = (done(Task(BASE, 1.2, number, 10, 3)) for number in (0, 1))
    again = done(Task(BASE, 1.2, 0, 10, 3))
    assert first == again
    assert first != second
    assert summary([first, second])["campaigns"] == 20


def test_cells_are_cut_into_portfolios() -> None:
    assert [task.campaigns for task in tasks_of(BASE, 2.0, 120)] == [50, 50, 20]


def test_a_mix_deals_every_ratio_its_share() -> None:
    ratios = [ratio for portfolio in dealt(BASE, 200) for ratio in portfolio]
    assert {ratio: ratios.count(ratio) for ratio in MIX} == {1.0: 10, 1.4: 20, 2.0: 40, 2.4: 70, 3.0: 60}


def test_the_false_share_counts_those_at_or_above_the_limit() -> None:
    found = shares([Ended(1.0, True, 1e-9), Ended(1.4, True, 1e-9), Ended(2.0, True, 1e-9), Ended(3.0, False, 0.9)])
    assert found["each"]["false_share"] == pytest.approx(33.33)
    assert found["each"]["1.4"] == 100
