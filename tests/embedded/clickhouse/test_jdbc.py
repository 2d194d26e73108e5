from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.embedded.clickhouse import drivers

if TYPE_CHECKING:
    from tests.support.endpoint import EndpointHandle

_SOURCE = Path(__file__).parent / "java"


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("version", ["0.9.4", "0.10.0"])
def test_jdbc_driver_finds_a_clickhouse_server(endpoint: EndpointHandle, tmp_path: Path, version: str) -> None:
    driver = f"clickhouse-jdbc {version}"
    drivers.need(driver, "mvn", "java", "javac")
    for source in _SOURCE.iterdir():
        shutil.copy(source, tmp_path)
    fetch = ["mvn", "-q", "-B", "dependency:build-classpath", f"-Ddriver.version={version}", "-Dmdep.outputFile=path"]
    drivers.build(driver, fetch, tmp_path)
    drivers.build(driver, ["javac", "EndpointCheck.java"], tmp_path)
    libraries = (tmp_path / "path").read_text().strip()
    drivers.check(endpoint, ["java", "-cp", f"{libraries}:{tmp_path}", "EndpointCheck"], least=55)
