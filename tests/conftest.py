from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.clickhouse.connection import connect
from tests.support.endpoint import migrated_endpoint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.settings import Settings

_runs = count(1)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings of one migrated ClickHouse that tests share; each counts under a run of its own."""
    with migrated_endpoint(tmp_path_factory.mktemp("ledger")) as settings:
        yield settings


@pytest.fixture(scope="session")
def clickhouse(migrated: Settings) -> Iterator[Any]:
    """A writer's client of that ClickHouse."""
    client = connect(migrated, "writer")
    yield client
    client.close()


@pytest.fixture
def run_name() -> str:
    return f"test-{next(_runs)}"
