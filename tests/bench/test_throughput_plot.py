from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from bench import throughput_plot
from bench.figures import Throughput
from bench.throughput import GETMANY, PLAIN_PATH, STOCK_FAUST, WHOLE_PATH
from bench.throughput_plot import SERIES, plot

if TYPE_CHECKING:
    from pathlib import Path

SPEEDS = {
    WHOLE_PATH: Throughput(1_000_000, 4.0, 2.1),
    PLAIN_PATH: Throughput(1_000_000, 17.0, 10.9),
    GETMANY: Throughput(1_000_000, 2.7, 2.6),
    STOCK_FAUST: Throughput(150_000, 12.0, 12.2),
}
FOUND = [
    {"broker": broker, "mix": mix, "name": name} | speed.as_json()
    for broker in ("kafka", "tansu")
    for mix in ("A", "B")
    for name, speed in SPEEDS.items()
]


def test_every_process_of_every_mix_and_broker_has_a_dot_in_both_figures() -> None:
    drawn = plot(FOUND)
    ET.fromstring(drawn)
    assert drawn.count("<circle") == 2 * len(FOUND)
    for words in ("mix A on kafka", "mix B on tansu", *SERIES.values(), "250,000", "2.1", "81.3"):
        assert f">{words}<" in drawn
    assert "fill='#ffffff'" in drawn.splitlines()[1]  # its own paper, so that it can be read on a dark page too


def test_larger_figures_stand_further_to_the_right() -> None:
    circles = [element for element in ET.fromstring(plot(FOUND[:4])) if element.tag.endswith("circle")]
    rates, costs = ([float(circle.get("cx", "0")) for circle in circles[place::2]] for place in (0, 1))
    assert sorted(range(4), key=rates.__getitem__) == [3, 1, 0, 2]
    assert sorted(range(4), key=costs.__getitem__) == [0, 2, 1, 3]
    assert max(rates) < min(costs)


def test_several_runs_are_drawn_by_their_median_and_what_was_not_measured_is_left_out() -> None:
    runs = [FOUND[0] | {"events_per_second": rate} for rate in (100_000, 110_000, 300_000)]
    drawn = plot(runs)
    assert drawn.count("<circle") == 2
    assert ">110,000<" in drawn
    with pytest.raises(ValueError, match="at least one"):
        plot([])


def test_the_command_draws_what_the_results_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = tmp_path / "found.json"
    results.write_text(json.dumps({"throughput": FOUND}))
    monkeypatch.setattr(sys, "argv", ["throughput_plot", str(results), str(tmp_path)])
    throughput_plot.main()
    assert (tmp_path / "throughput.svg").read_text() == plot(FOUND)
