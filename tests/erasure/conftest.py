from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pipeline.clickhouse.connection import connect
from tests.support.endpoint import migrated_endpoint
from tests.support.processes import starts_process

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
@starts_process
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A writer's client of a ClickHouse for erasures alone: a mutation rewrites what every test has left in a table."""
    with migrated_endpoint(tmp_path_factory.mktemp("erasure")) as settings:
        client = connect(settings, "writer")
        yield client
        client.close()
