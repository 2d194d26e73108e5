"""docs/stop-rule.md shows what docs/stop-rule.json holds, and that belongs to the rule as it is."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from bench.stop_rule.__main__ import DOCS, parse
from bench.stop_rule.page import beyond, render, table
from bench.stop_rule.plots import plots
from bench.stop_rule.runs import CURVE, DEAD_RATIO, SEED, SIZES, cells_of, constants, measured, processes, rounds_of
from bench.stop_rule.scenarios import CURVES, DEAD, MIXES, SCENARIOS
from bench.stop_rule.studied import STUDIED
from bench.stop_rule.svg import Axis, Dot, rows
from tools.readme import with_section

PAGE = (DOCS / "stop-rule.md").read_text(encoding="utf-8")
KEPT: dict[str, Any] = json.loads((DOCS / "stop-rule.json").read_text(encoding="utf-8"))
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
FIXED = {  # stopped in %, median days
    "base: 600 touches a day, σ 1.0": (86.67, 11.3),
    "two products": (66.67, 12.1),
    "0 peers": (80.0, 12.0),
}
AGAIN = "run python -m bench.stop_rule --write"


def test_the_page_shows_the_committed_results() -> None:
    assert with_section(PAGE, "calibration", render(KEPT)) == PAGE, "run python -m bench.stop_rule --draw"
    for name, content in plots(KEPT).items():
        assert (DOCS / "img" / name).read_text(encoding="utf-8") == content, "run python -m bench.stop_rule --draw"
        assert f"img/{name}" in PAGE


def test_the_results_belong_to_the_rule_as_it_is() -> None:
    assert KEPT["constants"] == constants(), AGAIN
    assert KEPT["seed"] == SEED


def test_every_scenario_is_in_the_results_at_every_ratio_of_the_table() -> None:
    assert list(KEPT["scenarios"]) == [scenario.name for scenario in SCENARIOS], AGAIN
    for name, cells in KEPT["scenarios"].items():
        assert set(cells) >= {f"{ratio:.1f}" for ratio in SIZES}, name
        assert cells["2.0"]["campaigns"] >= 2000
    for scenario in CURVES:
        assert {f"{ratio:.1f}" for ratio in CURVE} <= set(KEPT["scenarios"][scenario.name])
    assert set(KEPT["mixes"]) == {scenario.name for scenario in MIXES}
    assert set(STUDIED) <= set(BY_NAME)
    assert sum(scenario.group == "drawn last" for scenario in SCENARIOS) >= 6
    assert {name for name, cells in KEPT["scenarios"].items() if f"{DEAD_RATIO:.1f}" in cells} == {
        scenario.name for scenario in DEAD
    }


def test_where_the_promise_does_not_hold_the_page_says_so_by_name() -> None:
    prose = PAGE.partition("<!-- calibration: end -->")[2]
    clearly = {
        name for name, ratio, share, error in beyond(KEPT["scenarios"]) if share - 2 * error > 5.0 or ratio == "2.4"
    }
    assert not [name for name in clearly if name not in prose]


def test_a_tiny_run_gives_the_same_numbers_as_ever() -> None:
    """A change of the rule, the learning or the simulation shows here: who means it writes the new numbers down."""
    scenarios = [BY_NAME[name] for name in ("base: 600 touches a day, σ 1.0", "two products", "0 peers")]
    with processes(1) as pool:
        found = measured(cells_of(scenarios, 60, [1.4]), pool, lambda _: None)
    cells = {name: (of_one["1.4"]["stopped"], of_one["1.4"]["days"]) for name, of_one in found.items()}
    assert cells == FIXED


def test_two_rounds_hold_a_tenth_of_every_cell() -> None:
    rounds = rounds_of(cells_of(SCENARIOS[:2], 2000))
    assert len(rounds) == 20
    for pair in zip(rounds[::2], rounds[1::2], strict=True):
        counts = {
            ratio: sum(task.campaigns for each in pair for task in each if task.true_ratio == ratio) for ratio in SIZES
        }
        assert counts == {2.0: 2 * 200, 1.4: 2 * 200, 2.4: 2 * 100, 1.0: 2 * 50}


def test_a_run_whose_time_is_over_ends_after_its_first_round() -> None:
    told: list[object] = []
    with processes(1) as pool:
        found = measured(cells_of(SCENARIOS[:1], 500, [3.0]), pool, told.append, seconds=0)
    assert len(told) == 1
    assert found[SCENARIOS[0].name]["3.0"]["campaigns"] == 50


def test_the_table_names_what_is_beyond_the_promise() -> None:
    cell = {"campaigns": 10, "converters": 9.0, "stopped": 7.5, "error": 1.0, "days": None, "plain": 99.0}
    scenarios = {"x": {"2.0": cell, "2.4": cell | {"stopped": 0.5}, "1.4": cell, "1.0": cell | {"days": 3.25}}}
    assert beyond(scenarios) == [("x", "2.0", 7.5, 1.0)]
    assert "| x (9) | **7.5** ±1.0 | 0.5 | **8** ±1 | 8 | - / 3.2 |  | 99 |" in table({"scenarios": scenarios})


def test_plots_are_well_formed_and_stay_inside_their_axes() -> None:
    drawn = rows("a < b", range(11), ("one",), {"x & y": [Dot(20.0, 1.0)], "none": [None]}, 5)
    root = ET.fromstring(drawn)
    circles = [float(element.attrib["cx"]) for element in root.iter() if element.tag.endswith("circle")]
    assert circles == [340.0, 840.0]
    assert Axis(0, 10, 100, 200).at(-5) == 100


@pytest.mark.parametrize("words", [["--campaigns", "0"], ["--workers", "0"], ["--write", "--scenarios", "base"]])
def test_wrong_options_are_refused(words: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        parse(words)
    assert stopped.value.code == 2
