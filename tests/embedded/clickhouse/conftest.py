from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.embedded.clickhouse.client import Client
from tests.support.endpoint import running_endpoint
from tests.support.processes import starts_process

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.endpoint import EndpointHandle


@pytest.fixture(scope="module")
@starts_process
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EndpointHandle]:
    with running_endpoint(tmp_path_factory.mktemp("endpoint")) as handle:
        Client(handle.url, handle.writer).query("CREATE DATABASE roi")
        yield handle


@pytest.fixture
def writer(endpoint: EndpointHandle) -> Client:
    return Client(endpoint.url, endpoint.writer)


@pytest.fixture
def reader(endpoint: EndpointHandle) -> Client:
    return Client(endpoint.url, endpoint.reader)
