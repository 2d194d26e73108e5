from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from typer.testing import CliRunner

from pipeline.alerts.learning import PeerLibrary, generic_library, learn
from pipeline.alerts.peers import LEDGER, WAREHOUSE, PeerShelf, learn_from_warehouse, write_library
from pipeline.backtest.looked import learn_all
from pipeline.cli import build_app
from tests.alerts.campaigns import peers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pytest

    from pipeline.alerts.statistics import FinishedCampaign
    from pipeline.settings import Settings

FINISHED = peers(6)
PRODUCT, WINDOW = FINISHED[0].product, FINISHED[0].window_hours


class Kept:
    """Table alert_peers in memory."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str, int, int, str]] = []

    def execute(self, name: str, **row: Any) -> None:
        assert name == "write_alert_peers"
        self.rows.append((row["product"], row["source"], row["campaigns"], row["customers"], row["body"]))

    def fetch(self, name: str, **parameters: Any) -> list[list[Any]]:
        assert (name, parameters) == ("alert_peers", {})
        newest = {}
        for version, row in enumerate(self.rows):
            newest[row[0], row[1], json.loads(row[4])["window_hours"]] = [*row, 0, version]
        return list(newest.values())


def test_what_the_ledger_teaches_is_learnt_once_and_kept() -> None:
    kept = Kept()
    shelf = PeerShelf(kept)
    shelf.refresh(FINISHED)
    first = shelf.library(PRODUCT, WINDOW)
    assert first.campaigns == len(FINISHED)
    assert shelf.library(PRODUCT, WINDOW) is first
    shelf.refresh(FINISHED)
    assert shelf.library(PRODUCT, WINDOW) is first
    assert [row[:3] for row in kept.rows] == [(PRODUCT, LEDGER, len(FINISHED))]
    assert PeerLibrary.from_json(kept.rows[0][4]) == first


def test_a_campaign_that_finishes_makes_a_new_version() -> None:
    kept = Kept()
    shelf = PeerShelf(kept)
    shelf.refresh(FINISHED[:-1])
    shelf.library(PRODUCT, WINDOW)
    before = shelf.version
    shelf.refresh(FINISHED)
    assert shelf.version > before
    assert shelf.library(PRODUCT, WINDOW).campaigns == len(FINISHED)
    assert len(kept.rows) == 2
    successor = PeerShelf(kept)
    successor.refresh(FINISHED)
    successor.library(PRODUCT, WINDOW)
    assert len(kept.rows) == 2


def test_a_finished_campaign_of_which_something_has_changed_is_learnt_from_again() -> None:
    shelf = PeerShelf(Kept())
    shelf.refresh(FINISHED)
    before = shelf.library(PRODUCT, WINDOW)
    halved = replace(FINISHED[0], totals={name: values / 2 for name, values in FINISHED[0].totals.items()})
    shelf.refresh([halved, *FINISHED[1:]])
    assert shelf.library(PRODUCT, WINDOW) != before


def test_the_library_that_rests_on_more_campaigns_is_used() -> None:
    kept = Kept()
    assert learn_from_warehouse(kept, FINISHED, ()) == 1
    shelf = PeerShelf(kept)
    shelf.refresh(FINISHED[:2])
    assert shelf.library(PRODUCT, WINDOW).campaigns == len(FINISHED)
    write_library(kept, WAREHOUSE, replace(shelf.library(PRODUCT, WINDOW), campaigns=1))
    shelf.refresh(FINISHED[:2])
    assert shelf.library(PRODUCT, WINDOW).campaigns == 2


def test_a_peer_that_makes_the_program_fail_teaches_nothing_and_the_others_do(caplog: pytest.LogCaptureFixture) -> None:
    kept = Kept()
    shelf = PeerShelf(kept)
    odd = replace(FINISHED[2], totals={"a": "of customer anna"})  # type: ignore[dict-item] # what makes it fail
    others = [*FINISHED[:2], *FINISHED[3:]]
    shelf.refresh([*others, odd])
    assert shelf.library(PRODUCT, WINDOW) == learn(others, PRODUCT, WINDOW)
    assert [row[:3] for row in kept.rows] == [(PRODUCT, LEDGER, len(others))]
    (question,) = learn_all([(PRODUCT, WINDOW, tuple(range(len(FINISHED))))], [*others, odd], 1)
    assert question == shelf.library(PRODUCT, WINDOW), "as in a backtest"
    assert f"campaign {odd.campaign_id} teaches nothing, the others do: " in caplog.text
    assert "anna" not in caplog.text
    shelf.refresh([odd])
    assert shelf.library(PRODUCT, WINDOW) == generic_library(PRODUCT, WINDOW)


def test_peers_who_make_the_program_fail_together_teach_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def odd(finished: Sequence[FinishedCampaign], product: str, window_hours: float) -> PeerLibrary:
        if len(finished) > 3:
            raise ZeroDivisionError
        return learn(finished, product, window_hours)

    monkeypatch.setattr("pipeline.alerts.teachers.learn", odd)
    shelf = PeerShelf(Kept())
    shelf.refresh(FINISHED)
    assert shelf.library(PRODUCT, WINDOW) == generic_library(PRODUCT, WINDOW)
    assert [record.getMessage().split(":")[0] for record in caplog.records] == [
        f"finished campaigns of {PRODUCT} teach nothing together"
    ]


def test_a_kept_library_that_cannot_be_read_counts_as_none(caplog: pytest.LogCaptureFixture) -> None:
    kept = Kept()
    kept.rows.append((PRODUCT, WAREHOUSE, 9, 9, json.dumps({"window_hours": WINDOW, "of_a_later_version": 1})))
    learn_from_warehouse(kept, [replace(one, product="gold") for one in FINISHED], ())
    shelf = PeerShelf(kept)
    for _ in range(2):
        shelf.refresh(FINISHED[:3])
    assert shelf.library(PRODUCT, WINDOW).campaigns == 3
    assert shelf.library("gold", WINDOW).campaigns == len(FINISHED)
    assert len(caplog.records) == 1


def test_a_product_without_peers_has_the_generic_library_which_is_not_kept() -> None:
    kept = Kept()
    shelf = PeerShelf(kept)
    shelf.refresh(FINISHED)
    assert shelf.library("gold", WINDOW).campaigns == 0
    assert kept.rows == []


def test_a_warehouses_history_is_taken_in_by_the_command(
    migrated: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs, returns = _export(tmp_path)
    for name, value in (
        ("URL", migrated.clickhouse_url),
        ("PASSWORD", migrated.clickhouse_password.get_secret_value()),
        ("WRITER_PASSWORD", migrated.clickhouse_writer_password.get_secret_value()),
    ):
        monkeypatch.setenv(f"ROI_CLICKHOUSE_{name}", value)
    words = ["alerts", "peers", "--learn", "--costs", str(costs), "--credits", str(returns)]
    done = CliRunner().invoke(build_app(), words)
    assert done.exit_code == 0, done.output
    assert done.output.startswith("learnt from 4 finished campaigns: 1 library")
    listed = CliRunner().invoke(build_app(), ["alerts", "peers", "--json"])
    (found,) = [row for row in json.loads(listed.output) if row["product"] == "test-of-a-warehouse"]
    assert (found["source"], found["campaigns"]) == ("warehouse", 4)
    assert CliRunner().invoke(build_app(), words[:-2]).exit_code == 2


def _export(folder: Path) -> tuple[Path, Path]:
    """Write four campaigns that are over and one that is not."""
    draw = random.Random(4)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    costs, returns = folder / "costs.ndjson", folder / "credits.ndjson"
    with costs.open("w") as spent, returns.open("w") as earned:
        for number in range(5):
            begin = start + timedelta(days=60 * (number == 4))
            for hour in range(48):
                at = begin + timedelta(hours=hour)
                cost = {"campaign_id": f"w{number}", "product": "test-of-a-warehouse", "at": at.isoformat()}
                spent.write(json.dumps(cost | {"cost_minor": 1000}) + "\n")
            for customer in range(60):
                touched = begin + timedelta(hours=draw.randrange(48))
                line = {
                    "campaign_id": f"w{number}",
                    "customer": f"c{customer}",
                    "touched_at": touched.isoformat(),
                    "converted_at": (touched + timedelta(hours=draw.uniform(0, 40))).isoformat(),
                    "return_minor": round(1000 * draw.lognormvariate(0, 0.5)),
                }
                earned.write(json.dumps(line) + "\n")
    return costs, returns
