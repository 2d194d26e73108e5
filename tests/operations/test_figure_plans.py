from __future__ import annotations

import json
import re
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from dashboards.definitions.words import WORDS
from dashboards.registry import PANELS
from pipeline.cli import build_app
from pipeline.errors import UserError
from pipeline.operations.figure_plans import PLANNABLE, FigurePlan, read_plans

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.settings import Settings

HEADER = "figure,period,target"


def test_every_period_is_written_in_one_way(tmp_path: Path) -> None:
    path = tmp_path / "plans.csv"
    path.write_text(
        f"\ufeff{HEADER}\ntransactions,2026-03,12\namount_minor, 2026-Q4 ,500\nonline_share,2026,0.6\n\n"
        "payments,2026 Q1,\n",
        encoding="utf-8",
    )
    assert read_plans(path) == [
        FigurePlan("transactions", "month", date(2026, 3, 1), 12.0),
        FigurePlan("amount_minor", "quarter", date(2026, 10, 1), 500.0),
        FigurePlan("online_share", "year", date(2026, 1, 1), 0.6),
        FigurePlan("payments", "quarter", date(2026, 1, 1), None),
    ]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("profit,2026,1", "'profit' is no figure to plan"),
        ("transactions,2026-13,1", "'2026-13' is no period"),
        ("transactions,2026-Q5,1", "is no period"),
        ("transactions,0026-01,1", "is no period"),
        ("transactions,2026,many", "the target 'many' is not a number"),
        ("transactions,2026,inf", "is not a number"),
        ("online_share,2026,60", "is not a share between 0 and 1"),
        ("transactions,2026", "2 columns instead of 3"),
    ],
)
def test_a_wrong_line_is_named_with_the_remedy(tmp_path: Path, line: str, words: str) -> None:
    path = tmp_path / "plans.csv"
    path.write_text(f"{HEADER}\ntransactions,2026,1\n{line}\n", encoding="utf-8")
    with pytest.raises(UserError, match=rf"plans\.csv:3: .*{words}.*nothing was applied"):
        read_plans(path)


@pytest.mark.parametrize("content", [b"", b"figure;period;target\n", b"\xff\xfe", b'"' + b"x" * 200_000])
def test_what_is_no_such_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "plans.csv"
    path.write_bytes(content)
    with pytest.raises(UserError):
        read_plans(path)


def test_the_board_holds_exactly_these_figures_against_plans() -> None:
    pairs = re.findall(r"\('(\w+)', '(minor|number|share)'|SELECT \w+, \w+, '(\w+)', '(\w+)'", PANELS["bank-plans"].sql)
    assert {one or other: unit or another for one, unit, other, another in pairs} == PLANNABLE
    assert set(PLANNABLE) <= set(WORDS)


def test_plans_are_set_changed_and_taken_away(tmp_path: Path, migrated: Settings, clickhouse: Any) -> None:
    environment = {
        "ROI_CLICKHOUSE_URL": migrated.clickhouse_url,
        "ROI_CLICKHOUSE_PASSWORD": migrated.clickhouse_password.get_secret_value(),
        "ROI_CLICKHOUSE_WRITER_PASSWORD": migrated.clickhouse_writer_password.get_secret_value(),
    }
    path = tmp_path / "plans.csv"

    def roi(*arguments: str) -> Any:
        result = CliRunner().invoke(build_app(), ["plans", *arguments, "--json"], prog_name="roi", env=environment)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    path.write_text(f"{HEADER}\ntransactions,2026-03,12\nonline_share,2026,0.5\n", encoding="utf-8")
    assert roi("apply", str(path)) == {"applied": 2}
    path.write_text(
        f"{HEADER}\ntransactions,2026-03,12\ntransactions,2026-03,13\nonline_share,2026,\n", encoding="utf-8"
    )
    roi("apply", str(path))
    assert roi("list") == [
        {"figure": "transactions", "period_kind": "month", "period_start": "2026-03-01", "target": 13}
    ]
    clickhouse.command("TRUNCATE TABLE roi.figure_plans")
