from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, strategies

from pipeline.state.attribution import Attribution, candidates, edge_candidate
from pipeline.state.calendar import DAY_MS
from pipeline.state.money import WHOLE
from pipeline.state.policy import Policy
from pipeline.state.records import Customer, Touch, Transaction
from tests.oracle.attribution import credit_millionths
from tests.oracle.config import MODELS
from tests.state.building import Bench
from tests.state.rules import PROPERTY

if TYPE_CHECKING:
    from pipeline.state.campaign_registry import CampaignRegistry

WEEK = 7 * DAY_MS
AT = 100 * DAY_MS


def _deposit(at: int = AT, amount: int = 100) -> Transaction:
    return Transaction(Customer(b"c", "A"), at, "x", "deposit", None, amount, None, None, "A")


def _touches(campaigns: CampaignRegistry, *moments: tuple[str, int, str]) -> list[Touch]:
    found = []
    for campaign, at, event_id in moments:
        arm = campaigns.arm(campaign, None)
        found.append(Touch(arm.campaign_index, at, event_id, arm.index))
    return sorted(found)


def _registry(*windows_days: float) -> CampaignRegistry:
    bench = Bench()
    for number, days in enumerate(windows_days):
        bench.define(f"c{number}", attribution_window_days=days)
    return bench.campaigns


@pytest.mark.parametrize(("age", "is_candidate"), [(-1, False), (0, True), (WEEK, True), (WEEK + 1, False)])
def test_both_ends_of_the_window_count(age: int, is_candidate: bool) -> None:  # noqa: FBT001 - a column of the table
    #   touch |---- window ----| still a candidate at its last millisecond
    campaigns = _registry(7)
    touches = _touches(campaigns, ("c0", AT - age, "t"))
    assert bool(candidates(_deposit(), touches, campaigns)) is is_candidate
    for newest in (True, False):
        assert (edge_candidate(_deposit(), touches, campaigns, newest=newest) is not None) is is_candidate


def test_within_one_millisecond_the_greater_event_id_is_the_later() -> None:
    campaigns = _registry(7, 7)
    touches = _touches(campaigns, ("c0", AT, "B"), ("c1", AT, "a"), ("c0", AT, "\U0001f600"), ("c1", AT, "ﬀ"))
    assert [touch.event_id for touch in candidates(_deposit(), touches, campaigns)] == ["B", "a", "ﬀ", "\U0001f600"]
    last = edge_candidate(_deposit(), touches, campaigns, newest=True)
    first = edge_candidate(_deposit(), touches, campaigns, newest=False)
    assert last is not None
    assert first is not None
    assert (first.event_id, last.event_id) == ("B", "\U0001f600")


