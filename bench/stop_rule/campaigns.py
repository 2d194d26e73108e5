"""Simulated campaigns: hours with touches, and the conversions that follow, in customers, values and reversals.

The expected settled ratio of a campaign is exactly the true ratio it was asked for, whatever its hours are like (random
day effects apart, which are chance as conversions are): that is what a verdict is held against.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import exp
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

import numpy as np

from bench.stop_rule.draws import lags_at, late_lags, lognormal, unit_values
from bench.stop_rule.scenario import COST_PER_TOUCH

if TYPE_CHECKING:
    from bench.stop_rule.scenario import Scenario
    from pipeline.alerts.statistics import Floats, Integers

WEEKDAYS: Final = np.array([1.0, 1.1, 1.15, 1.15, 1.1, 0.8, 0.7])
"""Conversion rate by weekday, Monday first, at a swing of 0.3; mean 1."""
PRODUCTS: Final = ("card", "loan")
NEVER: Final = float("inf")
PEER_DAYS: Final = 14
_SEASON_HOURS: Final = 28 * 24
_DAYLIGHT: Final = (8, 22)
_SECOND_SIZE: Final = 5.0
_REPEAT_HOURS: Final = 12.0
_SLOW: Final = 4.0
_BURSTS: Final = (9, 10, 11, 19, 20, 21)
_QUIET: Final = 0.1
_REDEEMED: Final = 0.1
_REDEEMED_HOURS: Final = 120.0
_QUANTILE: Final = NormalDist().inv_cdf


@dataclass(frozen=True, slots=True)
class Hours:
    """By hour of a campaign: touches, and what its conversions' rate, value and lag are relative to the mean."""

    touches: Integers
    rate: Floats
    value: Floats
    lag: Floats
    second: Floats
    weekday: int


@dataclass(frozen=True, slots=True, eq=False)
class Campaign:
    """One campaign with all that will ever happen to it; times in hours since its first hour began.

    Attributes:
        scenario: what it is like.
        weekday: of its first day, Monday 0.
        touches: (H,) by hour.
        cost: (H,) minor units, by the hour that they are taken to pay for.
        touch_hour: (n,) hour of the touch that a conversion is credited to; conversions in the order of time.
        lag: (n,) hours from touch to conversion.
        at: (n,) when it converted.
        value: (n,) minor units, whole.
        customer: (n,) numbers from 0.
        product: (n,) index into PRODUCTS.
        reversed_at: (n,) infinite where it never is.
    """

    scenario: Scenario
    weekday: int
    touches: Integers
    cost: Floats
    touch_hour: Integers
    lag: Floats
    at: Floats
    value: Floats
    customer: Integers
    product: Integers
    reversed_at: Floats


def campaign(random: np.random.Generator, scenario: Scenario, true_ratio: float) -> Campaign:
    """Draw a campaign whose expected settled ratio is ``true_ratio``."""
    mean_lag = scenario.lag_hours * exp(scenario.lag_differs * random.standard_normal()) * scenario.lag_factor
    rate = min(0.5, scenario.conversion * exp(scenario.conversion_differs * random.standard_normal()))
    if scenario.by_count:
        rate = min(0.5, rate * true_ratio / 2.0)
    hours = _hours(random, scenario)
    converted = random.binomial(hours.touches, np.clip(rate * hours.rate, 0, 1))
    touch_hour = np.repeat(np.arange(scenario.hours), converted)
    product = (random.random(len(touch_hour)) < hours.second[touch_hour]).astype(np.int64)
    mean_value = COST_PER_TOUCH * true_ratio / rate / (1 - scenario.reversed_share)
    value = mean_value * hours.value[touch_hour] * _values(random, scenario, product)
    mean_lags = mean_lag * hours.lag[touch_hour]
    if scenario.slow_share:
        own = scenario.slow_share if scenario.own_slow_share is None else scenario.own_slow_share
        mean_lags = mean_lags * np.where(random.random(len(touch_hour)) < own, _SLOW, 1.0)
    late = random.random(len(touch_hour))
    lags = lags_at(late, mean_lags, scenario.lag_shape, scenario.window_hours)
    if scenario.value_by_lag:
        normal = np.array([_QUANTILE(min(max(one, 1e-12), 1 - 1e-12)) for one in late.tolist()])
        value = value * np.exp(scenario.value_by_lag * normal - scenario.value_by_lag**2 / 2)
    lags = late_lags(random, lags, scenario.late_share, scenario.window_hours)
    within = random.random(len(touch_hour))
    if scenario.daylight:
        lags = _until_daylight(touch_hour + within, lags, scenario.window_hours)
    customer = np.arange(len(touch_hour))
    drawn = _Conversions(touch_hour, within, lags, value, customer, product)
    if scenario.repeats:
        drawn = _with_repeats(random, drawn, scenario, mean_lag)
    return _ordered(random, scenario, hours, drawn)


