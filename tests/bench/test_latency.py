"""When the bench asks for what is durable: as soon as a block has come, and seldom without one."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, cast

import pytest

from bench import latency
from bench.latency import Positions
from bench.parts import Parts
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from bench.figures import Partition
    from bench.workload import LedgerProgress
    from pipeline.settings import Settings

MOMENT, LONG = 0.03, 20.0


class Progress:
    """Answers with what a test has set, and counts the questions."""

    def __init__(self) -> None:
        self.next_offset = 0
        self.asked = 0

    def positions(self) -> tuple[float, Mapping[Partition, int]]:
        self.asked += 1
        return time.monotonic(), {("bank.costs.v1", 0): self.next_offset}


@pytest.fixture
def progress() -> Progress:
    return Progress()


@pytest.fixture
def positions(tmp_path: Path, progress: Progress, monkeypatch: pytest.MonkeyPatch) -> Iterator[Positions]:
    monkeypatch.setattr(latency, "_SILENT_SECONDS", 1_000.0)
    asking = Positions(cast("LedgerProgress", progress), Parts(tmp_path))
    asking.start()
    yield asking
    asking.stop()


def test_parts_of_inserts_are_told_and_parts_of_merges_are_not(
    migrated: Settings, clickhouse: Any, run_name: str
) -> None:
    ledger = f"{migrated.clickhouse_database}.ledger"
    parts, stopped = Parts.of_ledger(migrated), threading.Event()
    for _ in range(2):
        clickhouse.command(f"INSERT INTO {ledger} (run, kind) VALUES ('{run_name}', 'touch')")
        assert parts.await_new(stopped, LONG)
        assert not parts.await_new(stopped, MOMENT)
    clickhouse.command(f"OPTIMIZE TABLE {ledger} FINAL")
    assert not parts.await_new(stopped, MOMENT)


def test_where_no_part_comes_it_is_asked_all_the_same(tmp_path: Path, progress: Progress) -> None:
    positions = Positions(cast("LedgerProgress", progress), Parts(tmp_path))
    positions.start()
    wait_until(lambda: len(positions.polls) >= 2, LONG)
    positions.stop()


def test_a_table_without_a_folder_here_has_no_parts(tmp_path: Path) -> None:
    assert not Parts(tmp_path / "elsewhere").await_new(threading.Event(), MOMENT)


def test_a_new_part_is_asked_about_at_once(tmp_path: Path, positions: Positions, progress: Progress) -> None:
    assert not positions.polls
    progress.next_offset = 7
    (tmp_path / "all_7_7_0").mkdir()
    wait_until(lambda: bool(positions.polls), LONG)
    progress.next_offset = 8
    (tmp_path / "all_8_8_1").mkdir()
    wait_until(lambda: positions.polls[-1][1] == {("bank.costs.v1", 0): 8}, LONG)


def test_a_part_that_shows_nothing_yet_is_asked_about_again_and_not_for_ever(
    tmp_path: Path, positions: Positions, progress: Progress
) -> None:
    (tmp_path / "all_8_8_0").mkdir()
    wait_until(lambda: progress.asked >= 4, LONG)
    progress.next_offset = 7
    (tmp_path / "all_9_9_0").mkdir()
    wait_until(lambda: positions.polls[-1][1] == {("bank.costs.v1", 0): 7}, LONG)
    assert progress.asked <= 6
