from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.embedded.clickhouse import drivers

if TYPE_CHECKING:
    from tests.support.endpoint import EndpointHandle

_SOURCE = Path(__file__).parent / "go"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_go_client_finds_a_clickhouse_server(endpoint: EndpointHandle, tmp_path: Path) -> None:
    drivers.need("clickhouse-go", "go")
    binary = tmp_path / "endpointcheck"
    drivers.build("clickhouse-go", ["go", "build", "-o", str(binary), "."], _SOURCE)
    drivers.check(endpoint, [str(binary)], least=60)
