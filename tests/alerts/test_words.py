from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

import pipeline.alerts.caveats
from pipeline.alerts.rule import AlertRule
from pipeline.alerts.verdict import Band, Caveat
from pipeline.alerts.words import CAVEATS, advice_text, caveat_text, outcome_text, ratio_text, reasons, withheld_text
from tests.alerts.building import verdict

RULE = AlertRule()


@pytest.mark.parametrize(
    ("code", "values", "words"),
    [
        ("immature", {"share": 0.38}, "immature: 38 % of the return is in"),
        ("needs_converters", {"needed": 113.0, "has": 41.0}, "needs about 113 converters, has 41"),
        ("one_customer", {"share": 0.4}, "one customer is 40 % of the return"),
        ("no_peers", {}, "no finished peers: own data only"),
        ("reversals_assumed", {"share": 0.004}, "reversals assumed: 0.4 %"),
        ("little_cost", {"cost_minor": 1234.0, "needed": 100000.0}, "too little spent to judge: 12.34 of 1,000.00"),
    ],
)
def test_caveats_in_words(code: str, values: dict[str, float | str], words: str) -> None:
    assert caveat_text(Caveat(code, values)) == words


def test_every_code_of_a_caveat_has_words_in_both_languages_with_the_same_numbers() -> None:
    source = Path(pipeline.alerts.caveats.__file__).read_text(encoding="utf-8")
    assert set(re.findall(r'note\(\s*"(\w+)"', source)) == set(CAVEATS)
    for english, chinese in CAVEATS.values():
        names = [{name for _, name, _, _ in Formatter().parse(text) if name} for text in (english, chinese)]
        assert names[0] == names[1]
        assert len(english) < 100
        assert re.search(r"[\u4e00-\u9fff]", chinese)


def test_verdicts_in_words() -> None:
    below = verdict("below", caveats=(Caveat("no_peers"),))
    assert reasons(below, RULE) == (
        "stays below 1:2: at most 1:1.7 at 95 % confidence",
        "no finished peers: own data only",
    )
    assert outcome_text(verdict("above"), RULE, "zh") == "高于 1:2：预计 1:1.4"
    assert outcome_text(verdict("undecided"), RULE) == "undecided: forecast 1:1.4 (1:1.1 to 1:1.7)"
    assert outcome_text(verdict("undecided", forecast=None), RULE) == "undecided: no forecast yet"
    assert outcome_text(verdict("below", upper_bound=None), RULE) == "stays below 1:2: converts nobody"
    assert outcome_text(verdict("immature"), RULE, "zh") == "为时过早，无法判断"


def test_an_unknown_code_is_shown_as_it_is() -> None:
    assert caveat_text(Caveat("of_a_newer_version", {"x": 1.0}), "zh") == "of_a_newer_version"


def test_ratios_are_written_as_managers_write_them() -> None:
    assert [ratio_text(ratio) for ratio in (2.0, 1.38, 0.5, 10.0, 12345.6)] == [
        "1:2",
        "1:1.38",
        "1:0.5",
        "1:10",
        "1:12346",
    ]


def test_a_ratio_below_what_is_required_never_reads_as_if_it_were_that() -> None:
    written = [ratio_text(ratio, 2.0) for ratio in (1.38, 1.99, 1.997, 1.9999, 2.0, 2.0001, 1.99999999999)]
    assert written == ["1:1.38", "1:1.99", "1:1.997", "1:1.9999", "1:2", "1:2", "1:2"]
    assert ratio_text(1499.7, 1500.0) == "1:1499.7"
    below = verdict("below", upper_bound=1.997)
    assert outcome_text(below, RULE) == "stays below 1:2: at most 1:1.997 at 95 % confidence"
    undecided = verdict("undecided", forecast=Band(1.9969, 1.9999, 2.1))
    assert outcome_text(undecided, RULE) == "undecided: forecast 1:1.9999 (1:1.997 to 1:2.1)"


@pytest.mark.parametrize("number", [float("inf"), float("-inf"), float("nan"), 1e300, -1e300, 5e-324, 0.0])
def test_every_number_can_be_written_and_read(number: float) -> None:
    for code, (english, _) in CAVEATS.items():
        values: dict[str, float | str] = {name: number for _, name, _, _ in Formatter().parse(english) if name}
        assert len(caveat_text(Caveat(code, values))) < 130
    assert len(ratio_text(number)) < 12
    assert len(withheld_text(number)) < 100


def test_advice_and_what_is_held_back() -> None:
    assert advice_text("sms", "channel", 2.3) == "without channel sms the ratio is 1:2.3"
    assert advice_text("sms", "channel", 2.3, "zh") == "去掉渠道 sms 后比率为 1:2.3"
    assert withheld_text(0.12).startswith("held back: 12 %")
    assert "12 %" in withheld_text(0.12, "zh")
