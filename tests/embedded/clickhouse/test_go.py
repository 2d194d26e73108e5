from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.endpoint import EndpointHandle

_SOURCE = Path(__file__).parent / "go"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("go") is None:
        pytest.skip("NOT TESTED with clickhouse-go: there is no Go compiler here")
    binary = tmp_path_factory.mktemp("go") / "endpointcheck"
    built = subprocess.run(
        ["go", "build", "-o", str(binary), "."], cwd=_SOURCE, capture_output=True, text=True, check=False
    )
    if built.returncode != 0 and ("dial tcp" in built.stderr or "no such host" in built.stderr):
        pytest.skip(f"NOT TESTED with clickhouse-go: its modules cannot be fetched: {built.stderr[-300:]}")
    assert built.returncode == 0, built.stderr
    return binary


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_go_client_finds_a_clickhouse_server(endpoint: EndpointHandle, program: Path) -> None:
    child = dict(os.environ) | {
        "ENDPOINT_ADDRESS": endpoint.url.removeprefix("http://"),
        "READER": endpoint.reader[0],
        "READER_PASSWORD": endpoint.reader[1],
        "WRITER": endpoint.writer[0],
        "WRITER_PASSWORD": endpoint.writer[1],
    }
    done = subprocess.run([str(program)], env=child, capture_output=True, text=True, timeout=120, check=False)
    lines = done.stdout.splitlines()
    assert [line for line in lines if not line.startswith("ok ")] == []
    assert len(lines) >= 40
    assert done.returncode == 0, done.stderr
