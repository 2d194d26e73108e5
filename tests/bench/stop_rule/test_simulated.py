"""Simulated campaigns are what they claim to be, and the rule is shown what a plain count would show."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import fields, replace
from math import log

import numpy as np
import pytest

from bench.stop_rule.campaigns import NEVER, Campaign, campaign
from bench.stop_rule.looks import MINUTE_MS, rows_of, scaled, start_ms, together
from bench.stop_rule.peers import PRODUCT, bank_level, finished
from bench.stop_rule.scenario import COST_PER_TOUCH, Scenario
from bench.stop_rule.scenarios import SCENARIOS
from pipeline.alerts.statistics import HOUR_MS, POWERS

MIXED = Scenario(
    "mixed", days=9, touches_a_day=240, conversion=0.05, reversed_share=0.3, repeats=0.4, second_share=0.3,
    cost_delay_hours=24,
)  # fmt: skip
PLAIN = Scenario("plain", days=9, touches_a_day=240, conversion=0.05)


def drawn(scenario: Scenario, seed: int = 1) -> Campaign:
    return campaign(np.random.default_rng(seed), scenario, 2.0)


class Counted:
    """What a look sees, counted event by event."""

    def __init__(self, one: Campaign, hour: int) -> None:
        delay = one.scenario.cost_delay_hours
        self.totals: dict[int, float] = defaultdict(float)
        self.hour: dict[int, int] = {}
        self.product: dict[int, int] = {}
        self.arrivals: dict[int, int] = defaultdict(int)
        self.lags: dict[int, int] = defaultdict(int)
        self.reversed = 0
        for row in range(len(one.at)):
            touched = int(one.touch_hour[row])
            if one.at[row] >= hour + 1 or touched > hour - delay:
                continue
            customer = int(one.customer[row])
            self.hour.setdefault(customer, touched)
            self.product.setdefault(customer, int(one.product[row]))
            self.arrivals[hour - touched] += 1
            self.lags[min(int(one.lag[row]), one.scenario.window_hours - 1)] += 1
            gone = bool(one.reversed_at[row] < hour + 1)
            self.reversed += gone
            self.totals[customer] += 0 if gone else float(one.value[row])
        self.kept = {customer: total for customer, total in self.totals.items() if total > 0}

    def by_age(self, hour: int, columns: int) -> list[int]:
        ages = [0] * columns
        for customer in self.kept:
            if hour - self.hour[customer] < columns:
                ages[hour - self.hour[customer]] += 1
        return ages

    def power_sum(self, product: int, power: float, square: int) -> float:
        values = [total for customer, total in self.kept.items() if self.product[customer] == product]
        return sum((log(value) if power == 0 else value**power) ** square for value in values)


@pytest.mark.parametrize("scenario", [MIXED, replace(MIXED, cost_delay_hours=0), PLAIN])
def test_a_row_is_what_counting_every_event_gives(scenario: Scenario) -> None:
    one = drawn(scenario)
    looks = np.array([0, 20, 26, 100, 211, 215])
    rows = rows_of(one, looks, "c")
    columns = rows.cost.shape[1]
    for place, hour in enumerate(looks.tolist()):
        counted = Counted(one, hour)
        assert rows.converters[place].tolist() == counted.by_age(hour, columns)
        assert rows.arrivals[place].tolist() == [counted.arrivals[age] for age in range(columns)]
        assert rows.arrivals_older[place] == sum(count for age, count in counted.arrivals.items() if age >= columns)
        assert rows.lags[place].tolist() == [counted.lags[lag] for lag in range(scenario.window_hours)]
        assert rows.total[place] == sum(counted.totals.values())
        assert rows.largest[place] == max(counted.totals.values(), default=0)
        assert rows.reversed is not None
        assert rows.reversed[place] == counted.reversed
        assert rows.converters_all[place] == rows.product_converters[place].sum() == len(counted.kept)
        for product in range(rows.product_converters.shape[1]):
            for index, power in enumerate(POWERS):
                expected = [counted.power_sum(product, power, square) for square in (1, 2)]
                shown = [rows.sums[place, product, index], rows.squares[place, product, index]]
                assert shown == pytest.approx(expected, rel=1e-9, abs=1e-6)


def test_cost_stands_at_the_touches_it_pays_for_and_only_once_it_is_booked() -> None:
    one = drawn(MIXED)
    rows = rows_of(one, np.array([100, 215]))
    booked = one.touches[:77].sum()
    assert rows.cost[0].sum() + rows.cost_older[0] == rows.cost_total[0] == booked * COST_PER_TOUCH
    assert rows.cost[0, :24].sum() == 0
    assert rows.cost[0, 24] == one.touches[76] * COST_PER_TOUCH
    assert rows.touches[0].sum() + rows.touches_older[0] == one.touches[:101].sum()
    assert rows.booked_share[0] == booked / one.touches[:101].sum()
    assert rows.touches_older[1] == one.touches[: 216 - rows.touches.shape[1]].sum()


def test_instants_are_those_of_the_hour_s_last_minute_on_the_weekday_of_the_start() -> None:
    one = drawn(PLAIN)
    rows = rows_of(one, np.array([0, 30]))
    assert rows.as_of_ms.tolist() == [start_ms(one) + hours * HOUR_MS - MINUTE_MS for hours in (1, 31)]
    assert (rows.as_of_ms[0] // (24 * HOUR_MS) + 3) % 7 == one.weekday  # the epoch began on a Thursday
    assert rows.elapsed_hours.tolist() == [1.0, 31.0]
    assert rows.planned_hours.tolist() == [216.0, 216.0]


def test_rows_of_many_campaigns_stand_one_after_the_other() -> None:
    parts = [rows_of(drawn(PLAIN, seed), np.array([50, 60]), str(seed)) for seed in (1, 2)]
    both = together(parts)
    assert both.campaign_id == ("1", "1", "2", "2")
    assert both.total.tolist() == [*parts[0].total, *parts[1].total]
    assert len(both.products) == len(both) == 4


@pytest.mark.parametrize("scenario", [MIXED, PLAIN])
def test_rows_of_larger_values_are_those_of_a_campaign_with_larger_values(scenario: Scenario) -> None:
    one = drawn(scenario)
    looks = np.array([30, 215])
    found = scaled(rows_of(one, looks), 3.0)
    wanted = rows_of(replace(one, value=3 * one.value), looks)
    for field in fields(wanted):
        column = getattr(wanted, field.name)
        if isinstance(column, np.ndarray):
            np.testing.assert_allclose(getattr(found, field.name), column, rtol=1e-9, atol=1e-6, err_msg=field.name)


def test_a_finished_campaign_teaches_all_that_came() -> None:
    one = drawn(replace(MIXED, cost_delay_hours=0))
    taught = finished(one, "p")
    gone = one.reversed_at < NEVER
    assert taught.product == PRODUCT
    assert len(taught.lags) == len(one.at)
    assert len(taught.reversal_hours) == gone.sum()
    assert sum(values.sum() for values in taught.totals.values()) == one.value[~gone].sum()
    assert taught.converters.sum() == len(set(one.customer.tolist()))
    assert taught.touches.sum() == one.touches.sum()
    assert taught.settled_ratio == pytest.approx(one.value[~gone].sum() / one.touches.sum() / COST_PER_TOUCH)


@pytest.mark.parametrize("scenario", [one for one in SCENARIOS if one.family == "lognormal"], ids=lambda one: one.name)
def test_the_settled_ratio_is_the_true_one_on_average(scenario: Scenario) -> None:
    random = np.random.default_rng(4)
    small = replace(scenario, touches_a_day=min(scenario.touches_a_day, 600), sigma=min(scenario.sigma, 1.0))
    ratios = []
    for _ in range(150):
        one = campaign(random, small, 2.0)
        ratios.append(one.value[one.reversed_at == NEVER].sum() / one.touches.sum() / COST_PER_TOUCH)
    error = np.std(ratios) / np.sqrt(len(ratios))
    assert np.mean(ratios) == pytest.approx(2.0, abs=4 * error)
    assert (one.lag < small.window_hours).all()
    assert (one.lag >= 0).all()
    assert (np.diff(one.at) >= 0).all()


def test_vouchers_cost_when_they_are_redeemed() -> None:
    one = drawn(replace(PLAIN, voucher=0.5, touches_a_day=2400))
    own = one.touches.sum() * COST_PER_TOUCH / 2
    redeemed = (one.cost - one.touches * COST_PER_TOUCH / 2).cumsum()
    assert redeemed[23] < 0.02 * own
    # of 9 days' touches with a mean delay of 5 days: 1 - (1 - e^(-9/5))·5/9
    assert redeemed[-1] == pytest.approx(own * (1 - (1 - np.exp(-1.8)) / 1.8), rel=0.1)
    rows = rows_of(one, np.array([100, 215]))
    assert rows.cost_total.tolist() == pytest.approx(np.cumsum(one.cost)[[100, 215]].tolist())
    assert rows.booked_share.tolist() == [1.0, 1.0]


def test_bursts_leave_the_night_and_most_of_the_weekend_quiet() -> None:
    touches = drawn(replace(PLAIN, bursts=True, days=7, touches_a_day=2400)).touches.reshape(7, 24)
    assert touches.sum() == pytest.approx(7 * 2400, rel=0.01)
    assert np.flatnonzero(touches.sum(axis=0)).tolist() == [9, 10, 11, 19, 20, 21]
    assert sorted(touches.sum(axis=1))[1] < 0.11 * sorted(touches.sum(axis=1))[2]


def test_a_slow_cohort_and_values_by_lag_are_as_large_as_asked() -> None:
    few = replace(PLAIN, lag_hours=10, lag_differs=0.0, touches_a_day=24000)
    plain, slow = (drawn(replace(few, slow_share=share)).lag.mean() for share in (0.0, 0.5))
    assert slow == pytest.approx((plain + 40) / 2, rel=0.1)
    one = drawn(replace(few, value_by_lag=0.5))
    late = one.lag > np.median(one.lag)
    assert np.log(one.value[late]).mean() - np.log(one.value[~late]).mean() == pytest.approx(0.5 * 1.6, rel=0.1)


def test_the_bank_has_other_products_where_a_scenario_says_so() -> None:
    alone, others = (
        bank_level(np.random.default_rng(5), Scenario("bank", peers=0, bank=bank)) for bank in ((), (0.1, 0.1))
    )
    assert alone is not None
    assert others is not None
    assert others.mean_log == pytest.approx(alone.mean_log + 2 / 3 * log(0.1), abs=0.2)
    assert bank_level(np.random.default_rng(5), Scenario("bank", peers=1)) is None
