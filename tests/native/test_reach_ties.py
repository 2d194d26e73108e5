"""Two touches at one time, in two tiers: whose first touch it is must not depend on what this process happens to be."""

from __future__ import annotations

import json
from collections import defaultdict
from itertools import product
from random import Random
from typing import TYPE_CHECKING, Final

import pytest

from pipeline.state.policy import Policy
from schemas.topics import TOUCHES, TRANSACTIONS
from tests.native.hostile import Step
from tests.native.lives import Worker
from tests.oracle.story import START_MS, instant_text

if TYPE_CHECKING:
    from pipeline.state.policy import CoreName

pytestmark = pytest.mark.usefixtures("native_core")
REACHED: Final = 1  # its place among a cell's measures
Touch = tuple[str, str, str, int]  # customer, id, variant, milliseconds after the beginning


def sent(*touches: Touch) -> Step:
    records = []
    for customer, event_id, variant, after in touches:
        body = {
            "customer_id": customer,
            "channel": "app",
            "event_id": event_id,
            "campaign_id": "spring",
            "kind": "send",
        }
        body |= {"variant": variant, "occurred_at": instant_text(Random(0), START_MS + after)}
        records.append((customer.encode(), json.dumps(body).encode()))
    return Step("events", (TOUCHES, records))


def in_tier(tier: str) -> Step:
    return Step("profile", ("c", {"tier": tier}))


BLOCK: Final = Step("block", ())


def reached(worker: Worker) -> dict[str, int]:
    """How many were reached, by tier, over all chapters."""
    found: dict[str, int] = defaultdict(int)
    for row in worker._store.tables("live").of_kind("tier"):
        found[row.label] += row.measures[REACHED]
    return {tier: count for tier, count in found.items() if count}


def told(core: CoreName, arms: str, second: str, tiers: tuple[str, str], restart: int) -> list[dict[str, int]]:
    """Return who was reached after the tie, after an earlier touch, and after the customer's erasure."""
    worker = Worker(Policy(future_ms=None), core)
    story = [
        sent(*(("other", f"o{variant}", variant, 5_000) for variant in arms)),  # the arms' numbers
        in_tier(tiers[0]),
        sent(("c", "t1", "A", 1_000)),
        in_tier(tiers[1]),
        sent(("c", "t2", second, 1_000)),
        BLOCK,
        sent(("c", "t3", "A", 500)),
        BLOCK,
        *(Step("erase", ("c", "r1")), BLOCK, Step("advance", ()), BLOCK),
    ]
    found = []
    for number, step in enumerate(story):
        worker.take(step)
        if number == restart:
            worker.take(Step("crash", ()))
        if number in {5, 7, len(story) - 1}:
            found.append(reached(worker))
    return found


@pytest.mark.parametrize("tiers", [("x", "y"), ("y", "x"), ("x", "xx"), ("xx", "x")])
@pytest.mark.parametrize("second", ["A", "B"])
def test_a_tie_of_first_touches_is_the_tiers_whatever_numbers_arms_have(second: str, tiers: tuple[str, str]) -> None:
    cores: tuple[CoreName, ...] = ("plain", "native")
    for core, arms, restart in product(cores, ("AB", "BA"), (-1, 5, 7)):
        at_tie, after, erased = told(core, arms, second, tiers, restart)
        assert at_tie == {"unknown": 1, min(tiers): 1}
        assert after == {"unknown": 1, tiers[1]: 1}, "the earlier touch is the first one, in the tier of now"
        assert erased == {"unknown": 1}, "nothing of the customer is left"


DAY_MS: Final = 86_400_000


def moved_on(after: int) -> Step:
    """A transaction: by then, with a touch of that time, nothing can precede what is days older."""
    at = instant_text(Random(0), START_MS + after)
    body = {"customer_id": "other", "channel": "app", "event_id": f"p{after}", "kind": "payment", "amount_minor": 1}
    return Step("events", (TRANSACTIONS, [(b"other", json.dumps(body | {"occurred_at": at}).encode())]))


@pytest.mark.parametrize("core", ["plain", "native"])
@pytest.mark.parametrize("restart", [False, True])
def test_who_was_reached_long_ago_is_not_reached_again_after_a_take_over(core: CoreName, *, restart: bool) -> None:
    worker = Worker(Policy(future_ms=None), core)
    now = 20 * DAY_MS
    for step in (
        sent(("c", "t1", "A", 0)),
        moved_on(now),
        sent(("c", "t2", "A", now), ("new", "n2", "A", now)),
        BLOCK,
        *((Step("crash", ()),) if restart else ()),
        sent(("c", "t3", "A", now - DAY_MS), ("new", "n3", "A", now - DAY_MS), ("c", "t4", "B", now - DAY_MS)),
        BLOCK,
    ):
        worker.take(step)
    assert reached(worker) == {"unknown": 2}
