"""What stands in the environment and in files of settings may be any bytes: one line says which are no text."""

from __future__ import annotations

import json
import os
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from pipeline.errors import UserError, WrongUsageError
from pipeline.policies import as_given, describe_policy, recorded_settings
from pipeline.replay.plan import FROM_TOPICS, Plan, differences
from pipeline.replay.what_if import expect_effect, parse_overrides, settings_with
from pipeline.settings import PUBLIC_ENV, AttributionSettings, Settings, TimeSettings, load_settings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    for name in [name for name in os.environ if name.upper().startswith("ROI_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return monkeypatch


@pytest.mark.parametrize("name", ["ROI_CLICKHOUSE_PASSWORD", "roi_clickhouse_user", "ROI_TIME__ZONE"])
def test_a_variable_that_is_no_text_is_named_and_not_shown(bare: pytest.MonkeyPatch, name: str) -> None:
    bare.setenv(name, os.fsdecode("secret密".encode("gbk")))
    with pytest.raises(UserError, match=f"{name} is not UTF-8 text; set {name}") as caught:
        load_settings()
    assert "secret" not in str(caught.value)


def test_other_variables_and_names_of_files_may_be_any_bytes(bare: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = tmp_path / os.fsdecode(b"secret-\xff")
    secret.write_text("from the file")
    bare.setenv("ROI_PSEUDONYM_KEY_FILE", str(secret))
    bare.setenv("OTHER", os.fsdecode(b"\xff"))
    assert load_settings().pseudonym_key.get_secret_value() == "from the file"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ('clickhouse_user = "客户"'.encode("gbk"), "roi.toml is not UTF-8 text; .*iconv"),
        (b"api = " + b"[" * 5_000, "nested too deeply"),
        (b"kafka_partitions = " + b"9" * 5_000, "a number in roi.toml has too many digits"),
        (b"api =", "roi.toml is not valid TOML"),
    ],
)
def test_a_file_of_settings_that_is_none_is_named(tmp_path: Path, content: bytes, complaint: str) -> None:
    (tmp_path / "roi.toml").write_bytes(content)
    with pytest.raises(UserError, match=complaint):
        load_settings()


def test_a_file_of_an_instance_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / PUBLIC_ENV).write_bytes(b"ROI_CLICKHOUSE_USER=\xff\n")
    with pytest.raises(UserError, match=r"roi\.env is not UTF-8 text"):
        load_settings(tmp_path)


def test_a_secret_nested_too_deeply_is_no_object(bare: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "receivers").write_text("[" * 60_000)
    bare.setenv("ROI_RECEIVERS_FILE", str(tmp_path / "receivers"))
    with pytest.raises(UserError, match="ROI_RECEIVERS_FILE: the file holds no JSON object"):
        load_settings()


def test_a_value_nested_too_deeply_is_taken_as_text() -> None:
    deep = "[" * 60_000
    assert parse_overrides([f"time.zone={deep}"]) == {"time.zone": deep}


@pytest.mark.parametrize(
    ("assignment", "given"),
    [
        ("attribution.model=linear", {"model": "first_touch"}),
        ('attribution.models=["linear"]', {"model": "first_touch"}),
        ("attribution.model=linear", {"models": ["first_touch"]}),
        ('attribution.models=["linear"]', {"models": ["first_touch"]}),
    ],
)
def test_models_given_in_two_ways_are_wrong_usage(assignment: str, given: dict[str, Any]) -> None:
    with pytest.raises(WrongUsageError, match=r"both say what credits; give --models? or --set, not both"):
        parse_overrides([assignment], **given)


@pytest.mark.parametrize(
    "name",
    ["attribution.models", "attribution.margins_bps", "attribution.window_days", "time.zone", "default_goal_kinds"],
)
def test_what_a_run_records_of_a_setting_can_be_given_to_another(name: str) -> None:
    other = Settings(
        attribution=AttributionSettings(models=("linear", "position"), margins_bps={"payment": 777}, window_days=2.5),
        time=TimeSettings(zone="Europe/Berlin"),
        default_goal_kinds=("payment", "deposit"),
    )
    for settings in (other, Settings()):
        text = recorded_settings(describe_policy(settings))[name]
        given = parse_overrides([f"{name}={json.dumps(as_given(name, text))}"])
        assert recorded_settings(describe_policy(settings_with(given)))[name] == text


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("attribution.window_days=3", "attribution.window_days=4"),
        ("time.zone=Asia/Shanghai", " time.zone = Europe/Berlin"),
        ('attribution.margins_bps={"payment": 1}', 'attribution.margins_bps={"transfer": 1}'),
    ],
)
def test_two_values_of_one_setting_are_wrong_usage(first: str, second: str) -> None:
    key = first.partition("=")[0]
    with pytest.raises(
        WrongUsageError, match=rf"^--set {key} is given twice, with different values; give one of them$"
    ):
        parse_overrides([first, second])
    assert parse_overrides([first, first]) == parse_overrides([first])


@pytest.mark.parametrize(
    ("given", "is_heeded"),
    [
        ({}, False),
        ({"model": "linear"}, False),
        ({"model": "time_decay"}, True),
        ({"models": ["last_touch", "time_decay"]}, True),
    ],
)
def test_a_half_life_that_no_model_has_is_wrong_usage(given: dict[str, Any], *, is_heeded: bool) -> None:
    overrides = parse_overrides(["attribution.half_life_days=2"], **given)
    with nullcontext() if is_heeded else pytest.raises(WrongUsageError, match="changes nothing: only time_decay has"):
        expect_effect(overrides, settings_with(overrides))
    others = parse_overrides(["attribution.window_days=2"], **given)
    expect_effect(others, settings_with(others))


def test_what_a_run_was_begun_with_is_told_as_it_is_given() -> None:
    begun = Plan("a", FROM_TOPICS, (), (), {}, overrides={"attribution.margins_bps": {"pay": 1}, "time.zone": "UTC"})
    asked = replace(begun, overrides={}, inputs=("/a", "/b"))
    assert differences(begun, asked) == [
        'the settings (attribution.margins_bps={"pay": 1}, time.zone=UTC then, none now)',
        "--input (none then, /a, /b now)",
    ]


def test_a_model_beside_models_is_wrong_usage() -> None:
    both = ["attribution.model=linear", 'attribution.models=["position"]']
    with pytest.raises(WrongUsageError, match=r"both say what credits; give one of them$"):
        parse_overrides(both)
    alone = parse_overrides(["attribution.model=linear", "attribution.models=[]"])
    assert alone == {"attribution.model": "linear", "attribution.models": []}
