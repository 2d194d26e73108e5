"""Begin and end of campaigns in every spelling that a definition may have: SQL reads what the schema reads."""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.clickhouse import sql
from pipeline.state.policy import Policy
from tests.oracle.building import Ledger
from tests.support.core_player import CorePlayer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def forgotten(clickhouse: Any) -> Iterator[None]:
    """Definitions are the database's and not a run's: none stays behind."""
    yield
    clickhouse.command("TRUNCATE TABLE roi.campaign_log")


@pytest.mark.parametrize(("day", "is_finished"), [("2026-02-28", 1), ("2026-03-02", 0)])
@pytest.mark.parametrize("ends", ["{}t00:00:00z", f"{{}}T00:00:00.{'9' * 21}Z"])
def test_an_experiment_is_finished_when_its_campaign_has_ended_however_that_is_written(
    clickhouse: Any, run_name: str, ends: str, day: str, is_finished: int
) -> None:
    ledger = Ledger()
    ledger.touch("t", "2026-03-01 12:00")
    player = CorePlayer(clickhouse, "roi", run_name, Policy(future_ms=None, pseudonym_key=b"oracle"), ledger.log)
    player.play(Random(1))
    definition = {"ends_at": ends.format(day), "variant_shares": {"control": 1, "A": 1}}
    player.ledger.execute("write_campaign", campaign_id=run_name, definition=json.dumps(definition), version=1)
    known = {row[0]: row[6] for row in player.ledger.fetch("experiments_known")}
    assert known[run_name] == is_finished


def test_the_demo_leaves_out_campaigns_that_have_ended_however_that_is_written(clickhouse: Any, run_name: str) -> None:
    ledger = Ledger()
    ends = {"over": "2026-03-02t00:00:00z", "open": None}
    for number, name in enumerate([*ends, "unknown"]):
        ledger.touch(f"t{number}", "2026-03-01 12:00", campaign=f"demo-{name}")
    player = CorePlayer(clickhouse, "roi", run_name, Policy(future_ms=None, pseudonym_key=b"oracle"), ledger.log)
    player.play(Random(1))
    for name, text in ends.items():
        definition = json.dumps({"name": name.title(), "ends_at": text})
        player.ledger.execute("write_campaign", campaign_id=f"demo-{name}", definition=definition, version=1)
    statement = sql.query("demo_campaigns", "roi").replace("'live'", f"'{run_name}'")
    rows = clickhouse.query(statement).result_rows
    assert {row[0]: row[1] for row in rows if row[0].startswith("demo-")} == {"demo-open": "Open", "demo-unknown": ""}
