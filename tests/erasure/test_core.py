from __future__ import annotations

from itertools import product
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.state.policy import Policy
from pipeline.state.rows import Stage
from pipeline.worker.erasure import delete_rows
from schemas import Customer
from schemas.topics import CUSTOMERS
from tests.erasure.player import ErasingPlayer, dead_letters_of, without
from tests.oracle.compare import differences
from tests.oracle.config import MODELS, OracleConfig
from tests.oracle.generators import random_log
from tests.oracle.world import CUSTOMER_NAMES
from tests.support.depth import depth, some

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.oracle.config import Model
    from tests.oracle.log import Log

pytestmark = pytest.mark.usefixtures("each_core_in_depth")
SIZE = 300


def _player(
    clickhouse: Any, run: str, seed: int, model: Model = "last_touch"
) -> tuple[ErasingPlayer, Log, OracleConfig]:
    # an erasure holds in every run, so each test has pseudonyms of its own
    name = run.encode()
    log = random_log(1_000 + seed, SIZE)
    policy = Policy(models=(model,), future_ms=None, pseudonym_key=name)
    return ErasingPlayer(clickhouse, run, policy, log), log, OracleConfig(run=run, model=model, hash_key=name)


def _assert_gone(
    player: ErasingPlayer, log: Log, config: OracleConfig, customer: str, before: Mapping[str, int] | None = None
) -> None:
    own = dead_letters_of(log, customer)

    def others(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        # the player skips bad records of the customers topic
        return [
            row
            for row in rows
            if row["topic"] != CUSTOMERS and (row["topic"], int(row["partition"]), int(row["offset"])) not in own
        ]

    expected, actual = without(log, config, customer, before), player.views()
    rows = dict(expected.rows)
    rows["dead_letters"] = others(rows["dead_letters"])
    actual["dead_letters"] = others(actual["dead_letters"])
    assert differences(type(expected)(rows, expected.judged), actual, run=config.run) == []
    assert player.stray_adjustments() == 0


def _customer(seed: int) -> str:
    return CUSTOMER_NAMES[seed % 4]


@pytest.mark.parametrize("seed", range(depth(4)))
def test_views_are_those_of_a_log_without_the_customer(clickhouse: Any, run_name: str, seed: int) -> None:
    player, log, config = _player(clickhouse, run_name, seed)
    customer = _customer(seed)
    player.feed_some(Random(seed), 0.6)
    player.send(customer, None, "request")
    player.feed_some(Random(seed))
    player.finish()
    _assert_gone(player, log, config, customer)
    assert player.kinds_about(customer) == {"erased"}
    assert player.stage(customer) is Stage.DONE


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(depth(5)))
def test_crashes_at_any_stage_change_nothing(clickhouse: Any, run_name: str, seed: int) -> None:
    player, log, config = _player(clickhouse, run_name, 50 + seed)
    customer = _customer(seed)
    player.feed_some(Random(seed), 0.5, crashes=0.1)
    player.send(customer, None, "request")
    player.feed_some(Random(seed), crashes=0.2)
    player.finish()
    player.acquire()
    player.finish()
    _assert_gone(player, log, config, customer)
    assert player.kinds_about(customer) == {"erased"}


@pytest.mark.parametrize(("deleted", "commits"), some(tuple(product((False, True), range(4)))))
def test_a_new_owner_goes_on_at_each_stage(clickhouse: Any, run_name: str, commits: int, *, deleted: bool) -> None:
    player, log, config = _player(clickhouse, run_name, 7)
    player.feed_some(Random(1), 0.7)
    player.send("zoë", None, "request")
    for _ in range(commits):
        player.commit()
        player.advance()
    if deleted:
        player.advance()
    player.acquire()
    player.feed_some(Random(2))
    player.finish()
    _assert_gone(player, log, config, "zoë")
    assert player.kinds_about("zoë") == {"erased"}


@pytest.mark.parametrize("model", some(MODELS))
def test_every_model_is_put_right(clickhouse: Any, run_name: str, model: Model) -> None:
    player, log, config = _player(clickhouse, run_name, 11, model)
    player.feed_some(Random(3), 0.8, crashes=0.05)
    player.send("c-1", None, "request")
    player.finish()
    player.feed_some(Random(4))
    player.finish()
    _assert_gone(player, log, config, "c-1")


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "crashes"), some(tuple(product(range(4), (0.0, 0.15)))))
def test_new_profile_lets_later_events_count(clickhouse: Any, run_name: str, seed: int, crashes: float) -> None:
    player, log, config = _player(clickhouse, run_name, 100 + seed)
    customer = _customer(seed)
    player.feed_some(Random(seed), 0.3, crashes=crashes)
    player.send(customer, None, "request")
    player.feed_some(Random(seed), 0.6, crashes=crashes)
    known = [update for updates in player._updates.values() for update in updates if update.customer_id == customer]
    last = [update.profile for update in known if update.erase_request is None]
    tier = last[-1].tier if last and last[-1] is not None else None
    before = player.offsets(customer)
    player.send(customer, Customer(customer_id=customer, tier=tier, segment=None, opened_at=None))
    player.feed_some(Random(seed), crashes=crashes)
    player.finish()
    _assert_gone(player, log, config, customer, before)
    assert player.stage(customer) is Stage.REVIVED


