"""Hours and days of a ledger that was begun before there were any."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.clickhouse import sql
from pipeline.clickhouse.migrations import migrate
from pipeline.ledger import body, ledger
from pipeline.ledger.ledger import LedgerUnavailableError
from pipeline.state.policy import Policy
from pipeline.state.rows import DAY, HOUR
from tests.clickhouse.older import first_half, make_older, statements_of
from tests.oracle.building import Ledger
from tests.oracle.compare import differences
from tests.oracle.config import MODELS, OracleConfig
from tests.oracle.evaluate import evaluate
from tests.oracle.generators import random_log
from tests.state.rules import KEY
from tests.support.core_player import CorePlayer
from tests.support.depth import some

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline.ledger.rows import ShardBlock
    from pipeline.settings import Settings
    from pipeline.state.rows import CellColumns

MIGRATION = "0020_rollups.sql"
LARGEST = 10**15


@pytest.fixture
def old_program(
    tmp_path: Path, spare: Settings, spare_client: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[pytest.MonkeyPatch]:
    """A database, and workers, of the time before; undoing the patch makes the workers today's."""
    make_older(MIGRATION, tmp_path, spare, spare_client, monkeypatch)
    # today's loader, which stands for the old one here, asks which runs are replays
    (replays,) = sql.MIGRATIONS.glob("*_replays.sql")
    spare_client.command(sql.statements(replays.read_text().replace("{database}", "roi"))[0])
    add_cells = body._Rows._cells

    def without_rollups(self: body._Rows, block: ShardBlock, family: str, cells: CellColumns) -> None:
        if family not in {HOUR, DAY}:
            add_cells(self, block, family, cells)

    with monkeypatch.context() as patch:
        patch.setattr(ledger, "expect_joined_credits", lambda *_: None)
        patch.setattr(body._Rows, "_cells", without_rollups)
        patch.setattr(body, "FORM", 1)
        yield patch


def _rollups(client: Any) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = client.query(
        "SELECT * EXCEPT version FROM roi.ledger FINAL WHERE kind IN ('hour', 'day') ORDER BY ALL"
    ).result_rows
    return found


def _run_migration_again(client: Any) -> None:
    for statement in statements_of(MIGRATION):
        client.command(statement)


@pytest.mark.parametrize(
    ("zone", "seed"), some([("Asia/Shanghai", 1), ("Asia/Kathmandu", 2), ("America/New_York", 3), ("Pacific/Apia", 4)])
)
def test_a_ledger_begun_before_and_continued_after_is_exact(
    old_program: pytest.MonkeyPatch, spare: Settings, spare_client: Any, zone: str, seed: int
) -> None:
    log = random_log(seed, 400)
    policy = Policy(models=MODELS[:2], future_ms=None, pseudonym_key=KEY, zone=zone)
    old = CorePlayer(spare_client, "roi", "live", policy, first_half(log))
    old.play(Random(seed), crashes=1)
    assert _rollups(spare_client) == []
    assert migrate(spare)[0] == MIGRATION
    filled = _rollups(spare_client)
    assert filled
    _run_migration_again(spare_client)
    assert _rollups(spare_client) == filled
    old_program.undo()
    new = CorePlayer(spare_client, "roi", "live", policy, log)
    new.play(Random(seed), crashes=1)
    expected = evaluate(log, OracleConfig(model=MODELS[0], zone=zone))
    assert differences(expected, new.views()) == []
    continued = _rollups(spare_client)
    _run_migration_again(spare_client)
    assert _rollups(spare_client) == continued


def test_a_worker_of_the_older_program_is_kept_out_and_loses_nothing(
    old_program: pytest.MonkeyPatch, spare: Settings, spare_client: Any
) -> None:
    log = random_log(5, 300)
    policy = Policy(future_ms=None, pseudonym_key=KEY)
    old = CorePlayer(spare_client, "roi", "live", policy, log)
    place = next(place for place in log if place[0] == "bank.touches.v1" and log[place])
    old.feed(list(log[place][:10]))
    old.commit()
    old.feed(list(log[place][10:20]))
    assert migrate(spare)[0] == MIGRATION
    with pytest.raises(LedgerUnavailableError, match="written_by_a_program_that_keeps_hours_and_days"):
        old.commit()
    old.acquire()  # starting it again does not help
    old.feed(list(log[place][10:20]))
    with pytest.raises(LedgerUnavailableError):
        old.commit()
    old_program.undo()
    new = CorePlayer(spare_client, "roi", "live", policy, log)
    new.play(Random(5))
    assert differences(evaluate(log, OracleConfig()), new.views()) == []


@pytest.mark.slow
def test_sums_beyond_64_bits_are_filled_in(old_program: pytest.MonkeyPatch, spare: Settings, spare_client: Any) -> None:
    ledger = Ledger()
    for number in range(40_000):
        ledger.cost(f"k-{number}", "2026-03-01 12:00", -LARGEST if number % 4 == 0 else LARGEST)
    policy = Policy(future_ms=None, pseudonym_key=KEY)
    CorePlayer(spare_client, "roi", "live", policy, ledger.log).play(Random(1), most=9_000)
    migrate(spare)
    old_program.undo()
    for view in ("campaign_minutes", "campaign_hours", "campaign_days"):
        ((cost,),) = spare_client.query(f"SELECT cost_minor FROM roi.{view}").result_rows
        assert cost == 20_000 * LARGEST, view


@pytest.mark.parametrize("year", ["1905", "1969", "2107", "2150", "2299"])
def test_times_that_few_dates_can_hold_are_filled_in_where_workers_would_put_them(
    old_program: pytest.MonkeyPatch, spare: Settings, spare_client: Any, year: str
) -> None:
    ledger = Ledger()
    ledger.cost("k", f"{year}-03-01 10:40", 7)
    policy = Policy(future_ms=None, pseudonym_key=KEY, earliest_ms=-(1 << 60))
    CorePlayer(spare_client, "roi", "filled", policy, ledger.log).play(Random(1))
    migrate(spare)
    old_program.undo()
    CorePlayer(spare_client, "roi", "written", policy, ledger.log).play(Random(1))
    for view in ("campaign_hours", "campaign_days"):
        rows = spare_client.query(f"SELECT run, * EXCEPT run FROM roi.{view} ORDER BY run").result_rows
        assert [row[0] for row in rows] == ["filled", "written"]
        assert rows[0][1:] == rows[1][1:]
