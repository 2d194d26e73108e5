"""An id that comes again with another time is a copy or a new event by the log alone, whatever is still remembered."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, strategies

from pipeline.state.calendar import DAY_MS
from schemas import topics
from tests.oracle.building import Ledger
from tests.oracle.compare import differences
from tests.oracle.config import MODELS, OracleConfig
from tests.oracle.evaluate import evaluate
from tests.oracle.generators import random_log
from tests.oracle.parsing import BadRecordError, read_event
from tests.oracle.story import EPOCH
from tests.state.building import POLICY
from tests.state.rules import (
    DEFAULT,
    PROPERTY,
    RETURNING,
    SEEDS,
    Rules,
    any_rules,
    faults,
    player_of,
    returning_logs,
    under_model,
)
from tests.support.fakes_player import MemoryPlayer

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.oracle.config import Model
    from tests.oracle.log import Log

pytestmark = pytest.mark.usefixtures("each_core")


@PROPERTY
@given(
    returning_logs(), any_rules(), SEEDS, strategies.sampled_from((1, 5, 60)), strategies.sampled_from((0, 4, 1_000))
)
def test_what_counts_is_what_the_batch_says_whatever_the_batches_blocks_and_crashes(
    log: Log, rules: Rules, seed: int, most: int, crashes: int
) -> None:
    player = player_of(log, rules)
    player.play(Random(seed), most=most, crashes=crashes)
    assert faults(log, rules, player) == []
    assert _copies(player) == _copies_of_the_batch(log, rules)


@PROPERTY
@given(returning_logs(), any_rules(), strategies.permutations(MODELS), SEEDS, strategies.sampled_from((0, 4, 1_000)))
def test_every_model_beside_the_others_is_what_the_batch_says(
    log: Log, rules: Rules, models: list[Model], seed: int, crashes: int
) -> None:
    """Of two touches of one id the first may be credited under one model, and the last under another."""
    player = player_of(log, Rules(replace(rules.config, model=models[0]), tuple(models)))
    player.play(Random(seed), crashes=crashes)
    views = player.views()
    assert differences(evaluate(log, replace(rules.config, model=models[0])), views) == []
    for model in models[1:]:
        expected = evaluate(log, replace(rules.config, model=model))
        assert differences(expected, under_model(views, model), views=["credits"]) == []


def test_two_touches_of_one_id_share_each_under_its_model() -> None:
    written = Ledger()
    written.campaign()
    written.touch("a", "2026-03-01 12:00")
    written.touch("b", "2026-03-05 12:00", customer_id="bob")
    written.touch("a", "2026-03-05 13:00")
    written.pay("x", "2026-03-05 14:00")
    for models in permutations(("last_touch", "first_touch", "linear")):
        player = player_of(written.log, Rules(models=models))
        player.play(Random(1))
        written_at = {row["model"]: row["touched_at"] // DAY_MS for row in player.views()["model_credits"]}
        assert written_at["first_touch"] + 4 == written_at["last_touch"] == written_at["linear"]


def _copies(player: MemoryPlayer) -> Counter[str]:
    intakes = [item for shard in player.shards.values() for item in shard.core.intakes.items()]
    return +Counter({topic: sum(each.duplicates for name, each in intakes if name == topic) for topic, _ in intakes})


def _copies_of_the_batch(log: Log, rules: Rules) -> Counter[str]:
    verdicts = evaluate(log, rules.config).judged.verdicts
    return Counter(topic for (topic, *_), verdict in verdicts.items() if verdict.outcome == "duplicate")


def test_the_logs_hold_ids_that_count_again_and_copies_with_another_time() -> None:
    """The property above would hold of logs without them."""
    found: Counter[tuple[str, str]] = Counter()
    for seed in range(5):
        log = random_log(seed, 150, shape=RETURNING)
        verdicts = evaluate(log, DEFAULT.config).judged.verdicts
        for place in (place for place in log if place[0] in topics.EVENT_TOPICS):
            times: dict[str, set[int]] = {}
            for record in log[place]:
                try:
                    event = read_event(record.topic, record.key, record.value, "CNY")
                except BadRecordError:
                    continue
                outcome = verdicts[record.topic, record.partition, record.offset].outcome
                known = times.setdefault(event.event_id, set())
                if known and event.occurred_at not in known:
                    found[record.topic, outcome] += 1
                known.add(event.occurred_at)
    for topic in (topics.TOUCHES, topics.TRANSACTIONS, topics.COSTS):
        assert min(found[topic, "accepted"], found[topic, "duplicate"]) > 5


def _touches(written: Ledger) -> None:
    written.touch("a", "2026-03-01 12:00:00.000")
    written.touch("b", "2026-03-04 12:00:00.000")
    written.touch("a", "2026-03-04 12:00:00.000")  # the floor is its first event itself: a copy
    written.touch("c", "2026-03-04 12:00:00.001")
    written.touch("a", "2026-03-04 12:00:00.000")  # the floor has passed it by a millisecond: new
    written.touch("a", "2026-03-04 12:00:00.005")  # a copy of the new one


def _costs(written: Ledger) -> None:
    for name, at in (("a", "01 12:00"), ("b", "04 12:00"), ("a", "04 12:00"), ("c", "04 12:01"), ("a", "05 12:00")):
        written.cost(name, f"2026-03-{at}", 1)
    written.cost("a", "2026-03-06 12:00", 1)


def _transactions(written: Ledger) -> None:
    # an id is known 30 days longer, for a reversal that names it
    for name, at in (("a", "03-01 12:00"), ("b", "04-03 12:00"), ("a", "04-03 12:00"), ("c", "04-03 12:01")):
        written.pay(name, f"2026-{at}")
    written.pay("a", "2026-04-04 12:00")
    written.pay("a", "2026-04-05 12:00")


def _reversals(written: Ledger) -> None:
    for name, at in (("a", "03-01 12:00"), ("b", "04-03 12:00"), ("a", "04-03 12:00"), ("c", "04-03 12:01")):
        written.pay(name, f"2026-{at}", reverses="nothing")
    written.pay("a", "2026-04-04 12:00")  # a transaction now
    written.pay("a", "2026-04-05 12:00", reverses="b")


@pytest.mark.parametrize("write", [_touches, _costs, _transactions, _reversals])
@pytest.mark.parametrize("batch", [1, 2, 100])
@pytest.mark.parametrize("between", ["nothing", "tidying", "restarts"])
def test_an_id_is_free_a_moment_after_its_last_use(write: Callable[[Ledger], None], batch: int, between: str) -> None:
    written = Ledger()
    write(written)
    player = MemoryPlayer(POLICY, written.log)
    for start in range(0, len(written.records), batch):
        player.feed(written.records[start : start + batch])
        player.commit()
        if between == "tidying":
            for shard in player.shards.values():
                shard.tidy()
        elif between == "restarts":
            player.acquire()
    (intake,) = [each for shard in player.shards.values() for each in shard.core.intakes.values() if each.accepted]
    assert (intake.accepted + intake.refused, intake.duplicates) == (4, 2)


def _played(written: Ledger, rules: Rules, *, with_restarts: bool) -> dict[tuple[str, str], tuple[int, int]]:
    """Return millionths and return of each credit, by the times of its touch and its transaction."""
    player = player_of(written.log, rules)
    for record in written.records[1:]:
        player.feed([record])
        player.commit()
        for shard in player.shards.values():
            shard.tidy()
        if with_restarts:
            player.acquire()
    assert faults(written.log, rules, player) == []
    return {
        (_text(row["touched_at"]), _text(row["converted_at"])): (row["credit_millionths"], row["return_minor"])
        for row in player.views()["credits"]
    }


def _text(instant_ms: int) -> str:
    return (EPOCH + timedelta(milliseconds=instant_ms + 8 * 3_600_000)).strftime("%m-%d %H:%M")


@pytest.mark.parametrize("with_restarts", [False, True])
def test_a_reversal_takes_from_the_event_of_its_time_though_another_has_the_id_now(with_restarts: bool) -> None:  # noqa: FBT001 - a column of the table
    written = Ledger()
    written.campaign(attribution_window_days=40)
    written.touch("t", "2026-03-01 10:00")
    written.pay("x", "2026-03-01 12:00", 100)
    written.pay("r1", "2026-03-02 12:00", 30, reverses="x")
    written.pay("x", "2026-04-05 12:00", 1_000)
    written.pay("x", "2026-04-05 12:00", 1_000)
    written.pay("x", "2026-04-06 12:00", 1_000)
    written.pay("r2", "2026-04-06 12:00", 200, reverses="x")
    written.touch(
        "late", "2026-03-01 11:00"
    )  # the touches lag behind: both payments are still there to be credited anew
    rules = Rules(OracleConfig(margins_bps={"deposit": 10_000}))
    assert _played(written, rules, with_restarts=with_restarts) == {
        ("03-01 11:00", "03-01 12:00"): (1_000_000, 70),
        ("03-01 11:00", "04-05 12:00"): (1_000_000, 800),
    }


@pytest.mark.parametrize("with_restarts", [False, True])
@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("linear", {"03-05 10:00": (500_000, 400), "03-06 10:00": (500_000, 400)}),
        ("last_touch", {"03-06 10:00": (1_000_000, 800)}),
        ("first_touch", {"03-01 10:00": (1_000_000, 800)}),
    ],
)
def test_touches_of_one_id_share_a_transaction_as_the_last_of_them(
    model: Model, expected: dict[str, tuple[int, int]], *, with_restarts: bool
) -> None:
    written = Ledger()
    written.campaign(attribution_window_days=40)
    written.pay("x", "2026-03-07 12:00", 1_000)
    written.touch("t", "2026-03-01 10:00")
    written.touch("u", "2026-03-05 10:00")
    written.touch("t", "2026-03-06 10:00")
    written.pay("r", "2026-03-08 12:00", 200, reverses="x")
    rules = Rules(OracleConfig(model=model, margins_bps={"deposit": 10_000}), (model,))
    found = _played(written, rules, with_restarts=with_restarts)
    assert found == {(touched, "03-07 12:00"): shares for touched, shares in expected.items()}
