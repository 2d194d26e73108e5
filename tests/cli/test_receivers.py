"""Receivers as `roi doctor` and `roi up` tell of them: without their keys."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pipeline.cli.doctor import check_receivers, given_up_finding, masked, unknown_finding
from pipeline.settings import Settings
from tests.architecture.sources import ROOT

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
RECEIVERS = {
    "floor": {"url": "webhook+https://robot:sesame@bank.example/sesame?key=sesame", "secret": SECRET},
    "chat": {"url": "wecombot://sesame-12345678"},
    "bad": {"url": "carrier-pigeon://sesame"},
}


def test_receivers_are_listed_without_their_keys_and_what_is_wrong_is_named() -> None:
    settings = Settings(receivers=RECEIVERS, alerts={"receivers": ["floor", "nobody"]})
    findings = {finding.check: finding for finding in check_receivers(settings)}
    assert {name: finding.state for name, finding in findings.items()} == {
        "receiver floor": "ok",
        "receiver chat": "ok",
        "receiver bad": "failed",
        "alerts.receivers": "failed",
    }
    assert findings["receiver floor"].detail == "webhook+https://bank.example/***"
    assert "'nobody'" in findings["alerts.receivers"].detail
    shown = f"{findings} {masked(settings)}"
    assert "sesame" not in shown
    assert SECRET.removeprefix("whsec_") not in shown
    assert masked(settings)["ROI_RECEIVERS__floor__URL"] == "***"


def test_a_password_in_an_address_is_not_shown() -> None:
    shown = masked(Settings(alertmanager_url="http://robot:sesame@bank.example:9093/am"))
    assert shown["ROI_ALERTMANAGER_URL"] == "http://***@bank.example:9093/am"


def test_receivers_that_nobody_is_told_by_are_remarked() -> None:
    (_, finding) = check_receivers(Settings(receivers={"chat": RECEIVERS["chat"]}))
    assert (finding.check, finding.state) == ("alerts.receivers", "warning")
    assert check_receivers(Settings()) == []


def test_notices_that_were_given_up_are_told_with_what_to_do() -> None:
    assert "1,200 notices were given up" in given_up_finding("floor", 1200).detail


def test_a_name_that_only_definitions_know_is_told_with_some_of_them() -> None:
    assert unknown_finding("boss", ("a", "b", "c", "d")).detail.endswith("named by campaigns: a, b, c, …")


@pytest.mark.process
def test_up_refuses_a_receiver_that_cannot_be_used_before_it_starts_anything(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pipeline", "up", "--embedded", "--data", str(tmp_path / "data")]
    receivers = '{"floor": {"url": "webhook+https://bank.example/sesame"}}'
    done = subprocess.run(
        command,
        env=os.environ | {"ROI_RECEIVERS": receivers, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert "receiver 'floor': a webhook needs a secret" in done.stderr
    assert "sesame" not in done.stdout + done.stderr
    assert not (tmp_path / "data" / "roi.env").exists()