def peer(random: np.random.Generator, scenario: Scenario) -> Campaign:
    """Draw a finished campaign of the same product: 14 steady days, a ratio around 2.2, 30 to 400 conversions."""
    expected = PEER_DAYS * scenario.touches_a_day * scenario.conversion
    volume = scenario.touches_a_day * max(1.0, 30 / expected) * min(1.0, 400 / expected)
    reversed_share = scenario.peer_reversed_share
    steady = replace(
        scenario,
        days=PEER_DAYS,
        touches_a_day=max(24.0, volume) * scenario.peer_volume,
        wakes=0.0,
        trend=0.0,
        value_trend=0.0,
        season=0.0,
        lag_factor=1.0,
        slowing=1.0,
        own_sigma=None,
        own_second_share=None,
        end_second_share=None,
        pause=None,
        holiday=None,
        own_slow_share=None,
        late_share=scenario.peer_late_share,
        reversed_share=scenario.reversed_share if reversed_share is None else reversed_share,
        window_hours=scenario.peer_window_hours or scenario.window_hours,
    )
    return campaign(random, steady, 2.2 * exp(0.35 * random.standard_normal()))


@dataclass(frozen=True, slots=True)
class _Conversions:
    touch_hour: Integers
    within: Floats
    lag: Floats
    value: Floats
    customer: Integers
    product: Integers


