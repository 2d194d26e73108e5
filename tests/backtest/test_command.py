"""`roi backtest` on the example's export: what a bank types on its first day."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from examples.warehouse_export import export, write
from pipeline.backtest.past import Range, grid_of
from pipeline.cli import build_app
from pipeline.errors import UserError

if TYPE_CHECKING:
    from typer.testing import Result

RULES: Final = Path(__file__).parents[2] / "examples" / "rules"
COST = {"campaign_id": "a", "product": "p", "at": "2026-03-01T00:00:00Z", "cost_minor": 500_000}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write(tmp_path_factory.mktemp("export"))


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(build_app(), ["backtest", *map(str, arguments)], prog_name="roi")


def small(folder: Path, *costs: dict[str, Any]) -> list[str | Path]:
    (folder / "costs").write_text("\n".join(json.dumps(COST | cost) for cost in costs))
    (folder / "credits").write_text("")
    return ["--costs", folder / "costs", "--credits", folder / "credits", "--workers", "1"]


@pytest.mark.slow
def test_the_example_is_judged_by_every_rule(files: list[Path], tmp_path: Path) -> None:
    costs, credits_file, campaigns = files
    shared: list[str | Path] = [
        "--costs",
        costs,
        "--credits",
        credits_file,
        "--campaigns",
        campaigns,
        "--every",
        "6h",
        "--workers",
        "1",
    ]
    rules: list[str | Path] = ["--rule", RULES / "patient.toml", "--rule", RULES / "lower-limit.toml"]
    result = run(*shared, *rules, "--json", "--png", tmp_path / "plot.png")
    found = json.loads(result.stdout)
    by_name = {rule["name"]: rule for rule in found["rules"]}
    assert list(by_name) == ["plain", "default", "patient", "lower-limit"]
    plain, default = by_name["plain"]["money"], by_name["default"]["money"]
    assert (plain["recall"], plain["precision"] < 0.6) == (1.0, True)
    assert (default["precision"], default["fired"] > 4) == (1.0, True)
    assert default["gain_at_limit_minor"] > 0 > plain["gain_at_limit_minor"]
    assert by_name["patient"]["money"]["median_hours_to_fire"] > default["median_hours_to_fire"]
    assert {one["min_return_ratio"] for one in by_name["lower-limit"]["campaigns"]} == {1.5}
    (fired, *_) = [one for one in by_name["default"]["campaigns"] if one["fired_at"]]
    assert fired["held_from"] < fired["fired_at"] < fired["resolved_at"]
    assert fired["reasons"][0].startswith("stays below 1:2: at most")
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_the_page_shows_what_the_command_prints(files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(files[0].parent)
    shared: list[str | Path] = [
        "--costs",
        files[0].name,
        "--credits",
        files[1].name,
        "--campaigns",
        files[2].name,
        "--workers",
        "1",
    ]
    result = run(*shared, "--rule", RULES / "patient.toml")
    page = (RULES.parents[1] / "docs" / "backtest.md").read_text(encoding="utf-8")
    shown = {line.strip() for line in page.splitlines()}
    assert [line for line in result.stdout.splitlines() if line.strip() not in shown | {""}] == []


def test_a_table_for_people_fits_eighty_columns(files: list[Path]) -> None:
    costs, credits_file, _ = files
    shared: list[str | Path] = ["--costs", costs, "--credits", credits_file, "--every", "1d", "--workers", "1"]
    result = run(*shared, "--rule", RULES / "patient.toml")
    lines = result.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    for words in ("gain at the limit", "return forgone", "median days to fire", " wrong", "not settled yet"):
        assert words in result.stdout


def test_parquet_says_what_ndjson_says(files: list[Path], tmp_path: Path) -> None:
    costs, credits_then, _ = export()
    for name, rows in (("costs", costs), ("credits", credits_then)):
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / name)
    common = ["--every", "1d", "--json", "--workers", "1"]
    mine = run("--costs", tmp_path / "costs", "--credits", tmp_path / "credits", *common)
    other = run("--costs", files[0], "--credits", files[1], *common)
    assert json.loads(mine.stdout)["rules"] == json.loads(other.stdout)["rules"]


def test_without_any_finished_campaign_it_says_that_its_own_data_are_all(tmp_path: Path) -> None:
    result = run(*small(tmp_path, {}, {"at": "2026-03-02T00:00:00Z"}))
    assert "no finished peers, own data only" in " ".join(result.stdout.split())
    assert "1 not settled yet" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--from", "2027-01-01"], "the range is outside of the data; what is known reaches from 2026-03-01T00:00"),
        (["--rule", "none.toml"], "none.toml cannot be read"),
    ],
)
def test_what_cannot_be_is_one_line_with_a_remedy(tmp_path: Path, arguments: list[str], words: str) -> None:
    result = run(*small(tmp_path, {}), *arguments)
    assert result.exit_code == 1
    assert words in result.stderr


def test_a_line_without_a_column_is_named_with_its_place(tmp_path: Path) -> None:
    arguments = small(tmp_path, {}, {})
    (tmp_path / "costs").write_text(f'{json.dumps(COST)}\n{{"campaign_id": "a"}}')
    result = run(*arguments)
    assert result.exit_code == 1
    assert "costs:2: product is missing" in result.stderr


def test_an_empty_export_is_an_error(tmp_path: Path) -> None:
    result = run(*small(tmp_path))
    assert result.exit_code == 1
    assert "hold no cost" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--costs", "c"], "belong together"),
        (["--every", "hourly"], "is no length of time"),
        (["--every", "0h"], "is no length of time"),
        (["--from", "soon"], "is no instant"),
        (["--from", "2026-03-02", "--to", "2026-03-01"], "--to: it is before --from"),
        (["--campaigns", "c"], "belongs to an export"),
        (["--keep", " "], "for --keep: it names nothing"),
        (["--costs", "c", "--credits", "r", "--run", "live"], "for --run: an export is looked at without any run"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_read(arguments: list[str], words: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert words in result.stderr


CREDIT = {"campaign_id": "a", "customer": "ann", "return_minor": 5} | dict.fromkeys(
    ("touched_at", "converted_at"), "2026-03-01T01:00:00Z"
)


@pytest.mark.parametrize("form", ["ndjson", "parquet"])
@pytest.mark.parametrize(
    ("file", "column", "instant", "words"),
    [
        (
            "costs",
            "at",
            "0001-01-01T00:00:00Z",
            "is before 1990-01-01T00:00:00.000Z, the setting time.earliest; correct",
        ),
        ("costs", "at", "9999-12-31T23:59:59Z", "is more than a year ahead of this machine's clock; correct"),
        ("credits", "touched_at", "0001-01-01T00:00:00Z", "the setting time.earliest; correct"),
        ("credits", "touched_at", "1989-12-31T23:59:59Z", "the setting time.earliest; correct"),
        ("credits", "converted_at", "9999-12-31T00:00:00Z", "ahead of this machine's clock; correct"),
    ],
)
def test_a_line_of_another_century_is_named_with_its_place(
    tmp_path: Path, form: str, file: str, column: str, instant: str, words: str
) -> None:
    arguments = small(tmp_path)
    rows = {"costs": [COST] * 3, "credits": [CREDIT] * 3}
    rows[file][1] = rows[file][1] | {column: instant}
    for name, lines in rows.items():
        if form == "parquet":
            moments = [
                {key: datetime.fromisoformat(str(each)) if key.endswith("at") else each for key, each in line.items()}
                for line in lines
            ]
            pq.write_table(pa.Table.from_pylist(moments), tmp_path / name)
        else:
            (tmp_path / name).write_text("\n".join(map(json.dumps, lines)))
    result = run(*arguments)
    assert result.exit_code == 1
    assert f"{file}:2: {column} is " in result.stderr
    assert words in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_an_earlier_time_is_taken_where_the_setting_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = [*small(tmp_path, {"at": "1989-12-30T00:00:00Z"}, {"at": "1989-12-31T00:00:00Z"}), "--json"]
    assert run(*arguments).exit_code == 1
    monkeypatch.setenv("ROI_TIME__EARLIEST", "1980-01-01T00:00:00Z")
    assert json.loads(run(*arguments).stdout)["steps"] == 25


def test_steps_before_anything_happened_are_not_taken(tmp_path: Path) -> None:
    arguments = [*small(tmp_path, {}, {"at": "2026-03-02T00:00:00Z"}), "--json"]
    whole = json.loads(run(*arguments).stdout)
    assert json.loads(run(*arguments, "--from", "1000-01-01T00:00:00Z").stdout) == whole


@pytest.mark.parametrize("begin", ["2026-03-01T00:00:00Z", "2026-03-01T00:00:00.250Z"])
def test_the_steps_are_printed_as_they_can_be_given_again(tmp_path: Path, begin: str) -> None:
    arguments = [*small(tmp_path, {}, {"at": "2026-03-02T00:00:00Z"}), "--every", "12h"]
    printed = " ".join(run(*arguments, "--from", begin).stdout.split())
    first, last = re.findall(r"(\S+) to (\S+) every 720 minutes", printed)[0]
    assert first == begin
    assert " ".join(run(*arguments, "--from", first, "--to", last).stdout.split()) == printed


@pytest.mark.parametrize("arguments", [["--every", "999999d"], ["--every", "7d", "--from", "2026-02-27"]])
def test_steps_that_all_miss_the_data_are_an_error(tmp_path: Path, arguments: list[str]) -> None:
    result = run(*small(tmp_path, {}, {"at": "2026-03-02T00:00:00Z"}), *arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "no step is within the data" in result.stderr
    assert "from 2026-03-01T00:00:00.000Z to 2026-03-02T00:00:00.000Z; choose a shorter --every" in result.stderr


def test_more_steps_than_can_be_looked_at_are_refused() -> None:
    millennia = 8_000 * 365 * 86_400_000
    for ends_at_last in (False, True):
        with pytest.raises(UserError, match="steps are too many"):
            grid_of(Range(None, None, 3_600_000, ends_at_last), 0, millennia)
    assert grid_of(Range(None, None, 86_400_000), 0, millennia).steps == 8_000 * 365 + 1
