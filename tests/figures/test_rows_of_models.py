"""Which rows views have, of every attribution model, depends on the events and not on the blocks they came in."""

from __future__ import annotations

from itertools import count
from random import Random
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.clickhouse.reader import Reader
from pipeline.comparison.comparing import compare
from pipeline.state.policy import Policy
from schemas import topics
from tests.figures.comparing import read
from tests.oracle.building import Ledger
from tests.oracle.config import MODELS
from tests.oracle.generators import random_log
from tests.oracle.story import Shape
from tests.support.core_player import CorePlayer
from tests.support.depth import depth

if TYPE_CHECKING:
    from pipeline.settings import Settings
    from tests.oracle.log import Log

_numbers = count(1)
_TWO: Final = ("last_touch", "linear")
_SHAPE: Final = Shape(customers=4, campaigns=3, partitions=2, bad_share=0.0)
_NOTHING: Final = {"conversions": 0, "converters": 0, "return_minor": 0, "aum_minor": 0}


def _policy(*models: Any) -> Policy:
    return Policy(models=models, future_ms=None, pseudonym_key=b"oracle", margins_bps={"deposit": 20})


def _in_one_block(client: Any, run: str, log: Log, policy: Policy) -> None:
    player = CorePlayer(client, "roi", run, policy, log)
    for place, records in log.items():
        if place[0] in topics.LANE_OF_TOPIC:
            player.feed(list(records))
    player.commit()


def _in_a_block_each(client: Any, run: str, log: Log, policy: Policy) -> None:
    player = CorePlayer(client, "roi", run, policy, log)
    for place, records in log.items():
        for record in records if place[0] in topics.LANE_OF_TOPIC else ():
            player.feed([record])
            player.commit()


@pytest.mark.parametrize("play", [_in_one_block, _in_a_block_each])
def test_every_model_has_a_row_wherever_the_deciding_one_has_one(clickhouse: Any, run_name: str, play: Any) -> None:
    ledger = Ledger()
    ledger.touch("t", "2026-03-01 09:00", campaign="reversed", cost_minor=5, variant="A")
    ledger.touch("u", "2026-03-01 09:00", campaign="touched", customer_id="bob", cost_minor=7)
    ledger.pay("x", "2026-03-01 10:00", 100_000)
    ledger.pay("r", "2026-03-01 11:00", 100_000, reverses="x")
    ledger.cost("k", "2026-03-01 10:00", 9, campaign="paid")
    play(clickhouse, run_name, ledger.log, _policy(*_TWO))
    costs = {"paid": 9, "reversed": 5, "touched": 7}
    totals = read(clickhouse, "campaign_model_totals", run_name)
    shown = ("campaign_id", "model", "decides", "cost_minor", "reached")
    assert sorted(tuple(row[name] for name in shown) for row in totals) == [
        (name, model, int(model == _TWO[0]), cost, int(name != "paid"))
        for name, cost in costs.items()
        for model in _TWO
    ]
    assert all(row | _NOTHING == row for row in totals)
    segments = read(clickhouse, "segment_totals", run_name)
    assert sorted((row["segment"], row["campaign_id"], row["label"], row["model"]) for row in segments) == [
        (segment, name, label, model)
        for segment, labels in (("tier", ("", "unknown", "unknown")), ("variant", ("", "A", "")))
        for name, label in zip(costs, labels, strict=True)
        for model in ("", _TWO[1])
    ]
    assert {row["campaign_id"]: row["cost_minor"] for row in segments if not row["model"]} == costs
    assert not any(value for row in segments if row["model"] for value in row.values() if not isinstance(value, str))


def test_what_a_model_was_given_stands_in_its_own_row(clickhouse: Any, run_name: str) -> None:
    ledger = Ledger()
    for name in ("early", "late"):
        ledger.touch(name, f"2026-03-01 {'08' if name == 'early' else '09'}:00", campaign=name)
    ledger.pay("x", "2026-03-01 10:00", 100_000)
    _in_one_block(clickhouse, run_name, ledger.log, _policy("last_touch", "linear", "first_touch"))
    totals = read(clickhouse, "campaign_model_totals", run_name)
    assert sorted((row["campaign_id"], row["model"], row["conversions"], row["return_minor"]) for row in totals) == [
        ("early", "first_touch", 1, 200),
        ("early", "last_touch", 0, 0),
        ("early", "linear", 0.5, 100),
        ("late", "first_touch", 0, 0),
        ("late", "last_touch", 1, 200),
        ("late", "linear", 0.5, 100),
    ]


@settings(max_examples=depth(8), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 10**6),
    models=st.lists(st.sampled_from(MODELS), min_size=1, max_size=4, unique=True),
    crashes=st.integers(0, 2),
)
def test_every_view_has_the_same_rows_whatever_blocks_a_log_came_in(
    clickhouse: Any, migrated: Settings, run_name: str, seed: int, models: list[str], crashes: int
) -> None:
    log, policy = random_log(seed, 40, shape=_SHAPE), _policy(*models)
    one, many = (f"{run_name}-{next(_numbers)}" for _ in range(2))
    _in_one_block(clickhouse, one, log, policy)
    CorePlayer(clickhouse, "roi", many, policy, log).play(Random(seed), crashes=crashes, most=3)
    found = compare(Reader(migrated), "roi", one, many)
    assert {view.view: view.first for view in found if view.differing} == {}
    assert sum(view.left_rows for view in found) > 50