@PROPERTY
@given(
    strategies.lists(strategies.tuples(strategies.integers(0, 3), strategies.integers(-3, 12)), max_size=15),
    strategies.integers(0, 99),
)
def test_the_edges_are_the_ends_of_the_candidates(moments: list[tuple[int, int]], seed: int) -> None:
    campaigns = _registry(0.001, 1, 3, 7)
    half_days = [
        (f"c{campaign}", AT - age * DAY_MS // 2, f"t{number}") for number, (campaign, age) in enumerate(moments)
    ]
    Random(seed).shuffle(half_days)
    touches = _touches(campaigns, *half_days)
    found = candidates(_deposit(), touches, campaigns)
    by_hand = [touch for touch in touches if 0 <= AT - touch.at <= campaigns.rules[touch.campaign_index].window_ms]
    assert found == sorted(by_hand, key=lambda touch: (touch.at, touch.event_id))
    assert edge_candidate(_deposit(), touches, campaigns, newest=True) == (found[-1] if found else None)
    assert edge_candidate(_deposit(), touches, campaigns, newest=False) == (found[0] if found else None)


@pytest.mark.parametrize(
    ("model", "ages_days", "expected"),
    [
        ("last_touch", [5, 3, 1], [0, 0, 1_000_000]),
        ("first_touch", [5, 3, 1], [1_000_000, 0, 0]),
        ("linear", [5, 3, 1], [333_333, 333_333, 333_334]),
        ("position", [1], [1_000_000]),
        ("position", [2, 1], [500_000, 500_000]),
        ("position", [5, 3, 1], [400_000, 200_000, 400_000]),
        ("position", [6, 5, 4, 3, 1], [400_000, 66_666, 66_667, 66_667, 400_000]),
        ("time_decay", [7, 0], [333_333, 666_667]),  # one half-life apart: 1 to 2
        ("time_decay", [14, 7, 0], [142_857, 285_714, 571_429]),  # 1 to 2 to 4
    ],
)
def test_worked_examples_of_every_model(model: str, ages_days: list[int], expected: list[int]) -> None:
    campaigns = _registry(30)
    policy = Policy(models=(model,))
    touches = _touches(campaigns, *[("c0", AT - age * DAY_MS, f"t{number}") for number, age in enumerate(ages_days)])
    credits_now = Attribution(policy, campaigns).credits(_deposit(), touches)
    shares = {credit.touch.event_id: credit.millionths for credit in credits_now}
    assert [shares.get(f"t{number}", 0) for number in range(len(ages_days))] == expected


def test_ages_beyond_a_thousand_half_lives_leave_everything_to_the_last_touch() -> None:
    campaigns = _registry(30)
    policy = Policy(models=("time_decay",), half_life_ms=1.0)
    touches = _touches(campaigns, ("c0", AT - 9 * DAY_MS, "a"), ("c0", AT - 8 * DAY_MS, "b"))
    (credit,) = Attribution(policy, campaigns).credits(_deposit(), touches)
    assert (credit.touch.event_id, credit.millionths) == ("b", WHOLE)


@PROPERTY
@given(
    strategies.sampled_from(MODELS),
    strategies.lists(strategies.integers(0, WEEK), min_size=1, max_size=30),
    strategies.integers(0, 10**15),
    strategies.none() | strategies.integers(0, 10**15),
    strategies.sampled_from((1.0, 3600_000.0, 7.0 * DAY_MS)),
)
def test_credit_and_money_are_conserved(
    model: str, ages: list[int], amount: int, reversed_minor: int | None, half_life_ms: float
) -> None:
    campaigns = _registry(7)
    policy = Policy(models=(model,), half_life_ms=half_life_ms, margins_bps={"deposit": 137})
    touches = _touches(campaigns, *[("c0", AT - age, f"t{number:02}") for number, age in enumerate(ages)])
    transaction = _deposit(amount=amount)
    transaction.reversed_minor = reversed_minor
    credits_now = Attribution(policy, campaigns).credits(transaction, touches)
    effective = max(0, amount - (reversed_minor or 0))
    assert sum(credit.millionths for credit in credits_now) == WHOLE
    assert sum(credit.aum_minor for credit in credits_now) == effective
    in_order = sorted(ages, reverse=True)
    shares = credit_millionths(model, in_order, half_life_ms)  # type: ignore[arg-type] # a name of MODELS
    assert sorted(credit.millionths for credit in credits_now) == sorted(share for share in shares if share)
    assert transaction.has_effect or not any(credit.return_minor or credit.aum_minor for credit in credits_now)
    transaction.credits = credits_now
    assert Attribution(policy, campaigns).repriced(transaction) == credits_now


def test_where_margins_differ_each_touch_has_its_share_of_its_own_return() -> None:
    bench = Bench(
        Policy(models=("linear",), future_ms=None),
        rich={"margins_bps": {"deposit": 10_000}},
        poor={"margins_bps": {"deposit": 100}},
    )
    bench.written.touch("t1", "2026-03-01 10:00", campaign="rich")
    bench.written.touch("t2", "2026-03-01 11:00", campaign="poor")
    bench.written.pay("x", "2026-03-01 12:00", 1001)
    bench.take()
    # 1001 * 1/2 and 10 * 1/2, each floored: nothing is handed on between campaigns
    assert bench.shares() == {("x", "t1", 0): (500_000, 500, 500), ("x", "t2", 0): (500_000, 5, 501)}


@pytest.mark.usefixtures("each_core")
def test_a_negative_return_is_floored_before_the_rest_is_handed_out() -> None:
    bench = Bench(Policy(models=("linear",), future_ms=None, margins_bps={"deposit": -10_000}))
    for hour in (10, 11, 12):
        bench.written.touch(f"t{hour}", f"2026-03-01 {hour}:00")
    bench.written.pay("x", "2026-03-01 13:00", 2)
    bench.take()
    # -2 * 0.333333, -2 * 0.333333 and -2 * 0.333334: floors of -1 each, and 1 back to the later of the larger fractions
    returns = {touch: returned for (_, touch, _), (_, returned, _) in bench.shares().items()}
    assert returns == {"t10": -1, "t11": 0, "t12": -1}


def test_a_control_group_and_an_assignment_are_no_candidates() -> None:
    bench = Bench(spring={"control_variant": "holdout"})
    bench.written.touch("t1", "2026-03-01 10:00", variant="holdout")
    bench.written.touch("t2", "2026-03-01 11:00", kind="assign")
    bench.written.pay("x", "2026-03-01 12:00")
    bench.take()
    assert bench.shares() == {}
    bench.written.touch("t3", "2026-03-01 09:00", variant="control")  # control elsewhere, an arm like any other here
    bench.take()
    assert bench.shares() == {("x", "t3", 0): (1_000_000, 100, 100)}


@pytest.mark.parametrize(
    ("fields", "matches"),
    [
        ({"kind": "deposit", "product": "fund", "amount_minor": 100}, True),
        ({"kind": "payment", "product": "fund", "amount_minor": 100}, False),
        ({"kind": "deposit", "product": None, "amount_minor": 100}, False),
        ({"kind": "deposit", "product": "loan", "amount_minor": 100}, False),
        ({"kind": "deposit", "product": "fund", "amount_minor": 99}, False),
    ],
)
def test_a_goal_wants_kind_product_and_amount(fields: dict[str, object], matches: bool) -> None:  # noqa: FBT001 - a column
    bench = Bench(spring={"goal": {"kinds": ["deposit"], "products": ["fund"], "min_amount_minor": 100}})
    assert bench.campaigns.rules[bench.campaigns.arm("spring", None).campaign_index].matches(**fields) is matches  # type: ignore[arg-type] # as above
