from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import UserError
from pipeline.secret_files import secret_fields
from pipeline.settings import Settings, environment_of, load_settings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    for name in [name for name in os.environ if name.upper().startswith("ROI_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return monkeypatch


def secret_file(folder: Path, content: bytes = b"from the file\n") -> str:
    path = folder / "secret"
    path.write_bytes(content)
    return str(path)


@pytest.mark.parametrize("path", [each for each in secret_fields(Settings) if each != ("receivers",)], ids="__".join)
def test_every_secret_can_be_a_file(bare: pytest.MonkeyPatch, tmp_path: Path, path: tuple[str, ...]) -> None:
    bare.setenv("ROI_" + "__".join(path).upper() + "_FILE", secret_file(tmp_path))
    value = load_settings()
    for part in path:
        value = getattr(value, part)
    assert value.get_secret_value() == "from the file"  # type: ignore[attr-defined] # it was narrowed to the settings


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b"a b ", "a b "), (b"one\r\n", "one"), (b"two\n\n", "two\n"), ("schlüssel".encode(), "schlüssel")],
)
def test_only_one_line_end_is_taken_away(
    bare: pytest.MonkeyPatch, tmp_path: Path, content: bytes, expected: str
) -> None:
    bare.setenv("ROI_PSEUDONYM_KEY_FILE", secret_file(tmp_path, content))
    assert load_settings().pseudonym_key.get_secret_value() == expected


def test_a_file_wins_over_roi_toml_and_over_an_empty_variable(bare: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "roi.toml").write_text('pseudonym_key = "from the table"\n')
    assert load_settings().pseudonym_key.get_secret_value() == "from the table"
    bare.setenv("ROI_PSEUDONYM_KEY_FILE", secret_file(tmp_path))
    bare.setenv("ROI_PSEUDONYM_KEY", "")
    assert load_settings().pseudonym_key.get_secret_value() == "from the file"


def test_an_empty_name_names_no_file(bare: pytest.MonkeyPatch) -> None:
    bare.setenv("ROI_PSEUDONYM_KEY_FILE", "")
    bare.setenv("ROI_PSEUDONYM_KEY", "given")
    assert load_settings().pseudonym_key.get_secret_value() == "given"


def test_both_ways_at_once_are_refused(bare: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bare.setenv("ROI_PSEUDONYM_KEY_FILE", secret_file(tmp_path))
    bare.setenv("ROI_PSEUDONYM_KEY", "given")
    with pytest.raises(UserError, match="ROI_PSEUDONYM_KEY and ROI_PSEUDONYM_KEY_FILE are both set; keep one of them"):
        load_settings()


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (None, "No such file"),
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"\xff\xfe", "not UTF-8"),
        (b"x" * 65_537, "over"),
    ],
)
def test_a_file_that_gives_no_secret_is_named(
    bare: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None, cause: str
) -> None:
    path = str(tmp_path / "absent") if content is None else secret_file(tmp_path, content)
    bare.setenv("ROI_CLICKHOUSE_PASSWORD_FILE", path)
    with pytest.raises(UserError) as refused:
        load_settings()
    assert f"ROI_CLICKHOUSE_PASSWORD_FILE: {path}" in refused.value.cause
    assert cause in refused.value.cause
    assert "\n" not in str(refused.value)


def test_a_folder_is_no_secret(bare: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bare.setenv("ROI_CLICKHOUSE_PASSWORD_FILE", str(tmp_path))
    with pytest.raises(UserError, match="Is a directory"):
        load_settings()


def test_a_child_process_is_given_the_secret_one_way(bare: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bare.setenv("ROI_CLICKHOUSE_PASSWORD_FILE", secret_file(tmp_path))
    for name, value in environment_of(load_settings()).items():
        bare.setenv(name, value)
    bare.delenv("ROI_CLICKHOUSE_PASSWORD_FILE")
    child = environment_of(load_settings())
    assert child["ROI_CLICKHOUSE_PASSWORD"] == "from the file"
    assert "ROI_CLICKHOUSE_PASSWORD_FILE" not in child


@pytest.mark.parametrize(
    "variable", ["ROI_RECEIVERS", "ROI_RECEIVERS__FLOOR__URL", "roi_receivers__floor__secret", "ROI_GRAFANA_TOKEN_FILE"]
)
def test_a_child_process_sees_receivers_and_tokens_only_where_it_needs_them(
    bare: pytest.MonkeyPatch, variable: str
) -> None:
    settings = load_settings()
    bare.setenv(variable, "a secret")
    assert variable not in environment_of(settings, frozenset({"clickhouse_password"}))
    assert environment_of(settings, frozenset({"receivers", "grafana_token"}))[variable] == "a secret"


def test_receivers_come_from_a_file_of_json(bare: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "receivers"
    file.write_text('{"floor": {"url": "json://hall/9", "quiet_hours": "22:00-07:00"}}\n')
    bare.setenv("ROI_RECEIVERS_FILE", str(file))
    floor = load_settings().receivers["floor"]
    assert floor.url.get_secret_value() == "json://hall/9"


@pytest.mark.parametrize("text", ["[]", "a secret", '{"floor": "a secret"}', '{"floor": {"uri": "a secret"}}'])
def test_a_file_of_receivers_that_holds_none_is_told_without_what_it_holds(
    bare: pytest.MonkeyPatch, tmp_path: Path, text: str
) -> None:
    file = tmp_path / "receivers"
    file.write_text(text)
    bare.setenv("ROI_RECEIVERS_FILE", str(file))
    with pytest.raises(UserError) as told:
        load_settings()
    assert "ROI_RECEIVERS" in str(told.value)
    assert "a secret" not in str(told.value)
