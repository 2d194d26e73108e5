"""Grafana's boards: the committed files are what the definitions make, and hold together."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, get_args

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.definitions.columns import column
from dashboards.definitions.panel import Chart, Panel, Text, Unit
from dashboards.definitions.words import WORDS
from dashboards.generate import HERE, files, main, stale
from dashboards.generating import charts, queries
from dashboards.generating.boards import panel_id
from dashboards.generating.edition import Edition
from dashboards.generating.queries import CHANGE
from dashboards.generating.targets import register
from dashboards.generating.units import UNITS, written
from dashboards.registry import BOARDS, PANELS

if TYPE_CHECKING:
    from pathlib import Path

FILES: Final = sorted(path.relative_to(HERE).as_posix() for path in HERE.glob("grafana*/*.json"))
LOADED: Final[dict[str, dict[str, Any]]] = {name: json.loads((HERE / name).read_text()) for name in FILES}
PLACES: Final = [(name, panel) for name, board in LOADED.items() for panel in board["panels"]]
each_board = pytest.mark.parametrize("board", LOADED.values(), ids=LOADED)
each_panel = pytest.mark.parametrize(("name", "panel"), PLACES, ids=[f"{name}:{one['id']}" for name, one in PLACES])


def columns_of(panel: dict[str, Any]) -> set[str]:
    """The columns of a panel's answer, by the definition that it comes from."""
    for definition in PANELS.values():
        if panel["id"] == panel_id(definition.id):
            return {one.name for one in definition.columns}
        if panel["id"] == panel_id(f"{definition.id}-change"):
            return {f"{one.name}{CHANGE}" for one in definition.columns}
    raise AssertionError(f"no definition has the panel {panel['id']}")


def test_files_are_what_the_definitions_make() -> None:
    assert stale(HERE, files()) == [], "run: python -m dashboards.generate"


def test_a_changed_a_missing_and_a_foreign_file_are_found_and_mended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--to", str(tmp_path)]) == 0
    (tmp_path / "grafana/campaigns.json").write_text("{}")
    (tmp_path / "grafana-zh/campaigns.json").unlink()
    (tmp_path / "grafana/gone.json").write_text("{}")
    capsys.readouterr()
    assert main(["--check", "--to", str(tmp_path)]) == 1
    told = capsys.readouterr().err.splitlines()
    assert [line.split()[0] for line in told] == [
        "grafana-zh/campaigns.json",
        "grafana/campaigns.json",
        "grafana/gone.json",
    ]
    assert all("run: python -m dashboards.generate" in line for line in told)
    assert main(["--to", str(tmp_path)]) == main(["--check", "--to", str(tmp_path)]) == 0


def test_a_word_that_is_no_currency_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--currency", "yuan", "--to", str(tmp_path)])
    assert main(["--currency", "EUR", "--to", str(tmp_path)]) == 0
    assert "currency:financial:€" in (tmp_path / "grafana/campaigns.json").read_text()


def test_every_chart_and_every_unit_has_its_place_in_grafana() -> None:
    assert set(charts.CHARTS) == set(get_args(Chart))
    assert set(UNITS) == set(get_args(Unit))
    for unit in get_args(Unit):
        for chart in get_args(Chart):
            assert "%s" not in written(unit, chart, Edition())[0]


@each_board
def test_a_board_survives_the_sdk(board: dict[str, Any]) -> None:
    register()
    back = Dashboard.from_json(board)
    again = json.loads(JSONEncoder().encode(back))
    assert [panel["targets"] for panel in again["panels"]] == [panel["targets"] for panel in board["panels"]]
    assert again["templating"] == board["templating"]


def test_each_board_is_there_in_both_languages_under_its_own_uid() -> None:
    expected = {f"grafana{folder}/{board.id}.json" for board in BOARDS for folder in ("", "-zh")}
    assert set(LOADED) == expected
    for board in BOARDS:
        assert LOADED[f"grafana/{board.id}.json"]["uid"] == f"roi-{board.id}"
        assert LOADED[f"grafana-zh/{board.id}.json"]["uid"] == f"roi-{board.id}-zh"


@each_board
def test_panels_lie_within_the_grid_and_not_upon_each_other(board: dict[str, Any]) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        assert place["h"] >= 3
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken
        taken |= cells


@each_board
def test_numbers_of_panels_are_unique(board: dict[str, Any]) -> None:
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)


@each_panel
def test_a_panel_says_what_it_shows_and_asks_a_known_data_source(name: str, panel: dict[str, Any]) -> None:
    assert panel["title"], name
    assert len(panel["description"]) > 10
    kinds = {"clickhouse": "grafana-clickhouse-datasource", "prometheus": "prometheus"}
    assert panel["datasource"]["type"] == kinds[panel["datasource"]["uid"]]
    assert panel["targets"]
    for target in panel["targets"]:
        if panel["datasource"]["uid"] == "clickhouse":
            assert target["datasource"] == panel["datasource"]
            assert (target["editorType"], target["pluginVersion"]) == ("sql", "4.20.0")
            assert target["format"] == {"timeseries": 0, "table": 1}[target["queryType"]]


