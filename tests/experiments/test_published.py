"""Real experiments: the figures that were published of them, from the counts and moments that were published too.

* The National Supported Work programme: earnings in 1978 of those offered training and of the control (LaLonde 1986 in
  the sample of Dehejia & Wahba 1999: means, standard deviations); the estimate with its standard error and interval is
  in Athey & Imbens 2017, "The econometrics of randomized experiments", section 4: 1.79 thousand, 0.67, (0.48, 3.11).
* The Physicians' Health Study: heart attacks with aspirin and with placebo (preliminary report, N Engl J Med 1988,
  318:262-264); difference of proportions, standard error and interval in Agresti, "An introduction to categorical data
  analysis", section 2.2: 0.0077, 0.0015, (0.005, 0.011).
* A wrong sample ratio: 821,588 and 815,482 users in place of halves, p = 1.8e-6 (Kohavi, Tang & Xu
  2020, "Trustworthy online controlled experiments", chapter 21).
"""

from __future__ import annotations

import pytest

from pipeline.experiments.lifts import welch
from pipeline.experiments.moments import Moments
from pipeline.experiments.sample_ratio import planned_shares, sample_ratio


def of_mean(customers: int, mean: float, deviation: float) -> Moments:
    """Return sums, in cents, of a mean and a sample standard deviation."""
    total = round(customers * mean * 100)
    squares = round((customers - 1) * (deviation * 100) ** 2 + total**2 / customers)
    return Moments(customers, customers, total, squares)


def of_count(customers: int, converted: int) -> Moments:
    """Return sums of outcomes 0 and 1."""
    return Moments(customers, converted, converted, converted)


def test_the_training_programme_raised_earnings_by_as_much_as_was_published() -> None:
    treated, control = of_mean(185, 6_349.14, 7_867.40), of_mean(260, 4_554.80, 5_483.84)
    found = welch(treated, control)
    assert found.low is not None
    assert found.high is not None
    assert found.lift / 100_000 == pytest.approx(1.79, abs=0.005)
    assert found.low / 100_000 == pytest.approx(0.48, abs=0.01)
    assert found.high / 100_000 == pytest.approx(3.11, abs=0.01)
    half = (found.high - found.low) / 2
    assert half / 1.96 / 100_000 == pytest.approx(0.67, abs=0.01)


def test_aspirin_prevented_as_many_heart_attacks_as_was_published() -> None:
    found = welch(of_count(11_034, 189), of_count(11_037, 104))
    assert found.low is not None
    assert found.high is not None
    assert found.p_value is not None
    assert found.lift == pytest.approx(0.0077, abs=0.00005)
    assert (found.high - found.low) / 2 / 1.96 == pytest.approx(0.0015, abs=0.00005)
    assert (round(found.low, 3), round(found.high, 3)) == (0.005, 0.011)
    assert found.p_value < 1e-5


def test_the_sample_ratio_that_was_found_wrong_is_found_wrong() -> None:
    counts = {"control": 821_588, "treatment": 815_482}
    found = sample_ratio(counts, planned_shares(tuple(counts), None))
    assert found.p_value == pytest.approx(1.8e-6, rel=0.03)
    assert found.is_wrong
