from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.alerts.advice import Segment, advice, ratio_without
from pipeline.alerts.false_stops import benjamini_hochberg, expected_false_share, false_stops, holm
from pipeline.alerts.rule import AlertRule
from pipeline.alerts.verdict import Band, Verdict
from tests.alerts.building import AT_ONCE, HOUR, T0, look, verdict
from tests.alerts.test_evaluator import FIRES, GOOD, Office
from tests.support.depth import depth

RULE = AlertRule()
P_VALUES = st.lists(st.floats(0, 1), max_size=30)


def band(value: float, error: float) -> Band:
    return Band(value * math.exp(-1.96 * error), value, value * math.exp(1.96 * error))


def test_benjamini_hochberg_of_a_worked_example() -> None:
    """Of 5 at 5 %: .009 ≤ .01, .018 ≤ .02, .029 ≤ .03; .041 > .04, but .05 ≤ .05 takes all that are smaller along."""
    assert benjamini_hochberg(np.array([0.009, 0.018, 0.029, 0.041, 0.06]), 0.05).tolist() == [True] * 3 + [False] * 2
    assert benjamini_hochberg(np.array([0.009, 0.018, 0.029, 0.041, 0.05]), 0.05).all()


def test_holm_of_a_worked_example() -> None:
    """Of 4 at 5 %: .01 ≤ .0125, .016 ≤ .0167, .04 > .025, and there it ends."""
    assert holm(np.array([0.04, 0.01, 0.016, 0.045]), 0.05).tolist() == [False, True, True, False]


@settings(max_examples=depth(200))
@given(P_VALUES, st.floats(0.001, 0.999))
@example([0.0, 0.0, 0.7987], 0.7987)
def test_corrections_reject_the_smallest_and_holm_never_more_than_benjamini_hochberg(
    values: list[float], level: float
) -> None:
    p_values = np.array(values)
    for rejected in (benjamini_hochberg(p_values, level), holm(p_values, level)):
        assert not rejected.any() or p_values[rejected].max() <= p_values[~rejected].min(initial=1.0)
    assert holm(p_values, level).sum() <= benjamini_hochberg(p_values, level).sum()


def test_a_good_portfolio_makes_the_same_alert_less_credible() -> None:
    alert = verdict("below", forecast=band(1.6, 0.12), campaign_id="alert")
    good = [verdict("undecided", forecast=band(2.6, 0.12), campaign_id=f"g{place}") for place in range(30)]
    bad = [verdict("undecided", forecast=band(1.2, 0.12), campaign_id=f"b{place}") for place in range(30)]
    shares = [expected_false_share([alert, *others], [RULE] * 31) for others in (good, bad)]
    assert 0.05 < shares[0] < 1
    assert shares[1] < 0.03


def test_a_limit_near_nothing_leaves_the_others_share_as_it_is() -> None:
    verdicts = [verdict("below", forecast=band(1.6, 0.12), campaign_id=f"c{place}") for place in range(30)]
    odd = [verdict("above", forecast=band(1e11, 0.12), campaign_id=name) for name in ("least", "subnormal")]
    limits = [AlertRule(min_return_ratio=limit) for limit in (1e-300, 5e-324)]
    assert 0 <= expected_false_share([*verdicts, *odd], [RULE] * 30 + limits) <= 1


def test_the_share_is_right_where_campaigns_are_drawn_from_a_normal() -> None:
    random = np.random.default_rng(4)
    truth = 2.2 * np.exp(0.3 * random.standard_normal(4000))
    seen = truth * np.exp(0.2 * random.standard_normal(4000))
    verdicts = [
        verdict("below" if value < 1.6 else "undecided", forecast=band(value, 0.2), campaign_id=str(place))
        for place, value in enumerate(seen.tolist())
    ]
    false = (truth[seen < 1.6] >= 2).mean()
    assert expected_false_share(verdicts, [RULE] * 4000) == pytest.approx(false, abs=0.03)


def test_only_the_clearest_fire_where_too_many_would_be_false() -> None:
    verdicts = [
        verdict("undecided", forecast=band(2.6, 0.1), p_value=0.9, campaign_id=f"g{place}") for place in range(40)
    ]
    clear = verdict("below", forecast=band(1.0, 0.1), p_value=1e-9, campaign_id="clear")
    weak = verdict("below", forecast=band(1.75, 0.1), p_value=0.07, campaign_id="weak")
    found = false_stops([*verdicts, clear, weak], [RULE] * 42, 0.05)
    assert (found.is_controlled, found.may_fire) == (True, frozenset({"clear"}))
    assert found.expected_share > 0.05
    earlier = false_stops([*verdicts, clear, weak], [RULE] * 42, 0.05, {"weak": 1e-8})
    assert earlier.may_fire == {"clear", "weak"}
    alone = false_stops([clear], [RULE], 0.05)
    assert (alone.is_controlled, alone.may_fire) == (False, frozenset({"clear"}))
    assert false_stops([], [], 0.05).may_fire == frozenset()


def part(value: float | None, cost: int, p_value: float) -> Verdict:
    return verdict(
        "below", forecast=None if value is None else band(value, 0.1), cost_minor=cost, p_value=p_value, return_minor=0
    )


def test_the_segment_that_drags_a_campaign_below_is_named() -> None:
    """1:1.4 of 1,000 with a channel at 1:0.5 of 500: without it (1,400 - 250) / 500 = 1:2.3."""
    whole = verdict("below", forecast=band(1.4, 0.05), cost_minor=1000)
    segments = [
        Segment("channel", "sms", part(0.5, 500, 1e-6)),
        Segment("channel", "app", part(2.3, 500, 0.9)),
        Segment("tier", "a", part(1.4, 900, 0.01)),
    ]
    found = advice(whole, segments, RULE)
    assert found is not None
    assert (found.segment, found.label) == ("channel", "sms")
    assert found.ratio_without == pytest.approx(2.3)


def test_nobody_is_blamed_by_chance_or_where_it_would_not_help() -> None:
    whole = verdict("below", forecast=band(1.4, 0.05), cost_minor=1000)
    app = Segment("channel", "app", part(2.3, 500, 0.9))
    assert advice(whole, [Segment("channel", "sms", part(0.5, 500, 0.03)), app], RULE) is None
    assert advice(whole, [Segment("channel", "sms", part(1.2, 500, 1e-6)), app], RULE) is None
    assert advice(whole, [Segment("channel", "sms", part(0.5, 1000, 1e-6))], RULE) is None
    assert advice(whole, [], RULE) is None


def test_a_segment_that_converts_nobody_takes_no_return_with_it() -> None:
    whole = verdict("below", forecast=band(1.0, 0.05), cost_minor=1000)
    assert ratio_without(whole, part(None, 500, 0.001)) == pytest.approx(2.0)
    assert ratio_without(whole, part(0.5, 1000, 0.001)) is None


def test_the_smallest_p_value_of_a_resolved_alerts_campaign_is_known_after_a_take_over() -> None:
    office = Office()
    office.turn(FIRES)
    office.turn(GOOD)
    later = look("undecided", T0 + 2 * HOUR, rule=AT_ONCE)
    office.turn(replace(later, verdict=replace(later.verdict, p_value=1e-9)))
    office.pass_time(10)
    office.turn(later)
    office.begin("second")
    (record,) = office.desk.records.values()
    assert (record.state, record.verdict, record.smallest_p_value) == ("resolved", GOOD.verdict, 1e-9)
