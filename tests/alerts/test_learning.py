from __future__ import annotations

from dataclasses import replace
from math import exp, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.alerts.lag import bin_count, generic_curves, pooled_curve, spread_of_lags, stretched_curves
from pipeline.alerts.learning import PeerLibrary, generic_library, learn
from pipeline.alerts.reversals import arrived_and_reversed, median_hours, reversal_bins
from pipeline.alerts.statistics import column_hours
from pipeline.alerts.values import COLD_SHAPE, shape_of
from pipeline.alerts.weekdays import swing_of
from tests.alerts.campaigns import WINDOW, draw, finish, library, peers
from tests.support.depth import depth

WINDOWS = st.one_of(st.just(1.0), st.floats(0.01, 900_000.0))


def test_columns_are_hours_up_to_sixty_days_and_never_more_than_1440_a_window() -> None:
    assert [column_hours(hours) for hours in (0.5, 168, 1440, 1441, 2880.5)] == [1, 1, 1, 2, 3]
    assert 876_000 / column_hours(876_000) <= 1440


@settings(max_examples=depth(60), deadline=None)
@given(window=WINDOWS)
def test_every_curve_climbs_from_nothing_to_all_at_the_end_of_any_window(window: float) -> None:
    lags = np.random.default_rng(1).exponential(window / 5, 300)
    lags = lags[lags <= window]
    for curves in (generic_curves(window), stretched_curves(pooled_curve(lags, window), 0.3, window)):
        assert np.all(np.diff(curves.shares, axis=1) > 0)
        assert curves.shares[:, 0].tolist() == [0.0] * len(curves.shares)
        assert curves.at(np.array([window])) == pytest.approx(1.0, abs=2e-2)
        assert curves.prior.sum() == pytest.approx(1.0)
    assert bin_count(window) <= 1440


def test_the_pooled_curve_of_a_worked_example() -> None:
    """All conversions in hour 2 of a week: 0.998 of them are in there, before and after only what is spread evenly."""
    curve = pooled_curve(np.full(10, 2.5), WINDOW)
    even = 0.002 / 168
    # hours 6 and later are smoothed, the first six are as they came
    assert curve[2] == pytest.approx(2 * even / 1.002, rel=1e-3)
    assert curve[3] == pytest.approx((1 + 3 * even) / 1.002, rel=1e-3)
    assert curve[-1] == pytest.approx(1.0)


def test_lags_of_few_campaigns_are_taken_to_differ() -> None:
    same = [np.full(50, 24.0)] * 9
    assert [spread_of_lags(same[:count]) for count in (1, 2, 3, 7)] == [0.35, 0.35, 0.3, 0.3]
    assert spread_of_lags(same) == pytest.approx(0.1)
    other = [np.full(50, 24.0 * factor) for factor in (0.5, 1, 2, 0.5, 1, 2, 0.5, 1, 2)]
    assert spread_of_lags(other) == pytest.approx(0.6)


def test_what_is_reversed_is_missing_from_the_final_return_in_time() -> None:
    """A fifth is reversed exactly 48 to 49 hours after: until then (1 - 0)/(1 - .2) of F stand in the count, then F."""
    curves = generic_curves(WINDOW)
    kernel = reversal_bins(np.full(7, 48.5), 1.0)
    arrived, gone = arrived_and_reversed(curves, kernel)
    net = (arrived - 0.2 * gone) / 0.8
    assert net[:, 40] == pytest.approx(curves.shares[:, 40] / 0.8)
    assert net[:, 100] == pytest.approx((curves.shares[:, 100] - 0.2 * curves.shares[:, 52]) / 0.8)
    assert net[:, -1] == pytest.approx(1.0)
    assert median_hours(kernel, 1.0) == 49


def test_the_distance_between_mean_and_median_of_lognormal_values_is_half_their_variance() -> None:
    random = np.random.default_rng(5)
    totals = [np.exp(level + 0.8 * random.standard_normal(400)) for level in (3, 4, 5, 6, 7)]
    shape = shape_of(totals)
    assert shape is not None
    assert shape.log_variance == pytest.approx(0.64, rel=0.08)
    assert shape.distance[0] == pytest.approx(0.32, rel=0.1)
    assert shape.distance[3] == pytest.approx(0.0, abs=1e-9)
    assert shape.kurtosis == pytest.approx(3.0, abs=0.4)
    assert shape.power in {0, 1}
    assert not shape.heavy


def test_light_tails_are_judged_by_their_mean_and_heavy_ones_are_flagged() -> None:
    random = np.random.default_rng(6)
    light = shape_of([random.gamma(0.5, 2.0, 300) for _ in range(8)])
    heavy = shape_of([random.pareto(1.3, 400) + 1 for _ in range(20)])
    assert light is not None
    assert heavy is not None
    assert light.power == 3
    assert heavy.heavy


