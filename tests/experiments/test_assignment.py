from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pipeline.errors import UserError
from pipeline.experiments.assignment import AssignmentPlan, bucket
from pipeline.experiments.sample_ratio import sample_ratio
from tests.experiments.samples import RANDOMLY

CUSTOMERS = [f"customer-{number}" for number in range(20_000)]
SHARES = {"control": 0.2, "A": 0.3, "B": 0.5}
BUCKET = 0.48839059493147513
FIRST_SIX = ["B", "B", "control", "A", "B", "A"]


def test_the_answer_for_a_customer_never_changes() -> None:
    """Senders may compute it on their own: these are SHA-256 of salt, zero byte and id, as shares of 2^64."""
    plan = AssignmentPlan("spring-2026", SHARES)
    assert bucket("spring-2026", "customer-1") == pytest.approx(BUCKET, abs=1e-12)
    assert [plan.variant_of(customer) for customer in CUSTOMERS[:6]] == FIRST_SIX
    assert AssignmentPlan("spring-2026", dict(reversed(SHARES.items()))).variant_of("customer-1") == FIRST_SIX[1]


@RANDOMLY
@given(st.text(min_size=1, max_size=64), st.text(max_size=20))
def test_a_bucket_is_a_share(customer: str, salt: str) -> None:
    assert 0 <= bucket(salt, customer) < 1


def test_buckets_are_uniform() -> None:
    for salt in ("spring", "summer", ""):
        assert stats.kstest([bucket(salt, customer) for customer in CUSTOMERS], "uniform").pvalue > 0.001


def test_shares_are_kept() -> None:
    for campaign in ("spring", "summer", "autumn"):
        plan = AssignmentPlan(campaign, SHARES, standing_share=0.05)
        counts: dict[str, int] = dict.fromkeys(SHARES, 0)
        for customer in CUSTOMERS:
            counts[plan.variant_of(customer)] += 1
        assert not sample_ratio(counts, SHARES).is_wrong


@pytest.mark.parametrize(("left", "right"), [("spring", "summer"), ("c1", "c2"), ("a", "b")])
def test_campaigns_are_independent(left: str, right: str) -> None:
    plans = AssignmentPlan(left, SHARES), AssignmentPlan(right, SHARES)
    pairs = [(plans[0].variant_of(customer), plans[1].variant_of(customer)) for customer in CUSTOMERS]
    table = [[pairs.count((one, other)) for other in SHARES] for one in SHARES]
    assert stats.chi2_contingency(table).pvalue > 0.001


def test_the_standing_control_is_in_the_control_of_every_campaign() -> None:
    plans = [AssignmentPlan(name, SHARES, standing_share=0.1) for name in ("spring", "summer")]
    standing = [customer for customer in CUSTOMERS if plans[0].is_standing(customer)]
    assert len(standing) == pytest.approx(2000, abs=200)
    assert all(plan.variant_of(customer) == "control" for plan, customer in product(plans, standing))
    others = [customer for customer in CUSTOMERS if not plans[0].is_standing(customer)]
    table = [[sum(plan.variant_of(customer) == name for customer in others) for name in SHARES] for plan in plans]
    assert stats.chi2_contingency(table).pvalue > 0.001


def test_another_salt_assigns_anew() -> None:
    first, second = AssignmentPlan("c", SHARES), AssignmentPlan("c", SHARES, salt="c-second")
    assert any(first.variant_of(customer) != second.variant_of(customer) for customer in CUSTOMERS[:50])


def test_only_proportions_count() -> None:
    weights = {name: 1000 * share for name, share in SHARES.items()}
    assert [AssignmentPlan("c", weights).variant_of(customer) for customer in CUSTOMERS[:500]] == [
        AssignmentPlan("c", SHARES).variant_of(customer) for customer in CUSTOMERS[:500]
    ]


@pytest.mark.parametrize(
    "shares",
    [{}, {"A": 1.0}, {"A": 1.0, "control": 0.0}, {"A": 1.0, "control": -1.0}, {"A": 1, "control": float("inf")}],
)
def test_shares_that_assign_nothing_are_refused(shares: dict[str, float]) -> None:
    with pytest.raises(UserError, match="two variants"):
        AssignmentPlan("c", shares)


@pytest.mark.parametrize("shares", [{"control": 0.04, "A": 0.96}, {"A": 0.5, "B": 0.5}])
def test_a_control_smaller_than_the_standing_group_is_refused(shares: dict[str, float]) -> None:
    with pytest.raises(UserError, match="standing control group"):
        AssignmentPlan("c", shares, standing_share=0.05)
