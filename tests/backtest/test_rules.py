from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.alert_settings import AlertSettings
from pipeline.backtest.rules import rules_of_files
from pipeline.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = AlertSettings(min_return_ratio=1.5, hold_minutes=30.0)


def test_the_plain_rule_and_the_products_own_are_always_among_them() -> None:
    plain, default = rules_of_files(SETTINGS, [])
    assert (plain.name, plain.is_plain, default.name, default.is_plain) == ("plain", True, "default", False)
    assert plain.settings == default.settings == SETTINGS


@pytest.mark.parametrize("text", ["min_return_ratio = 3\n", "[alerts]\nmin_return_ratio = 3.0\n"])
def test_a_file_changes_what_it_names_and_leaves_the_rest(tmp_path: Path, text: str) -> None:
    file = tmp_path / "strict.toml"
    file.write_text(text)
    strict = rules_of_files(SETTINGS, [file])[2]
    assert strict.name == "strict"
    assert strict.settings == SETTINGS.model_copy(update={"min_return_ratio": 3.0})


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.toml", "confidence = 2", "a.toml: confidence: Input should be less than 1"),
        ("a.toml", "min_return_ratio = 'two'", "a.toml: min_return_ratio: Input should be a valid number"),
        ("a.toml", "min_retrun_ratio = 2", "a.toml: min_retrun_ratio decides nothing in a backtest; these do: min_ret"),
        ("a.toml", "four_eyes = true", "a.toml: four_eyes decides nothing"),
        ("a.toml", "min_return_ratio", "a.toml is no TOML"),
        ("a.toml", "min_return_ratio = " + "[" * 10_000, "a.toml is nested too deeply; write a line for each"),
        ("a.toml", "min_return_ratio = " + "{a=" * 5_000, "a.toml is nested too deeply; write a line for each"),
        ("a.toml", "min_return_ratio = " + "[" * 100 + "]" * 100, "a.toml: min_return_ratio: Input should be a valid"),
        ("a.toml", "min_cost_minor = " + "9" * 5_000, "a.toml has a number of too many digits; write a line"),
        ("a.toml", "a." * 9_000 + "a = 1", "a.toml is over 16,384 bytes; write a line for each"),
        ("plain.toml", "", "there are two rules 'plain'"),
        ("a b.toml", "", "gives no name to a rule"),
    ],
)
def test_what_a_file_cannot_say_is_named_with_its_place(tmp_path: Path, name: str, text: str, words: str) -> None:
    file = tmp_path / name
    file.write_text(text)
    with pytest.raises(UserError) as caught:
        rules_of_files(SETTINGS, [file])
    assert words in str(caught.value)


def test_a_file_that_is_not_there_and_two_of_one_name_are_errors(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        rules_of_files(SETTINGS, [tmp_path / "none.toml"])
    file = tmp_path / "one.toml"
    file.write_text("")
    with pytest.raises(UserError, match="two rules 'one'"):
        rules_of_files(SETTINGS, [file, file])
