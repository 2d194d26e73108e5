"""Every panel at its edges: nothing there at all, nobody by that name, names that would do harm, ranges without end.

The numbers themselves are held against the oracle in `test_values_BOARD.py`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, get_args

import pytest

from dashboards.definitions.macros import TimeRange
from dashboards.definitions.panel import Unit
from dashboards.generate import HERE
from dashboards.generating.boards import panel_id
from dashboards.registry import BOARDS, PANELS, board_of
from pipeline.api.panel_data import PanelData
from tests.dashboards.conftest import Board, Seeded
from tests.dashboards.plugin import asked, check_types
from tests.dashboards.seeding import DAY_MS
from tests.dashboards.test_values_campaigns import same
from tests.support.endpoint import migrated_endpoint
from tests.support.processes import starts_process

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dashboards.definitions.panel import Panel

END_MS: Final = 4_102_444_800_000
"""2100: the latest that boards can be asked for."""
EVER: Final = (0, END_MS)
HARMFUL: Final = (
    "'",
    "\\",
    "ends in \\",
    "\\'",
    "it's",
    "x' OR 1=1 -- ",
    "') OR ('1'='1",
    "a,b",
    "$__timeFilter(x)",
    "${run:singlequote}",
    "{x:String}",
    "%",
    "\N{RIGHT-TO-LEFT OVERRIDE}מבצע\N{PARTY POPPER}",
    "夏" * 200,
    "two\nlines\t",
    "\0",
)
SHOWN: Final = [panel for panel in PANELS.values() if panel.source == "clickhouse"]
EVERY_PANEL = pytest.mark.parametrize("panel", SHOWN, ids=lambda panel: panel.id)
CHOOSING: Final = [panel for panel in SHOWN if "${campaign:singlequote}" in panel.sql]
COUNTS_NOTHING: Final = {"campaigns-risk"}
"""Says 0 open alerts of whoever is chosen."""
NUMBERS: Final = frozenset(get_args(Unit)) - {"text", "state", "time", "day", "series"}


EVERYTHING: Final = {
    "run": ["live"], "campaign": (), "tier": (), "owner": (), "outcome": ["converted"], "backtest": [""]
}  # fmt: skip


@pytest.fixture(scope="module")
@starts_process
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    """A ClickHouse with its tables and nothing in them."""
    with migrated_endpoint(tmp_path_factory.mktemp("bare")) as settings:
        yield Board(PanelData(settings))


@EVERY_PANEL
def test_where_nothing_has_happened_nothing_is_shown(bare: Board, panel: Panel) -> None:
    rows = bare.show(panel.id, *EVER)
    assert rows == [] or (panel.id in COUNTS_NOTHING and not any(rows[0].values()))


@EVERY_PANEL
def test_ranges_of_no_length_and_of_a_century_are_answered_and_every_number_has_a_unit(
    seeded: Seeded, panel: Panel
) -> None:
    instant = seeded.bank.end_ms - 60 * DAY_MS
    seeded.board.show(panel.id, instant, instant)
    types, rows = asked(seeded.reader, panel, TimeRange.between(*EVER), EVERYTHING)
    if rows:
        check_types(panel, types)
    if "now64" not in panel.sql:
        assert same([list(row) for row in rows], [list(row.values()) for row in seeded.board.show(panel.id, *EVER)])


@pytest.mark.parametrize("panel", CHOOSING, ids=lambda panel: panel.id)
def test_names_that_would_do_harm_choose_nothing_and_add_nothing(seeded: Seeded, panel: Panel) -> None:
    if panel.id not in COUNTS_NOTHING:
        assert seeded.board.show(panel.id, *EVER, campaign=HARMFUL) == []
    if "${owner:singlequote}" in panel.sql and panel.id not in COUNTS_NOTHING:
        assert seeded.board.show(panel.id, *EVER, owner=HARMFUL) == []
    one = seeded.board.show(panel.id, *EVER, campaign=("wide",))
    assert seeded.board.show(panel.id, *EVER, campaign=(*HARMFUL, "wide")) == one


def test_boards_with_the_variable_have_panels_that_follow_it() -> None:
    for board in BOARDS:
        for name in set(board.variables) - {"run"}:
            assert any(f"${{{name}:singlequote}}" in panel.sql for panel in board.panels), (board.id, name)
        used = {name for name in EVERYTHING for one in board.panels if f"${{{name}:" in one.sql}
        assert used <= set(board.variables)


@EVERY_PANEL
def test_grafana_writes_every_number_in_a_unit(panel: Panel) -> None:
    numbers = [
        one.name for one in panel.columns if one.unit in NUMBERS and one.role in {"value", "low", "high", "limit"}
    ]
    for folder in ("grafana", "grafana-zh"):
        board = json.loads((HERE / folder / f"{board_of(panel.id)}.json").read_text())
        (shown,) = (one for one in board["panels"] if one["id"] == panel_id(panel.id))
        config = shown["fieldConfig"]
        units = {
            override["matcher"]["options"]: {one["id"] for one in override["properties"]}
            for override in config["overrides"]
        }
        without = [name for name in numbers if "unit" not in {*units.get(name, ()), *config["defaults"]}]
        assert without == []


def test_the_chinese_boards_ask_what_the_english_ones_ask() -> None:
    for board in BOARDS:
        english, chinese = (
            json.loads((HERE / folder / f"{board.id}.json").read_text()) for folder in ("grafana", "grafana-zh")
        )
        for place, panel in enumerate(english["panels"]):
            for target, other in zip(panel["targets"], chinese["panels"][place]["targets"], strict=True):
                keys = {"rawSql", "expr", "queryType", "format", "datasource", "refId"}
                assert {key: target.get(key) for key in keys} == {key: other.get(key) for key in keys}, panel["title"]
        queries = [[one["query"]["rawSql"] for one in each["templating"]["list"]] for each in (english, chinese)]
        assert queries[0] == queries[1]
        notes = [
            [one["target"]["rawSql"] for one in each.get("annotations", {}).get("list", [])]
            for each in (english, chinese)
        ]
        assert notes[0] == notes[1]