def test_values_that_are_all_alike_have_a_shape_all_the_same() -> None:
    shape = shape_of([np.full(20, 500.0)] * 3)
    assert shape is not None
    assert all(np.isfinite([*shape.noise, *shape.distance, *shape.error, shape.kurtosis, shape.shape_spread]))
    assert min(shape.noise) > 0


def test_a_weekly_swing_is_seen_where_it_is_and_only_there() -> None:
    weekly = np.array([1.3, 1.3, 1.3, 1.3, 1.3, 0.4, 0.1])
    touches = np.full(28, 1000.0)
    converters = np.round(40 * np.tile(weekly, 4))
    one = replace(peers(1)[0], first_weekday=0, touches=touches, converters=converters)
    swing = swing_of([one, one])
    assert swing.profile == pytest.approx(weekly * 280 / converters[:7].sum(), rel=0.03)
    assert swing.dispersion == 1.0
    flat = swing_of(peers(6))
    assert flat.profile.tolist() == [1.0] * 7


def test_last_days_without_a_converter_may_be_missing() -> None:
    whole = replace(peers(1)[0], converters=np.array([9.0, 8.0, 12.0] + [0.0] * 11))
    assert swing_of([replace(whole, converters=whole.converters[:3])]).dispersion == swing_of([whole]).dispersion > 1


def test_days_that_scatter_are_dispersed() -> None:
    random = np.random.default_rng(2)
    converters = np.repeat(np.array([5.0, 80.0, 10.0, 60.0]), 7)
    random.shuffle(converters)
    one = replace(peers(1)[0], touches=np.full(28, 1000.0), converters=converters)
    assert swing_of([one]).dispersion > 5


def test_few_peers_keep_wide_defaults_and_none_teach_nothing() -> None:
    two = library(2)
    assert (two.campaigns, two.level_spread, two.lag_spread) == (2, 0.6, 0.35)
    assert learn([], "savings", WINDOW).to_json() == generic_library("savings", WINDOW).to_json()
    assert learn(peers(3), "another", WINDOW).campaigns == 0
    assert generic_library("savings", WINDOW).shape is COLD_SHAPE


def test_a_campaign_with_seven_conversions_teaches_nothing() -> None:
    small = replace(peers(1)[0], lags=np.arange(7.0))
    assert learn([small], "savings", WINDOW).campaigns == 0


def test_a_library_survives_its_json_and_does_not_depend_on_the_order_of_its_peers() -> None:
    finished = peers(6, reversals=0.1)
    first = learn(finished, "savings", WINDOW)
    assert PeerLibrary.from_json(first.to_json()) == first
    assert hash(PeerLibrary.from_json(first.to_json())) == hash(first)
    assert learn(finished[::-1], "savings", WINDOW).to_json() == first.to_json()
    assert first.reversed_share == pytest.approx(0.1, abs=0.03)
    assert first.half_reversed_hours == pytest.approx(24 + 72 * log(2), rel=0.25)
    assert exp(first.level or 0) == pytest.approx(100 * 2.2 / 0.02 / 0.9, rel=0.5)


def test_products_are_told_apart_by_what_their_customers_are_worth() -> None:
    both = [
        replace(one, totals={"card": one.totals["a"], "loan": 9 * one.totals["a"][::3]}) for one in peers(5, seed=3)
    ]
    learnt = learn(both, "savings", WINDOW).products
    assert set(learnt) == {"card", "loan"}
    assert learnt["card"].level == 0.0
    assert learnt["loan"].level == pytest.approx(log(9), abs=0.2)
    assert PeerLibrary.from_json(learn(both, "savings", WINDOW).to_json()).products == learnt


@settings(max_examples=depth(30), deadline=None)
@given(window=WINDOWS, scale=st.floats(1e-3, 1e12))
def test_hostile_peers_make_a_library_of_finite_numbers(window: float, scale: float) -> None:
    plain = finish(draw(1, 2.0, a_day=240.0), "one")
    odd = replace(plain, campaign_id="two", lags=np.zeros(50), touches=np.zeros(3), converters=np.zeros(3))
    far = replace(plain, campaign_id="three", lags=np.full(9, window), reversal_hours=np.full(9, 1e9))
    scaled = replace(plain, campaign_id="four", totals={"a": np.full(30, scale), "b": np.array([1.0, scale])})
    found = learn([plain, odd, far, scaled], "savings", window)
    assert "NaN" not in found.to_json()
    assert np.all(np.isfinite(found.arrived_and_reversed[0]))
    assert np.all(np.isfinite(found.arrived_and_reversed[1]))
