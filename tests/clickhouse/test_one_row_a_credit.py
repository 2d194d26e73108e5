"""Credits of a ledger whose models had rows of their own."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.clickhouse.migrations import migrate
from pipeline.errors import UserError
from pipeline.evaluator.run_rules import RunRules
from pipeline.ledger import body, ledger
from pipeline.ledger.ledger import ClickHouseLedger, LedgerUnavailableError
from pipeline.state.policy import Policy
from pipeline.state.rows import CREDIT_WIDTH
from tests.clickhouse.older import first_half, make_older, statements_of
from tests.oracle.compare import differences
from tests.oracle.config import MODELS, OracleConfig
from tests.oracle.evaluate import evaluate
from tests.oracle.generators import random_log
from tests.oracle.story import Shape
from tests.state.rules import KEY, RETURNING, under_model
from tests.support.core_player import CorePlayer
from tests.support.depth import depth

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline.ledger.rows import ShardBlock
    from pipeline.settings import Settings
    from pipeline.state.rows import CreditColumns

MIGRATION = "0047_one_row_a_credit.sql"


def _a_row_for_each_model(self: body._Rows, block: ShardBlock, found: CreditColumns) -> None:
    """Write credits as older programs did: a model's row is written where the model gives something, or gave it."""
    width = CREDIT_WIDTH * len(self._labels)
    for place, label in enumerate(self._labels):
        for row in range(len(found)):
            begin = row * width + place * CREDIT_WIDTH
            standing = found.standings[begin : begin + CREDIT_WIDTH]
            key = found.transaction_id[row], found.touch_id[row], found.campaign_id[row], found.variant[row]
            if not standing[-1] and (label, *key) not in _WRITTEN:
                continue
            _WRITTEN.add((label, *key))
            self._add(
                block,
                "credit",
                1,
                campaign_id=found.campaign_id[row],
                label=found.variant[row],
                at=found.converted_at[row],
                id=found.transaction_id[row],
                other_id=found.touch_id[row],
                model=label,
                customer=found.pseudonym[row].hex(),
                tier=found.tier[row],
                category=found.kind[row],
                measures=standing,
            )


_WRITTEN: set[tuple[str, ...]] = set()


@pytest.fixture
def old_program(
    tmp_path: Path, spare: Settings, spare_client: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[pytest.MonkeyPatch]:
    """A database, and workers, of the time before; undoing the patch makes the workers today's."""
    make_older(MIGRATION, tmp_path, spare, spare_client, monkeypatch)
    _WRITTEN.clear()
    with monkeypatch.context() as patch:
        patch.setattr(ledger, "expect_joined_credits", lambda *_: None)
        patch.setattr(body._Rows, "_credits", _a_row_for_each_model)
        patch.setattr(body, "FORM", 2)
        yield patch


def _again(client: Any) -> None:
    """Migrate once more, as after a crash."""
    for migration in (MIGRATION, "0050_credits_of_the_deciding_model.sql"):
        for statement in statements_of(migration):
            client.command(statement)


def _credits(client: Any, view: str = "model_credits") -> list[tuple[Any, ...]]:
    columns = "*" if view == "credits" else "* EXCEPT decides"
    found: list[tuple[Any, ...]] = client.query(f"SELECT {columns} FROM roi.{view} ORDER BY ALL").result_rows
    return found


def _rows(client: Any) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = client.query(
        "SELECT * EXCEPT version FROM roi.ledger FINAL WHERE kind = 'credit' ORDER BY ALL"
    ).result_rows
    return found


@pytest.mark.parametrize("shape", [Shape(), RETURNING])
@pytest.mark.parametrize("seed", range(depth(4)))
def test_a_ledger_begun_before_and_continued_after_is_exact_under_every_model(
    old_program: pytest.MonkeyPatch, spare: Settings, spare_client: Any, seed: int, shape: Shape
) -> None:
    log = random_log(seed, 500, shape=shape)
    policy = Policy(models=MODELS, future_ms=None, pseudonym_key=KEY, core="plain")
    old = CorePlayer(spare_client, "roi", "live", policy, first_half(log))
    old.play(Random(seed))
    before = _credits(spare_client, "credits")
    assert {row[5] for row in before} == set(MODELS)
    assert migrate(spare)[0] == MIGRATION
    assert _credits(spare_client) == before
    moved = _rows(spare_client)
    assert {row[9] for row in moved} == {""}
    _again(spare_client)
    assert _rows(spare_client) == moved
    old_program.undo()
    new = CorePlayer(spare_client, "roi", "live", policy, log)
    new.play(Random(seed), crashes=2)
    assert differences(evaluate(log, OracleConfig(model=MODELS[0])), new.views()) == []
    for model in MODELS[1:]:
        expected = evaluate(log, OracleConfig(model=model))
        assert differences(expected, under_model(new.views(), model), views=["credits"]) == []


def test_a_crash_between_joining_and_deleting_loses_nothing(
    old_program: pytest.MonkeyPatch, spare: Settings, spare_client: Any
) -> None:
    log = random_log(9, 500)
    policy = Policy(models=MODELS, future_ms=None, pseudonym_key=KEY, core="plain")
    CorePlayer(spare_client, "roi", "live", policy, log).play(Random(9))
    before = _credits(spare_client, "credits")
    statements = statements_of(MIGRATION)
    (joining,) = (each for each in statements if "INSERT INTO" in each)
    spare_client.command(joining)
    # of what is deleted a part has gone by then
    spare_client.command(
        "ALTER TABLE roi.ledger DELETE WHERE kind = 'credit' AND model != '' AND cityHash64(id, model) % 2 = 0"
        " SETTINGS mutations_sync = 2"
    )
    assert migrate(spare)[0] == MIGRATION
    assert _credits(spare_client) == before


def test_a_worker_of_several_models_is_refused_by_older_tables_and_one_of_one_is_not(
    old_program: pytest.MonkeyPatch, spare: Settings, spare_client: Any
) -> None:
    old_program.undo()
    log = random_log(3, 200)
    alone = Policy(future_ms=None, pseudonym_key=KEY)
    with pytest.raises(UserError, match="older than this program") as refused:
        CorePlayer(spare_client, "roi", "live", Policy(models=MODELS, future_ms=None, pseudonym_key=KEY), log)
    assert refused.value.remedy == "run roi migrate"
    several = Policy(models=MODELS, future_ms=None, pseudonym_key=KEY)
    with pytest.raises(UserError, match="older than this program"):
        RunRules(ClickHouseLedger(spare_client, "roi", "live", "evaluator"), "live", several, "today's").check()
    CorePlayer(spare_client, "roi", "live", alone, log).play(Random(3))
    migrate(spare)
    found = CorePlayer(spare_client, "roi", "live", alone, log)
    assert differences(evaluate(log, OracleConfig()), found.views()) == []


def test_a_worker_of_the_older_program_is_kept_out(
    old_program: pytest.MonkeyPatch, spare: Settings, spare_client: Any
) -> None:
    log = random_log(5, 300)
    policy = Policy(models=MODELS[:2], future_ms=None, pseudonym_key=KEY, core="plain")
    old = CorePlayer(spare_client, "roi", "live", policy, log)
    place = next(place for place in log if place[0] == "bank.touches.v1" and log[place])
    old.feed(list(log[place][:10]))
    migrate(spare)
    with pytest.raises(LedgerUnavailableError, match="written_by_a_program_with_one_row_a_credit"):
        old.commit()
    old_program.undo()
    new = CorePlayer(spare_client, "roi", "live", policy, log)
    new.play(Random(5))
    assert differences(evaluate(log, OracleConfig(model=MODELS[0])), new.views()) == []
