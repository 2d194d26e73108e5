"""Runs a program that checks the endpoint with a real driver and prints a line per check."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.support.endpoint import EndpointHandle

# what build tools say when their registry cannot be reached
_OFFLINE = ("dial tcp", "no such host", "Unknown host", "Connection refused", "ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED")


def need(driver: str, *tools: str) -> None:
    """Skip, loudly, where a tool is missing."""
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"NOT TESTED with {driver}: there is no {' and no '.join(missing)} here")


def build(driver: str, command: Sequence[str], directory: Path) -> str:
    """Run a step of a build; skip when it cannot fetch what it needs."""
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    if done.returncode != 0 and any(word in said for word in _OFFLINE):
        pytest.skip(f"NOT TESTED with {driver}: what it needs cannot be fetched: {said[-300:]}")
    assert done.returncode == 0, said
    return done.stdout


def check(endpoint: EndpointHandle, command: Sequence[str], *, least: int, directory: Path | None = None) -> None:
    """Run the program: every line must be ``ok …``, and there must be ``least`` of them."""
    child = dict(os.environ) | {
        "ENDPOINT_ADDRESS": endpoint.url.removeprefix("http://"),
        "READER": endpoint.reader[0],
        "READER_PASSWORD": endpoint.reader[1],
        "WRITER": endpoint.writer[0],
        "WRITER_PASSWORD": endpoint.writer[1],
    }
    done = subprocess.run(command, env=child, cwd=directory, capture_output=True, text=True, timeout=180, check=False)
    lines = done.stdout.splitlines()
    assert [line for line in lines if not line.startswith("ok ")] == []
    assert len(lines) >= least, done.stderr
    assert done.returncode == 0, done.stderr
