from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pipeline.clickhouse.connection import connect
from tests.support.endpoint import running_endpoint
from tests.support.processes import starts_process

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.settings import Settings


@pytest.fixture(scope="session")
@starts_process
def spare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings of a second ClickHouse, whose database a test may drop."""
    with running_endpoint(tmp_path_factory.mktemp("spare")) as endpoint:
        yield endpoint.settings


@pytest.fixture(scope="session")
def spare_client(spare: Settings) -> Iterator[Any]:
    client = connect(spare, "writer")
    yield client
    client.close()
