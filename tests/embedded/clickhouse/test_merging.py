"""Merging threads give way from the first on, and no other thread does."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.embedded.clickhouse.client import Client
    from tests.support.endpoint import EndpointHandle


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has priorities of threads")
def test_merges_are_nicer_than_what_somebody_waits_for(endpoint: EndpointHandle, writer: Client) -> None:
    threads = Path(f"/proc/{endpoint.process.pid}/task")
    usual = os.getpriority(os.PRIO_PROCESS, endpoint.process.pid)

    def niceness() -> dict[str, set[int]]:
        found: dict[str, set[int]] = {}
        for thread in threads.iterdir():
            with suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
                name = (thread / "comm").read_text().strip()
                found.setdefault(name, set()).add(os.getpriority(os.PRIO_PROCESS, int(thread.name)) - usual)
        return found

    before = niceness()
    writer.query("CREATE TABLE roi.merged (a UInt64) ENGINE = MergeTree ORDER BY a")
    for _ in range(5):
        writer.query("INSERT INTO roi.merged SELECT number FROM numbers(1000)")
    writer.query("OPTIMIZE TABLE roi.merged FINAL")
    for found in (before, niceness()):
        assert found.pop("MergeMutate") == {5}
        assert max(set().union(*found.values())) == 0  # as root, the engine puts one of its own before others
