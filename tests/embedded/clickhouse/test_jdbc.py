from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.embedded.clickhouse import drivers
from tests.support.depth import some

if TYPE_CHECKING:
    from tests.support.endpoint import EndpointHandle

_SOURCE = Path(__file__).parent / "java"
# Maven, the compiler and the checks live for seconds: half of their time went into optimizing code
_FOR_SHORT_LIVES = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto"


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("version", some(("0.10.0", "0.9.4")))
def test_jdbc_driver_finds_a_clickhouse_server(
    endpoint: EndpointHandle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", _FOR_SHORT_LIVES)
    driver = f"clickhouse-jdbc {version}"
    drivers.need(driver, "mvn", "java", "javac")
    for source in _SOURCE.iterdir():
        shutil.copy(source, tmp_path)
    fetch = ["mvn", "-q", "-B", "dependency:build-classpath", f"-Ddriver.version={version}", "-Dmdep.outputFile=path"]
    drivers.build(driver, fetch, tmp_path)
    drivers.build(driver, ["javac", "EndpointCheck.java"], tmp_path)
    libraries = (tmp_path / "path").read_text().strip()
    drivers.check(endpoint, ["java", "-cp", f"{libraries}:{tmp_path}", "EndpointCheck"], least=55)
