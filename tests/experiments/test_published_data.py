"""Real experiments, from the row of every person: the figures that were published of them.

The data are those of the package `causaldata` (MIT), which accompanies Huntington-Klein's "The effect" and Cunningham's
"Causal inference: the mixtape" (2021).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from scipy import stats
from statsmodels.regression.linear_model import OLS

from pipeline.experiments.lifts import cuped, welch
from tests.experiments.samples import moments_of

if TYPE_CHECKING:
    from pipeline.experiments.moments import Moments

causaldata = pytest.importorskip(
    "causaldata", reason="PUBLISHED EXPERIMENTS NOT TESTED: pip install -r requirements/examples.lock"
)


def arm(people: Any, column: str, before: str | None = None) -> Moments:
    """Return the sums of a column in cents, and of another before the assignment."""
    earlier = None if before is None else [round(value * 100) for value in people[before].tolist()]
    return moments_of([round(value * 100) for value in people[column].tolist()], earlier)


@pytest.fixture(scope="module")
def trained() -> Any:
    """Dehejia & Wahba's sample of the National Supported Work programme: earnings before and after."""
    return causaldata.nsw_mixtape.load_pandas().data


def test_training_raised_earnings_by_1794_dollars(trained: Any) -> None:
    # Dehejia & Wahba 1999, table 1 (185 and 260 people) and the difference of means 1,794 (their benchmark estimate)
    treated, control = (arm(trained[trained.treat == group], "re78") for group in (1, 0))
    assert (treated.customers, control.customers) == (185, 260)
    found = welch(treated, control)
    assert found.lift / 100 == pytest.approx(1_794, abs=0.5)
    again = stats.ttest_ind(trained[trained.treat == 1].re78, trained[trained.treat == 0].re78, equal_var=False)
    assert found.p_value == pytest.approx(again.pvalue, rel=1e-4)
    interval = again.confidence_interval()
    assert found.low == pytest.approx(interval.low * 100, rel=1e-4)
    assert found.high == pytest.approx(interval.high * 100, rel=1e-4)


def test_earnings_before_explain_as_much_as_a_regression_says(trained: Any) -> None:
    treated, control = (arm(trained[trained.treat == group], "re78", "re75") for group in (1, 0))
    found = cuped(treated, control)
    assert found is not None
    regression = OLS(trained.re78, trained[["treat", "re75"]].assign(one=1.0)).fit(cov_type="HC2", use_t=True)
    assert found.lift.lift / 100 == pytest.approx(regression.params["treat"], rel=0.01)
    assert found.lift.p_value == pytest.approx(regression.pvalues["treat"], rel=0.05)


def test_a_reward_brought_45_of_100_more_to_learn_their_result() -> None:
    # Thornton 2008, in Cunningham's chapter 4: 0.45 of people offered any money more came for the result of a test
    people = causaldata.thornton_hiv.load_pandas().data.dropna(subset=["got", "any"])
    offered, control = (arm(people[people["any"] == group], "got") for group in (1, 0))
    assert (offered.customers, control.customers) == (2_211, 623)
    assert welch(offered, control).lift / 100 == pytest.approx(0.45, abs=0.001)
