"""What only a real engine can show: parts, SQL, types and rights."""

from __future__ import annotations

import inspect
import re
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.api.campaigns import campaigns
from pipeline.clickhouse import sql
from pipeline.clickhouse.connection import connect
from pipeline.clickhouse.migrations import migrate
from pipeline.clickhouse.reader import Reader
from pipeline.ledger.body import body_of, encode
from pipeline.ledger.ledger import Block, ClickHouseLedger, LedgerUnavailableError
from pipeline.state.policy import Policy
from pipeline.state.rows import COHORT, MINUTE, TIER, VARIANT, CellColumns, CellMeasure, DayColumns, DayMeasure
from tests.ledger.building import block_of, part, touch_facts
from tests.oracle.compare import KEYS, differences
from tests.oracle.config import MODELS, OracleConfig
from tests.oracle.evaluate import evaluate
from tests.oracle.generators import random_log
from tests.state.rules import KEY, under_model
from tests.support.core_player import VIEWS, CorePlayer
from tests.support.fakes import FakeLedger
from tests.support.fakes_player import MemoryPlayer

if TYPE_CHECKING:
    from pipeline.settings import Settings

QUERIES = sorted(path.stem for path in (sql.ROOT / "queries").glob("*.sql"))
_TOTALS = (
    "touches reached conversions converters cost_minor return_minor aum_minor conversion_rate cpa_minor"
    " return_ratio net_roi updated_at"
)
# contract section 5 and the hours and days beside minutes; alerts have tests of their own
CONTRACT = {
    "campaign_totals": f"run campaign_id {_TOTALS}",
    "campaign_variant_totals": f"run campaign_id variant {_TOTALS}",
    "campaign_tier_totals": f"run campaign_id tier {_TOTALS}",
    "campaign_minutes": "run campaign_id minute touches new_reached conversions new_converters cost_minor"
    " return_minor aum_minor",
    "campaign_hours": "run campaign_id hour touches new_reached conversions new_converters cost_minor"
    " return_minor aum_minor",
    "campaign_days": "run campaign_id day touches new_reached conversions new_converters cost_minor"
    " return_minor aum_minor",
    "campaign_cohorts": "run campaign_id touch_day lag_day conversions return_minor cost_minor reached",
    "active_users": "run day tier dau wau mau mau_gross reactivated",
    "credits": "run transaction_event_id touch_event_id campaign_id variant customer_hash credit_millionths"
    " return_minor aum_minor touched_at converted_at",
    "dead_letters": "topic partition offset reason detail at",
    "ab_results": "run campaign_id metric variant n mean lift ci_low ci_high p_value always_valid_p srm_p decision",
}
_WHOLE = re.compile(r"U?Int\d+$")
_TEXT = re.compile(r"(LowCardinality\()?String\)?$")
TYPES = {
    "touches": _WHOLE,
    "reached": _WHOLE,
    "new_reached": _WHOLE,
    "converters": _WHOLE,
    "new_converters": _WHOLE,
    "cost_minor": _WHOLE,
    "return_minor": _WHOLE,
    "aum_minor": _WHOLE,
    "credit_millionths": _WHOLE,
    "dau": _WHOLE,
    "wau": _WHOLE,
    "mau": _WHOLE,
    "mau_gross": _WHOLE,
    "reactivated": _WHOLE,
    "lag_day": _WHOLE,
    "offset": _WHOLE,
    "partition": _WHOLE,
    "conversions": re.compile("Float64$"),
    "conversion_rate": re.compile(r"Nullable\(Float64\)"),
    "cpa_minor": re.compile(r"Nullable\(Float64\)"),
    "return_ratio": re.compile(r"Nullable\(Float64\)"),
    "net_roi": re.compile(r"Nullable\(Float64\)"),
    "minute": re.compile(r"DateTime64\(0"),
    "hour": re.compile(r"DateTime64\(0"),
    "touched_at": re.compile("DateTime64"),
    "converted_at": re.compile("DateTime64"),
    "at": re.compile("DateTime64"),
    "updated_at": re.compile("DateTime64"),
    "day": re.compile("Date32$"),
    "touch_day": re.compile("Date32$"),
    "run": _TEXT,
    "campaign_id": _TEXT,
    "variant": _TEXT,
    "tier": _TEXT,
    "customer_hash": _TEXT,
    "transaction_event_id": _TEXT,
    "touch_event_id": _TEXT,
    "topic": _TEXT,
    "reason": _TEXT,
    "detail": _TEXT,
    "metric": _TEXT,
    "n": _WHOLE,
    **dict.fromkeys(
        ("mean", "lift", "ci_low", "ci_high", "p_value", "always_valid_p", "srm_p"), re.compile(r"Nullable\(Float64\)")
    ),
    "decision": re.compile(r"LowCardinality\(Nullable\(String\)\)"),
}
_VALUES = {
    "String": "nobody",
    "UInt32": 1,
    "UInt64": 1,
    "Int64": 1,
    "Array(UInt8)": [1],
    "Array(UInt32)": [1],
    "Array(UInt64)": [1],
    "Array(Int64)": [0],
    "Array(String)": ["nobody"],
    "Date": "2026-03-01",
    "UInt8": 1,
    "Bool": False,
    "Float64": 1.0,
    "Array(Array(String))": [["nobody"]],
    "Identifier": "ledger",
}

