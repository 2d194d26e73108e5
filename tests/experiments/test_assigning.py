"""`roi ab --assign`: who gets which variant, and what is refused instead."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.experiments.bank import experiment, play

if TYPE_CHECKING:
    from collections.abc import Callable

    from typer.testing import Result


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (("--assign", "-", "--shares", "control=1,A=1", "--metric", "converted"), "--metric"),
        (("--assign", "-", "--shares", "control=1,A=1", "--horizon-days", "3"), "--horizon-days"),
        (("--assign", "-", "--shares", "control=1,A=1", "--run", "live"), "--run"),
        (("--shares", "control=1,A=1"), "--shares"),
        (("--salt", "x"), "--salt"),
        (("--at", "2026-03-01"), "--at"),
    ],
)
def test_an_option_that_would_say_nothing_is_wrong_usage(
    roi: Callable[..., Result], arguments: tuple[str, ...], option: str
) -> None:
    result = roi("ab", "spring", *arguments, input="c1\n")
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert f"for {option}: " in result.stderr
    assert "leave " in result.stderr


def test_senders_get_assign_touches(roi: Callable[..., Result]) -> None:
    customers = "".join(f"customer-{number}\n" for number in range(6))
    order = (
        "ab",
        "spring-2026",
        "--assign",
        "-",
        "--shares",
        "control=0.2,A=0.3,B=0.5",
        "--at",
        "2026-03-01T00:00:00Z",
    )
    result = roi(*order, input=customers)
    touches = [json.loads(line) for line in result.output.splitlines()]
    assert [touch["variant"] for touch in touches] == ["B", "B", "control", "A", "B", "A"]
    assert {touch["kind"] for touch in touches} == {"assign"}
    assert len({touch["event_id"] for touch in touches}) == 6
    assert roi(*order, input=customers).output == result.output, "handed in twice, a touch is a copy"


@pytest.mark.parametrize(
    "shares",
    ["", "A", "A=x,B=1", "=1,B=1", "A=1", "control=1", "A=1,B=0", "A=1,B=-1", "A=1,B=nan", "A=1,A=3,B=1", "A 1=1,B=1"],
)
def test_shares_that_assign_nobody_are_wrong_usage(roi: Callable[..., Result], shares: str) -> None:
    result = roi("ab", "spring", "--assign", "-", "--shares", shares, input="c1\n")
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert "for --shares: " in result.stderr
    assert "write control=0.1,A=0.9" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("spr ing",), "'spr ing' is no id"),
        (("spring", "--control", "B"), "'B' is none of the variants; name one of A, control"),
        (("spring", "--control", ""), "'' is none of the variants; name one of A, control"),
    ],
)
def test_a_name_that_no_touch_may_have_is_wrong_usage(
    roi: Callable[..., Result], arguments: tuple[str, ...], words: str
) -> None:
    result = roi("ab", *arguments, "--assign", "-", "--shares", "control=1,A=1", input="c1\n")
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr


def test_shares_come_from_the_definition(clickhouse: Any, run_name: str, roi: Callable[..., Result]) -> None:
    play(clickhouse, run_name, experiment({"control": 0.1, "A": 0.3}, customers=5))
    without = roi("ab", "spring", "--run", run_name, "--assign", "-", input="c1\n")
    assert "variant_shares" in without.output
    body = (
        '{"campaign_id": "spring", "name": "s", "starts_at": "2026-03-01T00:00:00Z", "goal": {"kinds": ["deposit"]}, '
    )
    body += '"variant_shares": {"control": 1, "A": 1e-9}}'
    clickhouse.command(
        "INSERT INTO roi.run_campaigns (run, campaign_id, definition, version) VALUES",
        data=f"('{run_name}', 'spring', '{body}', 1)",
    )
    found = roi("ab", "spring", "--run", run_name, "--assign", "-", input="c1\n")
    assert json.loads(found.output)["variant"] == "control"


def test_a_run_that_is_not_there_has_no_shares(roi: Callable[..., Result]) -> None:
    result = roi("ab", "spring", "--run", "nowhere", "--assign", "-", input="c1\n")
    assert result.exit_code == 1
    assert "there is no run 'nowhere'; there are " in result.stderr


def test_the_standing_control_gets_nothing(roi: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROI_EXPERIMENTS__STANDING_SHARE", "0.5")
    customers = "".join(f"customer-{number}\n" for number in range(200))
    variants = {}
    for campaign in ("spring", "summer"):
        result = roi("ab", campaign, "--assign", "-", "--shares", "control=0.5,A=0.5", input=customers)
        variants[campaign] = [json.loads(line)["variant"] for line in result.output.splitlines()]
    assert variants["spring"] == variants["summer"]
    assert 70 < variants["spring"].count("control") < 130


def test_a_line_that_is_no_customer_is_told(roi: Callable[..., Result]) -> None:
    result = roi("ab", "c", "--assign", "-", "--shares", "A=1,control=1", input="c1\n" + "x" * 65 + "\n")
    assert result.exit_code == 1
    assert "2: a customer id" in result.output
