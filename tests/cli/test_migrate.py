from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.settings import Settings
from pipeline.transport.admin import TopicAdmin
from tests.support.kafka import running_tansu

if TYPE_CHECKING:
    from collections.abc import Callable

    from typer.testing import Result


@pytest.mark.process
def test_no_topic_is_made_before_clickhouse_has_told_how_many_partitions_count(
    roi: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROI_CLICKHOUSE_URL", "http://127.0.0.1:1")
    with running_tansu() as bootstrap:
        monkeypatch.setenv("ROI_KAFKA_BOOTSTRAP_SERVERS", bootstrap)
        result = roi("migrate")
        with TopicAdmin(Settings(kafka_bootstrap_servers=bootstrap)) as admin:
            assert not admin.topics()
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ClickHouse does not answer at http://127.0.0.1:1 (Connection refused); ")