# what pipeline/comparison fills in before a query is sent: a view, and its columns
_GAPS = {
    "{view}": "campaign_totals",
    "{exact}": "campaign_id, cost_minor",
    "{inexact}": "return_ratio",
    "{nothing}": "cost_minor = 0",
}
_NAMED = {"zone": "UTC"}  # a name that is none would be refused


@pytest.fixture(scope="module")
def empty(spare: Settings, spare_client: Any) -> Any:
    """A client of a ClickHouse that is migrated and has no row."""
    spare_client.command("DROP DATABASE IF EXISTS roi")
    migrate(spare)
    return spare_client


def _type_of(clickhouse: Any, view: str) -> dict[str, str]:
    return dict(
        clickhouse.query(
            f"SELECT name, type FROM system.columns WHERE database = 'roi' AND table = '{view}'"
        ).result_rows
    )


@pytest.mark.parametrize("view", CONTRACT)
def test_a_view_has_the_columns_of_the_contract(clickhouse: Any, view: str) -> None:
    types = _type_of(clickhouse, view)
    assert set(CONTRACT[view].split()) <= set(types), f"{view}: readers of the contract would find no such column"
    wrong = {name: types[name] for name in CONTRACT[view].split() if not TYPES[name].match(types[name])}
    assert wrong == {}, f"{view}: readers would get other types than the contract says"
    assert "run" in types  # every view takes it


@pytest.mark.parametrize("view", VIEWS)
def test_an_empty_view_is_empty(empty: Any, view: str) -> None:
    assert empty.query(f"SELECT * FROM roi.{view} WHERE run = 'nobody'").result_rows == []


def test_the_oracle_looks_at_the_columns_that_name_a_row(clickhouse: Any) -> None:
    for view in VIEWS:
        assert set(KEYS[view]) <= set(_type_of(clickhouse, view))


@pytest.mark.parametrize("name", QUERIES)
def test_every_query_binds_and_runs_on_an_empty_database(empty: Any, name: str) -> None:
    if name in {"write_block", "write_alerts"}:
        pytest.skip("is written by the contract's tests, with a body")
    if name in {"take_migration_lock", "beat_migration_lock", "count_migration_beats"}:
        pytest.skip("is run by tests of the lock, which make its table and drop it")
    statement = sql.query(name, "roi")
    for gap, text in _GAPS.items():
        statement = statement.replace(gap, text)
    parameters = dict(re.findall(r"{(\w+):([\w()]+)}", statement))
    values = {each: _NAMED[each] if each in _NAMED else _VALUES[kind] for each, kind in parameters.items()}
    empty.raw_query(statement, parameters=values)


def test_a_block_of_several_shards_and_kinds_is_one_part(clickhouse: Any, run_name: str) -> None:
    ledger = ClickHouseLedger(clickhouse, "roi", run_name, "first")
    ledger.claim([0, 3, 65_536])
    many = touch_facts(*[f"t{number}" for number in range(5_000)])
    ledger.write(block_of(part(0, touches=many), part(3, touches=many), part(65_536)))
    parts = clickhouse.query(
        f"SELECT _part, count() FROM roi.ledger WHERE run = '{run_name}' GROUP BY _part"
    ).result_rows
    assert [count for _, count in parts] == [10_003]


