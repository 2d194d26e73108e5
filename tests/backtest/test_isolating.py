from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from pipeline.alert_settings import AlertSettings
from pipeline.alerts.warehouse import read_warehouse
from pipeline.backtest.backtest import backtest
from pipeline.backtest.deciding import Deciding
from pipeline.backtest.export import past_of_export
from pipeline.backtest.history import CampaignHistory
from pipeline.backtest.past import Range
from pipeline.backtest.peers import peers_over_time
from pipeline.backtest.rules import rules_of_files
from pipeline.backtest.states import alerts_of
from tests.alerts.facts_support import POLICY

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.backtest.past import Past


COSTS = [
    {"campaign_id": name, "product": "p", "at": f"2026-03-{day:02}T00:00:00Z", "cost_minor": 10**6}
    for name in ("a", "odd", "z")
    for day in range(1, 9)
]
CREDITS = [
    {
        "campaign_id": name,
        "customer": f"{name}{number}",
        "touched_at": f"2026-03-0{1 + number % 4}T06:00:00Z",
        "converted_at": f"2026-03-0{2 + number % 4}T0{number % 10}:00:00Z",
        "return_minor": 100 + number,
    }
    for name in ("a", "odd", "z")
    for number in range(20)
]
JUDGED = {
    "while it is looked at": (CampaignHistory, "statistics"),
    "before it is looked at": (CampaignHistory, "last_touches"),
    "by the bank's own transactions": (Deciding, "with_bank_levels"),
    "as of an earlier instant": (Deciding, "outcome_then"),
    "in words": (Deciding, "reasons"),
}


def past_of(tmp_path: Path) -> Past:
    files = tmp_path / "costs", tmp_path / "credits"
    for file, lines in zip(files, (COSTS, CREDITS), strict=True):
        file.write_text("\n".join(map(json.dumps, lines)))
    return past_of_export(read_warehouse(*files, POLICY), Range(None, None, 3_600_000), "an export")


def spoil(monkeypatch: pytest.MonkeyPatch, owner: type, method: str) -> None:
    """Let a method raise whose object, or whose first argument, is of campaign odd."""
    plain = getattr(owner, method)

    def spoilt(self: Any, *given: Any) -> Any:
        of = self if owner is CampaignHistory else getattr(given[0], "history", given[0])
        if of.campaign_id == "odd":
            raise OverflowError("of customer anna")
        return plain(self, *given)

    monkeypatch.setattr(owner, method, spoilt)


@pytest.mark.parametrize("place", JUDGED)
def test_a_campaign_that_makes_the_program_fail_is_named_and_the_others_are_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, place: str
) -> None:
    past = past_of(tmp_path)
    whole = backtest(past, rules_of_files(AlertSettings(), [])).document()
    assert all(one["fired_at"] for one in whole["rules"][1]["campaigns"])
    spoil(monkeypatch, *JUDGED[place])
    found = backtest(past, rules_of_files(AlertSettings(), [])).document()
    for rule, of_all in zip(found["rules"], whole["rules"], strict=True):
        assert rule["campaigns"] == [one for one in of_all["campaigns"] if one["campaign_id"] != "odd"]
    assert any("not judged" in note and "odd" in note for note in found["notes"])
    assert "OverflowError" in caplog.text
    assert "anna" not in caplog.text


def test_a_finished_campaign_that_makes_the_program_fail_teaches_nothing_and_the_others_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def taught(past: Past) -> list[str]:
        settled = [np.arange(past.grid.steps) >= past.grid.steps - 9 for _ in past.histories]
        found = peers_over_time(past.histories, settled, POLICY.calendar(), 400.0)
        return sorted({one.campaign_id for one in found.finished})

    past = past_of(tmp_path)
    assert taught(past) == ["a", "odd", "z"]
    spoil(monkeypatch, CampaignHistory, "finished")
    assert taught(past) == ["a", "z"]
    assert "campaign odd teaches nothing, the others do: OverflowError" in caplog.text
    assert "anna" not in caplog.text


@pytest.mark.parametrize("place", ["as of an earlier instant", "in its verdict"])
def test_the_alerts_of_a_run_are_those_of_the_campaigns_that_can_be_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    past = past_of(tmp_path)
    assert sorted(one.campaign_id for one in alerts_of(past, AlertSettings())) == ["a", "odd", "z"]
    spoil(monkeypatch, *(JUDGED | {"in its verdict": (Deciding, "verdict")})[place])
    assert sorted(one.campaign_id for one in alerts_of(past, AlertSettings())) == ["a", "z"]
