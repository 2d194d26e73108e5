"""A warehouse's export and the ledger of the same events come to the same backtest."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.alerts.statistics import HOUR_MS
from pipeline.alerts.warehouse import read_warehouse
from pipeline.backtest.backtest import backtest
from pipeline.backtest.export import past_of_export
from pipeline.backtest.ledger import past_of_run
from pipeline.backtest.past import Range
from pipeline.backtest.rules import rules_of_files
from pipeline.errors import UserError
from tests.alerts.exporting import export_of, ndjson
from tests.alerts.facts_support import POLICY, played
from tests.backtest.stories import bank, plans
from tests.backtest.test_equals_live import LENIENT
from tests.oracle.config import OracleConfig
from tests.oracle.verdicts import judge

if TYPE_CHECKING:
    from pipeline.alerts.warehouse import Warehouse
    from tests.oracle.building import Ledger


def written(folder: Path, ledger: Ledger) -> tuple[Path, Path]:
    files = folder / "costs.ndjson", folder / "credits.ndjson"
    for file, rows in zip(files, export_of(judge(ledger.log, OracleConfig()), {}), strict=True):
        file.write_bytes(ndjson(rows))
    return files


def of_export(warehouse: Warehouse, **span: Any) -> dict[str, Any]:
    given = {"from_ms": None, "to_ms": None, "every_ms": HOUR_MS} | span
    found = backtest(past_of_export(warehouse, Range(**given), "x"), rules_of_files(LENIENT, []))
    return found.document()


def test_it_comes_to_the_same_from_an_export_and_from_the_ledger(
    clickhouse: Any, run_name: str, tmp_path: Path
) -> None:
    ledger = bank(3, billed=False)  # a cost event pays for touches, which an export does not know
    port = played(clickhouse, run_name, ledger.log, 3)
    of_bank = plans(ledger)
    warehouse = read_warehouse(*written(tmp_path, ledger), POLICY, of_bank)
    first, last = warehouse.instants()
    span = Range(first // HOUR_MS * HOUR_MS, last // HOUR_MS * HOUR_MS, HOUR_MS)
    ledgers = backtest(past_of_run(port, POLICY, span, "x", of_bank.values()), rules_of_files(LENIENT, []))
    mine, other = ledgers.document(), of_export(warehouse)
    assert mine == other
    assert any(campaign["fired_at"] for rule in mine["rules"] for campaign in rule["campaigns"])


def test_from_a_later_begin_the_past_before_it_is_known(tmp_path: Path) -> None:
    ledger = bank(3, billed=False)
    warehouse = read_warehouse(*written(tmp_path, ledger), POLICY, plans(ledger))
    whole = of_export(warehouse)
    (one,) = [each for each in whole["rules"][1]["campaigns"] if each["campaign_id"] == "c1"]
    first, last = warehouse.instants()
    later = of_export(warehouse, from_ms=(first // HOUR_MS + 240) * HOUR_MS)
    (same,) = [each for each in later["rules"][1]["campaigns"] if each["campaign_id"] == "c1"]
    assert one["settled_ratio"] == same["settled_ratio"]
    earlier = of_export(warehouse, to_ms=first + 30 * HOUR_MS)
    assert [len(rule["campaigns"]) for rule in earlier["rules"]] == [1, 1]
    assert earlier["rules"][0]["money"]["not_settled"] == 0, "what came after the last step settles it all the same"
    for span in ({"from_ms": last + 1}, {"to_ms": first - 1}):
        with pytest.raises(UserError, match="outside of the data"):
            of_export(warehouse, **span)
    with pytest.raises(UserError, match="--to is before --from"):
        of_export(warehouse, from_ms=last - HOUR_MS, to_ms=first + HOUR_MS)


@pytest.mark.slow
@pytest.mark.process
def test_processes_find_what_one_finds(tmp_path: Path) -> None:
    """Where there is much to look at, it is dealt out: the same document, as a command prints it."""
    ledger = bank(4, billed=False)
    costs, credits_file = written(tmp_path, ledger)
    program = (
        "import json, sys; from pathlib import Path; import pipeline.backtest.backtest as module;"
        "from tests.backtest.test_export import *;"
        "module.ROWS_WORTH_PROCESSES = 0;"
        "past = past_of_export(read_warehouse(Path(sys.argv[1]), Path(sys.argv[2]), POLICY),"
        " Range(None, None, HOUR_MS), 'x');"
        "print(json.dumps(module.backtest(past, rules_of_files(LENIENT, []), workers=2).document()))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, str(costs), str(credits_file)],
        check=True,
        capture_output=True,
        cwd=Path(__file__).parents[2],
    )
    assert json.loads(ran.stdout) == of_export(read_warehouse(costs, credits_file, POLICY))