def test_measures_have_the_names_that_the_core_gives_their_places(clickhouse: Any, run_name: str) -> None:
    cells = CellColumns(["spring"], ["A"], [0], [0], [0], [1], [10 + measure for measure in CellMeasure])
    days = DayColumns(["A"], [1], [1], [20 + measure for measure in DayMeasure])
    ledger = ClickHouseLedger(clickhouse, "roi", run_name, "first")
    ledger.claim([0])
    ledger.write(block_of(part(0, cells={TIER: cells}, days=days)))
    for view, measures, first in (("named_cells", CellMeasure, 10), ("named_days", DayMeasure, 20)):
        (row,) = clickhouse.query(f"SELECT * FROM roi.{view} WHERE run = '{run_name}'").named_results()
        assert {each: row[each.name.lower()] for each in measures} == {each: first + each for each in measures}


def test_cells_by_time_that_an_older_program_wrote_of_informing_models_are_not_shown(
    clickhouse: Any, run_name: str
) -> None:
    ledger = ClickHouseLedger(clickhouse, "roi", run_name, "first")
    ledger.claim([0])
    two = CellColumns(["spring"] * 2, [""] * 2, [7] * 2, [0] * 2, [0, 1], [1] * 2, [1] * 14)
    both = part(0, cells=dict.fromkeys((TIER, VARIANT, MINUTE, COHORT), two))
    ledger.write(Block(1, {0: 1}, *body_of(encode(both, ("", "linear"), 0))))
    shown = clickhouse.query(f"SELECT family, decides FROM roi.named_cells WHERE run = '{run_name}'").result_rows
    assert sorted(shown) == [("cohort", 1), ("minute", 1), ("tier", 0), ("tier", 1), ("variant", 0), ("variant", 1)]


def test_a_reader_may_not_write(migrated: Settings, run_name: str) -> None:
    reader = connect(migrated, "reader")
    with pytest.raises(LedgerUnavailableError):
        ClickHouseLedger(reader, "roi", run_name, "reader").claim([0])
    reader.close()


def test_the_board_reads_campaigns_with_the_ratio_that_each_wants(spare: Settings, empty: Any) -> None:
    name = "asks-for-three"
    ledger = ClickHouseLedger(empty, "roi", "live", "first")
    ledger.claim([9])
    cells = CellColumns([name, "silent"], ["A"] * 2, [0] * 2, [0] * 2, [0] * 2, [1] * 2, [1, 1, 0, 0, 100, 200, 0] * 2)
    ledger.write(block_of(part(9, cells={TIER: cells})))
    ledger.execute("write_campaign", campaign_id=name, definition='{"min_return_ratio": 3.5}', version=1)
    wanted = {row["campaign_id"]: row["min_return_ratio"] for row in campaigns(spare)}
    assert (wanted[name], wanted["silent"]) == (3.5, 2.0)


def test_the_fake_gives_the_views_that_sql_gives(clickhouse: Any, run_name: str) -> None:
    log = random_log(11, 200)
    policy = Policy(models=MODELS, future_ms=None, pseudonym_key=KEY)
    real, fake = CorePlayer(clickhouse, "roi", run_name, policy, log), MemoryPlayer(policy, log)
    real.play(Random(1))
    fake.play(Random(1), crashes=2)
    for views in (real.views(), fake.views()):
        for model in MODELS:
            expected = evaluate(log, OracleConfig(run=run_name, model=model))
            shown = views if model == MODELS[0] else under_model(views, model)
            compared = VIEWS if model == MODELS[0] else ["credits"]
            assert differences(expected, shown, views=compared, run=run_name) == []
    columns = (
        "campaign_id",
        "model",
        "decides",
        "touches",
        "reached",
        "converters",
        "cost_minor",
        "return_minor",
        "aum_minor",
        "net_roi",
    )
    by_sql = clickhouse.query(
        f"SELECT {', '.join(columns)} FROM roi.campaign_model_totals WHERE run = '{run_name}'"
    ).result_rows
    by_fake = [tuple(row[name] for name in columns) for row in fake.views()["campaign_model_totals"]]
    assert sorted(by_sql, key=repr) == sorted(by_fake, key=repr)


def test_the_fake_answers_every_query_that_loads_state() -> None:
    answered = {name[1:] for name, _ in inspect.getmembers(FakeLedger, inspect.isfunction)}
    assert {name for name in QUERIES if name.startswith("load_")} <= answered


@pytest.mark.parametrize("text", ["a", r"\N", r"a\b", "a\tb\nc\rd\0e", "\\", "it's", r"\x41", "名\u202e", r"\\N"])
def test_a_parameter_arrives_as_it_was_given(migrated: Settings, text: str) -> None:
    question = "SELECT {text:String} AS text, {number:Int64} AS number"
    assert Reader(migrated).rows(question, {"text": text, "number": -5}) == [{"text": text, "number": -5}]
