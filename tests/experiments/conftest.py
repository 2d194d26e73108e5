from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from pipeline.cli import build_app

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from typer.testing import Result

    from pipeline.settings import Settings


@pytest.fixture
def roi(migrated: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run a command in this process on the tests' ClickHouse."""
    monkeypatch.chdir(tmp_path)  # no roi.toml of whoever runs the tests
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("ROI_CLICKHOUSE_URL", migrated.clickhouse_url)
    monkeypatch.setenv("ROI_CLICKHOUSE_PASSWORD", migrated.clickhouse_password.get_secret_value())
    monkeypatch.setenv("ROI_CLICKHOUSE_WRITER_PASSWORD", migrated.clickhouse_writer_password.get_secret_value())
    return lambda *arguments, **extra: CliRunner().invoke(build_app(), list(arguments), prog_name="roi", **extra)