def _hours(random: np.random.Generator, scenario: Scenario) -> Hours:
    count = scenario.hours
    hour = np.arange(count)
    weekday = int(random.integers(7))
    volume = np.full(count, scenario.touches_a_day / 24)
    volume *= scenario.fading_volume ** (hour / max(count - 1, 1))
    rate = np.ones(count)
    if scenario.weekday_swing:
        day = WEEKDAYS[(hour // 24 + weekday) % 7] - 1
        volume *= 1 + 0.5 * day
        rate *= 1 + scenario.weekday_swing * day / 0.3
    if scenario.daylight:
        volume *= ((hour % 24 >= _DAYLIGHT[0]) & (hour % 24 < _DAYLIGHT[1])) * 24 / (_DAYLIGHT[1] - _DAYLIGHT[0])
    if scenario.bursts:
        volume *= np.isin(hour % 24, _BURSTS) * 24 / len(_BURSTS)
        volume *= np.where((hour // 24 + weekday) % 7 >= 5, _QUIET, 1.0) * 7 / (5 + 2 * _QUIET)
    if scenario.pause:
        volume[24 * (scenario.pause[0] - 1) : 24 * scenario.pause[1]] = 0
    touches = np.floor(volume + random.random(count)).astype(np.int64)
    if not touches.any():
        touches[0] = 1
    if scenario.wakes:
        rate *= np.where(hour < 24 * scenario.wakes_on_day, 1 - scenario.wakes, _after_waking(scenario))
    middle = 2 * hour / max(count - 1, 1) - 1
    if scenario.holiday:
        rate[24 * (scenario.holiday[0] - 1) : 24 * scenario.holiday[1]] = _QUIET
    rate *= 1 + scenario.trend * middle
    rate *= 1 - scenario.season * np.cos(2 * np.pi * hour / _SEASON_HOURS)
    value = 1 + scenario.value_trend * middle
    second = _second_share(random, scenario, (middle + 1) / 2)
    value = value * touches.sum() / (touches * rate * value * (1 + (_SECOND_SIZE - 1) * second)).sum()
    if scenario.day_scatter:
        variance = scenario.day_scatter**2
        rate = rate * np.repeat(random.gamma(1 / variance, variance, scenario.days), 24)
    lag = scenario.slowing ** ((middle + 1) / 2)
    return Hours(touches, rate, value, lag, second, weekday)


def _after_waking(scenario: Scenario) -> float:
    asleep = 24 * scenario.wakes_on_day
    return 1 + scenario.wakes * asleep / (scenario.hours - asleep)


def _second_share(random: np.random.Generator, scenario: Scenario, part: Floats) -> Floats:
    if not scenario.second_share:
        return np.zeros(len(part))
    start = scenario.own_second_share or scenario.second_share
    end = scenario.end_second_share or start
    share = start + (end - start) * part
    odds = share / (1 - share) * exp(0.6 * random.standard_normal())
    return odds / (1 + odds)


def _values(random: np.random.Generator, scenario: Scenario, product: Integers) -> Floats:
    count = len(product)
    if scenario.second_share:
        second = _SECOND_SIZE * lognormal(random, count, 1.3)
        return np.where(product == 1, second, lognormal(random, count, 0.7))
    if scenario.own_sigma is not None:
        return lognormal(random, count, scenario.own_sigma)
    return unit_values(random, count, scenario.family, scenario.sigma)


def _until_daylight(touched: Floats, lags: Floats, window_hours: float) -> Floats:
    """Put off what would convert at night to the morning, within the window."""
    hour = (touched + lags) % 24
    wait = np.where(hour < _DAYLIGHT[0], _DAYLIGHT[0] - hour, np.where(hour >= _DAYLIGHT[1], 24 - hour + 8, 0))
    return np.minimum(lags + wait, window_hours - 1e-6)


def _with_repeats(
    random: np.random.Generator, first: _Conversions, scenario: Scenario, mean_lag: float
) -> _Conversions:
    """Add further conversions of the same customers; what would come after the window never counts."""
    chance = scenario.repeats
    further = np.repeat(np.arange(len(first.lag)), random.geometric(1 - chance, len(first.lag)) - 1)
    lag = first.lag[further] + random.exponential(_REPEAT_HOURS, len(further))
    inside = lag < scenario.window_hours
    value = first.value[further] * lognormal(random, len(further), 0.5)
    grid = lags_at((np.arange(400) + 0.5) / 400, mean_lag, scenario.lag_shape, scenario.window_hours)
    kept = float(-np.expm1(-(scenario.window_hours - grid) / _REPEAT_HOURS).mean())
    scale = 1 / (1 + chance / (1 - chance) * kept)
    again = further[inside]
    return _Conversions(
        np.concatenate([first.touch_hour, first.touch_hour[again]]),
        np.concatenate([first.within, first.within[again]]),
        np.concatenate([first.lag, lag[inside]]),
        np.concatenate([first.value, value[inside]]) * scale,
        np.concatenate([first.customer, first.customer[again]]),
        np.concatenate([first.product, first.product[again]]),
    )


def _ordered(random: np.random.Generator, scenario: Scenario, hours: Hours, drawn: _Conversions) -> Campaign:
    at = drawn.touch_hour + drawn.within + drawn.lag
    order = np.argsort(at, kind="stable")
    at = at[order]
    reversed_at = np.full(len(at), NEVER)
    if scenario.reversed_share:
        taken_back = random.random(len(at)) < scenario.reversed_share
        least = scenario.reversal_least_hours
        wait = least + random.exponential(scenario.reversal_hours - least, len(at))
        reversed_at = np.where(taken_back, at + wait, NEVER)
    return Campaign(
        scenario=scenario,
        weekday=hours.weekday,
        touches=hours.touches,
        cost=_cost(random, scenario, hours.touches),
        touch_hour=drawn.touch_hour[order],
        lag=drawn.lag[order],
        at=at,
        value=np.maximum(np.rint(drawn.value[order]), 1.0),
        customer=drawn.customer[order],
        product=drawn.product[order],
        reversed_at=reversed_at,
    )


def _cost(random: np.random.Generator, scenario: Scenario, touches: Integers) -> Floats:
    """Return the cost by hour: of touches, and of vouchers in the hour of their redemption, as far as the plan goes."""
    if not scenario.voucher:
        return np.asarray(touches * COST_PER_TOUCH, dtype=np.float64)
    redeemed = np.repeat(np.arange(len(touches)), random.binomial(touches, _REDEEMED))
    at = (redeemed + random.exponential(_REDEEMED_HOURS, len(redeemed))).astype(np.int64)
    vouchers = np.bincount(at[at < len(touches)], minlength=len(touches)) / _REDEEMED
    return np.asarray(COST_PER_TOUCH * ((1 - scenario.voucher) * touches + scenario.voucher * vouchers))
