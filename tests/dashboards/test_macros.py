"""Macros and variables mean on the local board what they mean on Grafana's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.definitions.macros import MacroError, TimeRange, expand, quoted
from dashboards.definitions.variables import VARIABLES
from dashboards.registry import PANELS

if TYPE_CHECKING:
    from dashboards.definitions.panel import Panel

_DAY_MS = 86_400_000
_TIMES = TimeRange(_DAY_MS, 3 * _DAY_MS, 900)
_NONE: dict[str, list[str]] = {
    "run": ["live"],
    "campaign": [],
    "tier": [],
    "owner": [],
    "outcome": ["converted"],
    "backtest": [""],
}


@pytest.mark.parametrize(
    ("macro", "expected"),
    [
        ("$__timeFilter(minute)", "minute >= toDateTime(86400) AND minute <= toDateTime(259200)"),
        (
            "$__timeFilter_ms(at)",
            "at >= fromUnixTimestamp64Milli(86400000) AND at <= fromUnixTimestamp64Milli(259200000)",
        ),
        ("$__dateFilter(day)", "day >= toDate('1970-01-02') AND day <= toDate('1970-01-04')"),
        ("$__fromTime..$__toTime", "toDateTime(86400)..toDateTime(259200)"),
        ("$__timeInterval(minute)", "toStartOfInterval(toDateTime(minute), INTERVAL 900 second)"),
        ("$__interval_s", "900"),
        ("$__timeFilter(f(a))", "f(a) >= toDateTime(86400) AND f(a) <= toDateTime(259200)"),
    ],
)
def test_a_macro_stands_for_what_the_plugin_makes_of_it(macro: str, expected: str) -> None:
    assert expand(macro, _TIMES, _NONE) == expected


def test_a_condition_on_a_variable_without_values_is_always_true() -> None:
    text = "WHERE $__conditionalAll(campaign_id IN (${campaign:singlequote}), $campaign)"
    assert expand(text, _TIMES, _NONE) == "WHERE 1=1"
    chosen = _NONE | {"campaign": ["a", "b'c"]}
    assert expand(text, _TIMES, chosen) == "WHERE campaign_id IN ('a','b\\'c')"


@pytest.mark.parametrize(
    "text", ["$__timeGroup(a, 5m)", "$other", "${campaign}", "$__timeFilter(a, b)", "$__timeFilter(a"]
)
def test_what_only_one_board_would_understand_is_refused(text: str) -> None:
    with pytest.raises(MacroError):
        expand(text, _TIMES, _NONE)


def test_strings_and_comments_are_left_alone() -> None:
    assert expand("SELECT '$run' -- $nothing\n", _TIMES, _NONE) == "SELECT '$run' \n"


@given(st.text())
def test_no_value_ends_its_literal(value: str) -> None:
    literal = quoted([value])
    inside = literal[1:-1]
    assert literal[0] == literal[-1] == "'"
    position = 0
    while position < len(inside):
        assert inside[position] != "'"
        position += 2 if inside[position] == "\\" else 1
    assert position == len(inside)


@pytest.mark.parametrize(
    "panel", [panel for panel in PANELS.values() if panel.source == "clickhouse"], ids=lambda one: one.id
)
def test_every_panel_uses_known_macros_and_variables_only(panel: Panel) -> None:
    expand(panel.sql, _TIMES, _NONE)
    for variable in VARIABLES.values():
        expand(variable.sql, _TIMES, _NONE)