def test_profile_that_comes_at_once_waits_for_the_erasure(clickhouse: Any, run_name: str) -> None:
    player, _, _ = _player(clickhouse, run_name, 26)
    player.feed_some(Random(1))
    player.send("c-1", None, "request")
    profile = Customer(customer_id="c-1", tier="growth", segment=None, opened_at=None)
    player.send("c-1", profile)
    assert not player.shard_of("c-1").profiles.unblocked.is_set()
    player.commit()
    player.acquire()
    assert not player.shard_of("c-1").profiles.unblocked.is_set()
    player.finish()
    assert player.shard_of("c-1").profiles.unblocked.is_set()
    assert player.stage("c-1") is Stage.REVIVED
    # from which offsets on the customer counts again: a replay repeats it
    assert player.kinds_about("c-1") == {"erased", "profile", "revived"}


def test_deletion_by_a_worker_that_was_asleep_spares_what_came_later(clickhouse: Any, run_name: str) -> None:
    player, log, config = _player(clickhouse, run_name, 27)
    player.feed_some(Random(1), 0.5)
    player.send("c-1", None, "request")
    player.finish()
    shard, pseudonym = player.shard_of("c-1"), player._policy.pseudonym("c-1")
    last, before = shard.version - 1, player.offsets("c-1")
    player.send("c-1", Customer(customer_id="c-1", tier=None, segment=None, opened_at=None))
    player.feed_some(Random(2))
    player.finish()
    delete_rows(player.ledger, shard.number, [pseudonym], last)

    def credited(rows: list[dict[str, Any]]) -> set[str]:
        return {row["transaction_event_id"] for row in rows if row["customer_hash"] == pseudonym.hex()}

    assert credited(player.views()["credits"]) == credited(without(log, config, "c-1", before).rows["credits"])
    assert "touch" in player.kinds_about("c-1")


def test_second_request_is_noted_and_changes_nothing(clickhouse: Any, run_name: str) -> None:
    player, log, config = _player(clickhouse, run_name, 21)
    player.feed_some(Random(1))
    player.send("c-1", None, "first")
    player.finish()
    counts = _row(clickhouse, run_name)
    player.send("c-1", None, "second")
    player.finish()
    assert _row(clickhouse, run_name) == counts | {"requests": ["first", "second"]}
    _assert_gone(player, log, config, "c-1")


def test_unknown_customer_leaves_a_mark_and_no_numbers(clickhouse: Any, run_name: str) -> None:
    player, log, config = _player(clickhouse, run_name, 22)
    player.feed_some(Random(1))
    player.send("nobody", None, "request")
    player.finish()
    found = _row(clickhouse, run_name)
    assert (found["state"], found["touches"], found["logins"]) == ("done", 0, 0)
    _assert_gone(player, log, config, "nobody")


def test_tombstone_without_the_header_keeps_the_events(clickhouse: Any, run_name: str) -> None:
    player, log, config = _player(clickhouse, run_name, 23)
    player.feed_some(Random(1))
    player.send("c-1", None)
    player.finish()
    _assert_gone(player, log, config, "nobody")
    assert player.stage("c-1") is None


def test_erased_customer_is_not_dead_lettered(clickhouse: Any, run_name: str) -> None:
    player, log, _ = _player(clickhouse, run_name, 24)
    player.send("c-1", None, "request")
    player.feed_some(Random(1))
    player.finish()
    own = dead_letters_of(log, "c-1")
    rows = player.views()["dead_letters"]
    assert [
        row for row in rows if (row["topic"], row["partition"], row["offset"]) in own and row["topic"] != CUSTOMERS
    ] == []
    shard = player.shard_of("c-1")
    assert shard.core.drain_left_out() > 0


@pytest.mark.slow
@pytest.mark.parametrize("tombstone_is_compacted", [True, False])
def test_later_runs_leave_the_customer_out(clickhouse: Any, run_name: str, *, tombstone_is_compacted: bool) -> None:
    player, log, _ = _player(clickhouse, run_name, 25)
    player.feed_some(Random(1))
    player.send("c-1", None, "request")
    player.finish()
    if tombstone_is_compacted:
        log = {
            place: [record for record in records if place[0] != CUSTOMERS or record.key != b"c-1"]
            for place, records in log.items()
        }
    config = OracleConfig(run=f"{run_name}-replay", hash_key=run_name.encode())
    replay = ErasingPlayer(clickhouse, config.run, player._policy, log)
    if not tombstone_is_compacted:
        replay.send("c-1", None, "request")
    replay.feed_some(Random(2), crashes=0.1)
    replay.finish()
    _assert_gone(replay, log, config, "c-1")
    # the log's own profile came back before the tombstone: that it did belongs to the record of the erasure
    assert replay.kinds_about("c-1") <= {"erased", "revived"}


def _row(clickhouse: Any, run: str) -> dict[str, Any]:
    answer = clickhouse.query(
        "SELECT state, touches, transactions, logins, credits, adjustments, profiles, requests FROM roi.erasures "
        "WHERE run = {run:String}",
        parameters={"run": run},
    )
    return dict(zip(answer.column_names, answer.result_rows[0], strict=True))
