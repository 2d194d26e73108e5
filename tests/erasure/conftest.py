from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.settings import Settings
from pipeline.sinks.connection import connect
from pipeline.sinks.migrations import migrate
from tests.support.endpoint import running_endpoint

if TYPE_CHECKING:
    from collections.abc import Iterator

_runs = count(1)


@pytest.fixture(scope="session")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with running_endpoint(tmp_path_factory.mktemp("erasure")) as endpoint:
        settings = Settings(clickhouse_url=endpoint.url, clickhouse_writer_password=endpoint.writer_password)
        migrate(settings)
        yield connect(settings, "writer")


@pytest.fixture
def run_name() -> str:
    return f"erasure-{next(_runs)}"
