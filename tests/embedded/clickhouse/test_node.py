from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.embedded.clickhouse import drivers

if TYPE_CHECKING:
    from tests.support.endpoint import EndpointHandle

_SOURCE = Path(__file__).parent / "node"
_DRIVER = "@clickhouse/client"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_node_client_finds_a_clickhouse_server(endpoint: EndpointHandle, tmp_path: Path) -> None:
    drivers.need(_DRIVER, "node", "npm")
    for name in ("package.json", "package-lock.json", "check.js"):
        shutil.copy(_SOURCE / name, tmp_path)
    drivers.build(_DRIVER, ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], tmp_path)
    drivers.check(endpoint, ["node", "check.js"], least=24, directory=tmp_path)
