from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pipeline.alert_settings import AlertSettings
from pipeline.alerts.warehouse import read_warehouse
from pipeline.backtest.backtest import backtest
from pipeline.backtest.export import past_of_export
from pipeline.backtest.history import CampaignHistory
from pipeline.backtest.past import Range
from pipeline.backtest.rules import rules_of_files
from tests.alerts.facts_support import POLICY

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from pipeline.alerts.statistics import Integers


def test_a_campaign_that_makes_the_program_fail_is_named_and_the_others_are_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    costs = [
        {"campaign_id": name, "product": "p", "at": f"2026-03-{day:02}T00:00:00Z", "cost_minor": 10**6}
        for name in ("a", "odd", "z")
        for day in range(1, 9)
    ]
    files = tmp_path / "costs", tmp_path / "credits"
    files[0].write_text("\n".join(map(json.dumps, costs)))
    files[1].write_text("")
    plain = CampaignHistory.statistics

    def statistics(self: CampaignHistory, steps: Integers) -> Any:
        if self.campaign_id == "odd":
            raise OverflowError("of customer anna")
        return plain(self, steps)

    def document() -> dict[str, Any]:
        past = past_of_export(read_warehouse(*files, POLICY), Range(None, None, 3_600_000), "an export")
        found: dict[str, Any] = backtest(past, rules_of_files(AlertSettings(), [])).document()
        return found

    whole = document()
    monkeypatch.setattr(CampaignHistory, "statistics", statistics)
    found = document()
    for rule, of_all in zip(found["rules"], whole["rules"], strict=True):
        assert rule["campaigns"] == [one for one in of_all["campaigns"] if one["campaign_id"] != "odd"]
    assert any("not judged" in note and "odd" in note for note in found["notes"])
    assert "OverflowError" in caplog.text
    assert "anna" not in caplog.text
