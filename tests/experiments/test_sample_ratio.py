from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pipeline.experiments.sample_ratio import CONCENTRATION, planned_shares, sample_ratio
from tests.experiments.samples import RANDOMLY


@RANDOMLY
@given(st.lists(st.tuples(st.integers(0, 10**6), st.floats(0.01, 1)), min_size=2, max_size=5))
def test_the_fixed_check_is_the_chi_square_of_scipy(arms: list[tuple[int, float]]) -> None:
    counts = {f"v{place}": count for place, (count, _) in enumerate(arms)}
    planned = planned_shares(counts, {f"v{place}": share for place, (_, share) in enumerate(arms)})
    found = sample_ratio(counts, planned)
    total = sum(counts.values())
    if not total:
        assert found.p_value is None
        return
    expected = [planned[name] * total for name in counts]
    assert found.p_value == pytest.approx(stats.chisquare(list(counts.values()), expected).pvalue, rel=1e-6, abs=1e-300)


def test_the_sequential_check_is_the_odds_of_two_multinomials() -> None:
    counts, planned = {"a": 30, "b": 14}, {"a": 0.5, "b": 0.5}
    mixture = stats.dirichlet_multinomial([CONCENTRATION / 2] * 2, 44).pmf([30, 14])
    by_plan = stats.multinomial(44, [0.5, 0.5]).pmf([30, 14])
    assert sample_ratio(counts, planned).sequential_p == pytest.approx(min(1.0, by_plan / mixture))
    assert sample_ratio({"a": 300, "b": 140}, planned).sequential_p == pytest.approx(
        stats.multinomial(440, [0.5, 0.5]).pmf([300, 140])
        / stats.dirichlet_multinomial([CONCENTRATION / 2] * 2, 440).pmf([300, 140])
    )


def test_a_published_mismatch_is_found() -> None:
    # Fabijan et al. 2019, "Diagnosing sample ratio mismatch": 821,588 and 815,482 of a 50/50 split, p = 1.8e-6
    found = sample_ratio({"control": 821_588, "treatment": 815_482}, planned_shares(("control", "treatment"), None))
    assert found.p_value == pytest.approx(1.8e-6, abs=0.05e-6)
    assert found.is_wrong


def test_looking_every_day_at_a_fair_split_finds_no_mismatch() -> None:
    generator = np.random.default_rng(3)
    planned, wrong, often = {"a": 0.2, "b": 0.8}, 0, 0
    for _ in range(400):
        left = np.cumsum(generator.binomial(100, 0.2, 60))
        looks = [sample_ratio({"a": int(a), "b": 100 * (day + 1) - int(a)}, planned) for day, a in enumerate(left)]
        wrong += any(look.sequential_p < 0.05 for look in looks)
        often += any(look.p_value is not None and look.p_value < 0.05 for look in looks)
    assert wrong <= 400 * 0.05
    assert often > 400 * 0.15, "the fixed check is not made for this"


def test_shares_are_equal_where_the_definition_says_nothing() -> None:
    assert planned_shares(("b", "a"), None) == {"a": 0.5, "b": 0.5}
    assert planned_shares(("a",), {"a": 3, "b": 1}) == {"a": 0.75, "b": 0.25}


def test_a_variant_that_was_planned_for_nobody_is_a_mismatch() -> None:
    found = sample_ratio({"a": 50, "b": 50, "typo": 1}, planned_shares(("a", "b", "typo"), {"a": 1, "b": 1}))
    assert found.p_value == found.sequential_p == 0.0
    assert found.is_wrong


def test_a_planned_variant_without_anybody_is_a_mismatch() -> None:
    found = sample_ratio({"a": 200}, {"a": 0.5, "b": 0.5})
    assert found.is_wrong
    assert found.sequential_p < 1e-9


def test_nobody_at_all_is_no_mismatch() -> None:
    found = sample_ratio({}, {"a": 0.5, "b": 0.5})
    assert not found.is_wrong
    assert math.isclose(found.sequential_p, 1.0)