@each_panel
def test_every_override_names_a_column_once(name: str, panel: dict[str, Any]) -> None:
    named = [one["matcher"]["options"] for one in panel["fieldConfig"]["overrides"]]
    if panel["datasource"]["uid"] == "prometheus":
        assert named == [target["refId"] for target in panel["targets"]], name
        return
    assert set(named) <= columns_of(panel), name
    assert len(set(named)) == len(named)
    if panel["type"] in {"table", "stat"}:
        assert named, "columns would be shown by the names of the SQL"


@each_board
def test_variables_that_are_used_are_on_the_board(board: dict[str, Any]) -> None:
    offered = {variable["name"] for variable in board["templating"]["list"]}
    used = set(re.findall(r"\$\{(\w+):(?:singlequote|queryparam)\}", json.dumps(board)))
    assert {name for name in used if not name.startswith("__")} <= offered
    for variable in board["templating"]["list"]:
        assert "allValue" not in variable, "the plugin's $__conditionalAll knows no value of ours for all"
        assert variable["query"]["editorType"] == "sql"


@each_board
def test_links_lead_to_boards_of_the_same_language(board: dict[str, Any]) -> None:
    language = "-zh" if board["uid"].endswith("-zh") else ""
    known = {f"roi-{one.id}{language}" for one in BOARDS}
    for uid in re.findall(r'"/d/([\w-]+)', json.dumps(board)):
        assert uid in known
    (links,) = board["links"]
    assert set(links["tags"]) < set(board["tags"])
    assert links["keepTime"]
    assert links["includeVars"]


@each_board
def test_what_people_read_is_in_the_language_of_the_board(board: dict[str, Any]) -> None:
    chinese = board["uid"].endswith("-zh")
    for text in (board["title"], board["description"], *(panel["description"] for panel in board["panels"])):
        assert bool(re.search(r"[一-鿿]", text)) == chinese, text


def test_states_are_shown_as_words_with_their_colours() -> None:
    board = LOADED["grafana-zh/campaigns.json"]
    ranking = next(panel for panel in board["panels"] if panel["id"] == panel_id("campaigns-ranking"))
    (state,) = [one for one in ranking["fieldConfig"]["overrides"] if one["matcher"]["options"] == "standing"]
    values = {one["id"]: one["value"] for one in state["properties"]}
    assert set(values["mappings"][0]["options"]) == set(WORDS)
    assert values["mappings"][0]["options"]["act"]["text"] == WORDS["act"].text.zh
    assert values["mappings"][0]["options"]["act"]["color"] == "red"


def test_a_band_is_filled_down_to_its_low_and_a_limit_is_a_dashed_line() -> None:
    words = Text("x", "x")
    panel = Panel(
        "campaigns-ranking",
        words,
        words,
        "time",
        (
            column("time", "time"),
            column("return_ratio"),
            column("forecast_low", "low"),
            column("forecast_high", "high"),
            column("min_return_ratio", "limit"),
        ),
    )
    found = {
        one.matcher.options: {entry.id_val: entry.value for entry in one.properties} for one in charts_overrides(panel)
    }
    assert found["forecast_high"]["custom.fillBelowTo"] == "forecast_low"
    assert "custom.fillBelowTo" not in found["forecast_low"]
    assert found["min_return_ratio"]["custom.lineStyle"] == {"dash": [6, 6], "fill": "dash"}
    split = replace(panel, columns=(*panel.columns, column("tier", "label")))
    assert not any("custom.fillBelowTo" in str(one.to_json()) for one in charts_overrides(split))


def charts_overrides(panel: Panel) -> list[Any]:
    from dashboards.generating.fields import overrides_of

    return list(overrides_of(panel, Edition()))


@pytest.mark.parametrize(
    ("ratio", "limit", "shown"),
    [
        (1.9999, 2.0, 1.99),
        (1.995, 2.0, 1.99),
        (1.994, 2.0, 1.994),
        (1.985, 1.99, 1.98),
        (1.9963, 1.9964, 1.99),
        (2.0, 2.0, 2.0),
        (2.0001, 2.0, 2.0001),
        (1.9999, None, 1.9999),
        (None, 2.0, None),
    ],
)
def test_a_ratio_below_its_limit_is_not_rounded_up_to_it(
    clickhouse: Any, ratio: float | None, limit: float | None, shown: float | None
) -> None:
    campaign = PANELS["alerts-open"]
    (expression,) = re.findall(r"^ +(.*) AS return_ratio,?$", queries.asked(campaign), re.MULTILINE)
    bound = {"ratio": ratio, "limit": limit}
    found = clickhouse.query(
        f"SELECT {expression} FROM (SELECT {{ratio:Nullable(Float64)}} AS return_ratio, "
        "{limit:Nullable(Float64)} AS min_return_ratio) AS answer",
        parameters=bound,
    )
    assert found.result_rows == [(shown,)]


def test_sql_stays_the_panels_own_where_grafana_can_show_all_of_it() -> None:
    plain = [panel for panel in PANELS.values() if panel.source == "clickhouse"]
    assert all(panel.sql.strip() in queries.asked(panel) for panel in plain)
    assert any(panel.sql.strip() == queries.asked(panel) for panel in plain)
