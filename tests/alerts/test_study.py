"""The rule against the study's own code: numbers that it found on campaigns that it drew (tests/alerts/study).

Not compared is the boundary, whose constants are others here (pipeline/alerts/boundary.py says why).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from pipeline.alerts.learning import generic_library, learn
from pipeline.alerts.looks import Inputs, look
from tests.alerts.campaigns import WINDOW, Events, finish, statistics_at

if TYPE_CHECKING:
    from pipeline.alerts.learning import PeerLibrary

STUDY = sorted(Path(__file__).with_name("study").glob("*.json"))


def events(body: dict[str, Any]) -> Events:
    touch = np.array(body["touch"], dtype=np.int64)
    hourly = body["touches"]
    gone = body["reversed_at"] or [None] * len(touch)
    return Events(
        touches=np.full(hourly[1], float(hourly[0])) if len(hourly) == 2 else np.array(hourly, dtype=np.float64),
        touch=touch,
        at=np.array(body["at"]),
        value=np.array(body["value"]),
        customer=np.array(body["customer"] or range(len(touch)), dtype=np.int64),
        product=np.array(body["product"] or np.zeros(len(touch)), dtype=np.int64),
        reversed_at=np.array([np.inf if at is None else at for at in gone]),
        weekday=body["weekday"],
        unit_cost=1.0,
        lags=np.array(body["lag"], dtype=np.int64),
    )


def library_of(body: dict[str, Any]) -> PeerLibrary:
    peers = [finish(events(one), f"peer-{place}", lag_offset=0.5) for place, one in enumerate(body["peers"])]
    return learn(peers, "savings", WINDOW) if peers else generic_library("savings", WINDOW)


@pytest.mark.parametrize("path", STUDY, ids=lambda path: str(path.stem))
def test_every_step_agrees_with_the_study(path: Path) -> None:
    body = json.loads(path.read_text(encoding="utf-8"))
    library = library_of(body)
    campaigns = [events(one) for one in body["campaigns"]]
    rows = [(campaigns[one["campaign"]], one["hours"]) for one in body["looks"]]
    # the study took the reversal rate of its peers as it was
    statistics = statistics_at(rows, reversed=None)
    count = len(rows)
    which = np.zeros(count, dtype=np.int64)
    seen = look(Inputs(statistics, (library,), which, np.full(count, 2.0), np.full(count, 0.95), None))
    found = {
        "converters": seen.levels.converters,
        "matured_low": seen.matured.low,
        "matured_mean": seen.matured.mean,
        "effective": seen.levels.effective,
        "change": seen.change,
        "root": seen.root,
    }
    for name, values in found.items():
        assert values == pytest.approx([one[name] for one in body["looks"]], rel=2e-3, abs=8e-3), name
    own = [place for place, one in enumerate(body["looks"]) if one["own"]]
    for name, values in {"log_mean": seen.levels.log_mean, "noise": seen.levels.noise}.items():
        assert values[own] == pytest.approx([body["looks"][place][name] for place in own], rel=2e-3), name
    assert seen.own.tolist() == [one["own"] for one in body["looks"]]


def test_the_study_is_there() -> None:
    assert {path.stem for path in STUDY} == {"plain", "heavy_reversed", "two_products", "no_peers", "nearly_dead"}
