from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from bench.experiments import __main__ as command
from bench.experiments.family import measure_family
from bench.experiments.page import beyond, plots, render
from bench.experiments.scenarios import SCENARIOS
from bench.experiments.trials import KEYS, measure

DOCS = command.DOCS


def shown() -> dict[str, object]:
    found: dict[str, object] = json.loads((DOCS / "ab.json").read_text(encoding="utf-8"))
    return found


def test_the_page_shows_what_was_measured() -> None:
    page = (DOCS / "ab.md").read_text(encoding="utf-8")
    assert render(shown()).strip() in page
    for name, content in plots(shown()).items():
        assert (DOCS / "img" / name).read_text(encoding="utf-8") == content


def test_every_scenario_was_measured_often_enough() -> None:
    found = shown()
    cells = found["scenarios"]
    assert isinstance(cells, list)
    assert [(cell["metric"], cell["name"]) for cell in cells] == [(one.metric, one.name) for one in SCENARIOS]
    assert min(cell["experiments"] for cell in cells) >= 2000
    assert {cell["metric"] for cell in cells} == {"converted", "return", "aum", "logins"}
    assert "No row is beyond" in beyond(found)


@pytest.mark.parametrize("metric", ["converted", "return", "aum", "logins"])
def test_arms_have_the_same_mean_without_an_effect_and_another_with_one(metric: str) -> None:
    for scenario in SCENARIOS:
        if scenario.metric == metric and "Pareto" not in scenario.name and "2.2" not in scenario.name:
            random, shape = np.random.default_rng(1), (400_000,)
            inclined, one = random.gamma(2.0, 0.5, shape), np.ones(shape)
            plain = scenario.draw(random, inclined / scenario.spread, one * scenario.spread)
            other = scenario.draw(random, inclined, one)
            more = scenario.draw(random, inclined, 2 * one)
            error = np.hypot(plain.std(), other.std()) / np.sqrt(shape[0])
            assert abs(plain.mean() - other.mean()) < 4 * error + 0.02 * abs(other.mean()), scenario.name
            assert more.mean() > other.mean() + 4 * error


def test_the_same_experiments_come_out_again() -> None:
    scenario = replace(SCENARIOS[1], days=10)
    first, again = measure(scenario, 20), measure(scenario, 20)
    assert first == again
    assert first.experiments == 20
    assert set(first.counts) <= set(KEYS)


def test_a_large_effect_is_found() -> None:
    scenario = replace(SCENARIOS[4], days=20)
    assert measure(scenario, 20, 1.5).share("always") > 90


def test_a_family_is_measured() -> None:
    found = measure_family(5)
    assert found["experiments"] == 5
    assert found["adjusted"] <= found["plain"]


@pytest.mark.parametrize("words", [["--experiments", "1"], ["--workers", "0"], ["--write", "--scenarios", "x"]])
def test_wrong_usage_is_told(words: list[str]) -> None:
    with pytest.raises(SystemExit):
        command.parse(words)
