from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from pipeline.cli.demo_table import Pace, live_table, plain_lines, ratio_bar, state_word

PACE = Pace(events=12_345, events_per_second=2_000.4, lag=17, freshness_seconds=0.26)


def row(**values: Any) -> dict[str, Any]:
    return {
        "campaign_id": "c-1",
        "name": "Spring",
        "reached": 1000,
        "converters": 50,
        "cost_minor": 100_000,
        "return_minor": 150_000,
        "return_ratio": 1.5,
    } | values


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({}, "below 1:2 so far"),
        ({"return_ratio": 2.0}, "above 1:2 so far"),
        ({"converters": 29}, "few converters yet"),
        ({"converters": 30}, "below 1:2 so far"),
        ({"cost_minor": 0, "return_ratio": None}, "no cost yet"),
        ({"alert_state": "firing"}, "FIRING: stays below 1:2"),
        ({"alert_state": "watching"}, "watching"),
        ({"alert_state": "immature", "matured_share": 0.384}, "immature: 38% of return in"),
        ({"alert_state": "immature", "matured_share": None}, "immature"),
        ({"alert_state": "decided", "decision": "stop"}, "decided: stop"),
    ],
)
def test_state_says_no_more_than_the_numbers_carry(values: dict[str, Any], word: str) -> None:
    assert state_word(row(**values)) == word


@pytest.mark.parametrize(
    ("ratio", "bar"),
    [
        (None, "··········│··········"),
        (0.0, "··········│··········"),
        (1.0, "█████·····│··········"),
        (2.0, "██████████│··········"),
        (3.0, "██████████│█████·····"),
        (99.0, "██████████│██████████"),
        (-1.0, "··········│··········"),
    ],
)
def test_bar_has_the_required_ratio_in_its_middle(ratio: float | None, bar: str) -> None:
    assert ratio_bar(ratio) == bar


def test_plain_lines_show_pace_and_campaigns() -> None:
    text = plain_lines([row(), row(name="", return_ratio=None, cost_minor=0)], PACE)
    assert text.splitlines()[0] == "events 12,345 · in 2,000/s · lag 17 · last block 0.3 s ago"
    assert "Spring" in text
    assert "c-1" in text.splitlines()[3]


def test_unknown_pace_is_a_dash() -> None:
    assert str(Pace(0, None, None, None)) == "events 0 · in - · lag - · last block - ago"


def test_screen_shows_as_many_campaigns_as_fit_and_how_many_do_not() -> None:
    output = io.StringIO()
    rows = [row(name=f"[red]campaign {number}") for number in range(40)]
    Console(file=output, width=140).print(live_table(rows, PACE, "board http://x\nCtrl-C", height=20))
    text = output.getvalue()
    assert text.count("[red]campaign") == 12, "names are shown as they are, not as markup"
    assert "… and 28 more" in text
    assert text.rstrip().endswith("Ctrl-C")
