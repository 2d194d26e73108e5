"""Begin and end of campaigns in every spelling that a definition may have: SQL reads what the schema reads."""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.clickhouse import sql
from pipeline.state.policy import Policy
from schemas.instants import parse_instant, to_epoch_milliseconds
from tests.oracle.building import Ledger
from tests.support.core_player import CorePlayer
from tests.support.depth import depth

TIMES = "SELECT campaign_id, toUnixTimestamp64Milli(starts_at), toUnixTimestamp64Milli(ends_at) FROM roi.{view}"

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def forgotten(clickhouse: Any) -> Iterator[None]:
    """Definitions are the database's and not a run's: none stays behind."""
    yield
    clickhouse.command("TRUNCATE TABLE roi.campaign_log")


def instant(random: Random, years: tuple[int, int]) -> str:
    """Return an instant in one of the spellings of RFC 3339."""
    day = f"{random.randint(*years):04}-{random.randint(1, 12):02}-{random.randint(1, 28):02}"
    clock = f"{random.randint(0, 23):02}:{random.randint(0, 59):02}:{random.randint(0, 59):02}"
    digits = random.choice((0, 0, 1, 2, 3, 4, 6, 9, 18, 19, 20, 21, 40, 300))
    fraction = "." + "".join(random.choices("0123456789", k=digits)) if digits else ""
    offset = f"{random.choice('+-')}{random.randint(0, 23):02}:{random.randint(0, 59):02}"
    return f"{day}{random.choice('Tt')}{clock}{fraction}{random.choice(('Z', 'z', offset, '-00:00'))}"


@pytest.mark.parametrize("seed", range(depth(3)))
def test_every_spelling_of_an_instant_is_read(clickhouse: Any, run_name: str, seed: int) -> None:
    random = Random(seed)
    ledger = Ledger()
    ledger.touch("t", "2026-03-01 09:00", cost_minor=5)
    policy = Policy(future_ms=None, pseudonym_key=b"oracle")
    player = CorePlayer(clickhouse, "roi", run_name, policy, ledger.log)
    player.play(Random(1))
    wanted = {}
    for number in range(60):
        starts, ends = instant(random, (1900, 2099)), instant(random, (2100, 2299))
        definition = {"starts_at": starts, "ends_at": ends, "variant_shares": {"control": 1, "A": 1}}
        name = f"{run_name}-{number}"
        player.ledger.execute("write_campaign", campaign_id=name, definition=json.dumps(definition), version=1)
        wanted[name] = tuple(to_epoch_milliseconds(parse_instant(text)) for text in (starts, ends))
    conditions = {
        "campaign_plans": "WHERE 1",
        "run_plans": "WHERE run = {run:String}",
        "campaign_budget": "WHERE run = {run:String}",
    }
    for view, condition in conditions.items():
        statement = f"{TIMES.format(view=view)} {condition} AND startsWith(campaign_id, {{run:String}} || '-')"
        rows = clickhouse.query(statement, parameters={"run": run_name}).result_rows
        assert {name: times for name, *times in rows} == {name: list(times) for name, times in wanted.items()}, view


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
    ends = {"over": "2026-03-02t00:00:00z", "finely": f"2026-03-02T00:00:00.{'9' * 21}Z", "open": None}
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
