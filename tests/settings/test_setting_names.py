from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pipeline.cli.doctor import check_variables
from pipeline.cli.options import warn_of_unknown_settings
from pipeline.errors import UserError
from pipeline.settings import load_settings, unknown_settings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    for name in [name for name in os.environ if name.upper().startswith("ROI_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return monkeypatch


@pytest.mark.parametrize(
    ("variable", "value", "cause"),
    [
        ("ROI_ATTRIBUTION__MARGINS_BPS", '{"pay": 20}', "the name 'pay': Input should be 'transfer', "),
        ("ROI_ATTRIBUTION__MARGINS_BPS", '{"payment": "much"}', "payment: Input should be a valid integer"),
        ("ROI_ATTRIBUTION__MARGINS_BPS", "5", "Input should be a valid dictionary"),
        ("ROI_ATTRIBUTION__MARGINS_BPS__PAY", "20", "the end of its name: Input should be 'transfer', "),
        ("ROI_ATTRIBUTION__MARGINS_BPS__PAYMENT", "much", "Input should be a valid integer"),
        ("ROI_DEFAULT_GOAL_KINDS", '["payment", "pay"]', "entry 2: Input should be 'transfer', "),
        ("ROI_RECEIVERS", '{"floor": {}}', "floor.url: Field required"),
        ("ROI_API__TOKENS", '{"a": {"hash": "x", "role": "viewer"}}', "a.hash: String should match"),
        ("ROI_TIME__ZONE", "Mars/Olympus", "Value error, zone == 'Mars/Olympus'"),
        ("ROI_TIME", '{"zone": "Mars/Olympus"}', "zone: Value error, zone == 'Mars/Olympus'"),
        ("ROI_TIME", "5", "Input should be a valid dictionary"),
        ("roi_time__zone", "Mars/Olympus", "Value error, zone"),
        ("ROI_ATTRIBUTION__MODLE", "linear", "no setting has this name, did you mean ROI_ATTRIBUTION__MODEL?"),
        ("ROI_ATTRIBUTION__COLOUR", "red", "no setting has this name"),
    ],
)
def test_a_refused_value_is_told_by_the_variable_that_gives_it(
    bare: pytest.MonkeyPatch, variable: str, value: str, cause: str
) -> None:
    bare.setenv(variable, value)
    with pytest.raises(UserError) as refused:
        load_settings()
    assert refused.value.cause.startswith(f"setting {variable.upper()}: {cause}")
    assert refused.value.remedy == f"correct {variable.upper()} in the environment or in roi.toml"


def test_a_refused_value_of_roi_toml_is_told_by_the_setting_s_own_variable(tmp_path: Path) -> None:
    (tmp_path / "roi.toml").write_text("[attribution.margins_bps]\npay = 20\n")
    with pytest.raises(UserError, match="setting ROI_ATTRIBUTION__MARGINS_BPS: the name 'pay': "):
        load_settings()
    (tmp_path / "roi.toml").write_text("colour = 'red'\n")
    with pytest.raises(UserError, match="setting ROI_COLOUR: no setting has this name; "):
        load_settings()


def test_a_refused_value_of_a_file_is_told_by_the_variable_that_names_the_file(
    bare: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text('{"floor": {}}')
    bare.setenv("ROI_RECEIVERS_FILE", str(tmp_path / "secret"))
    with pytest.raises(UserError, match=r"setting ROI_RECEIVERS_FILE: floor\.url: Field required"):
        load_settings()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ROI_ATTRIBUTION__MARGINS_BPS", '{"payment": sesame'),
        ("ROI_ALERTS__RECEIVERS", "sesame,street"),
        ("ROI_RECEIVERS", '{"floor": "sesame"'),
        ("roi_alerts__receivers", "sesame"),
    ],
)
def test_broken_json_is_told_by_its_variable_and_not_quoted(
    bare: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    bare.setenv(variable, value)
    bare.setenv("ROI_ATTRIBUTION__MODEL", "linear")
    with pytest.raises(UserError) as refused:
        load_settings()
    assert refused.value.cause.startswith(f"setting {variable.upper()}: not valid JSON (Expecting ")
    assert variable.upper() in refused.value.remedy
    assert "sesame" not in str(refused.value)


@pytest.mark.parametrize(
    ("variable", "told"),
    [
        ("ROI_FOO", ""),
        ("ROI_ATTRIBUTION_MODEL", ", did you mean ROI_ATTRIBUTION__MODEL?"),
        ("roi_kafka_partition", ", did you mean ROI_KAFKA_PARTITIONS?"),
        ("ROI_PSEUDONYM_KEY_FIEL", ", did you mean ROI_PSEUDONYM_KEY_FILE?"),
        ("ROI_PSEUDONYM_KEY__OLD", ", did you mean ROI_PSEUDONYM_KEY?"),
        ("ROI_KAFKA_GROUP_FILE", ", did you mean ROI_KAFKA_GROUP?"),  # no secret, so no file is read
    ],
)
def test_a_variable_that_gives_no_setting_is_told(
    bare: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variable: str, told: str
) -> None:
    bare.setenv(variable, "sesame")
    load_settings()
    line = f"{variable}: no setting has this name{told}"
    assert unknown_settings() == [line]
    assert [(found.state, found.detail) for found in check_variables()] == [("warning", line)]
    warn_of_unknown_settings()
    assert capsys.readouterr().err == f"warning: {line}\n"


def test_variables_that_give_settings_are_not_told(bare: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("sesame")
    bare.setenv("ROI_PSEUDONYM_KEY_FILE", str(tmp_path / "secret"))
    bare.setenv("ROI_RECEIVERS__FLOOR__URL", "json://localhost")
    bare.setenv("roi_attribution__margins_bps__payment", "20")
    bare.setenv("ROI_TIME", '{"zone": "Asia/Tokyo"}')
    bare.setenv("ROIS", "no prefix of ours")
    bare.setenv("ROI_TEST_DEPTH", "full")  # of the tests themselves
    bare.setenv("ROI_KAFKA_LIBS", "/opt/kafka")  # of deploy/kafka/run
    assert load_settings().time.zone == "Asia/Tokyo"
    assert (unknown_settings(), check_variables()) == ([], [])
