"""Several `roi migrate` at once, and what a killed or frozen one leaves."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.clickhouse import migration_lock as locks
from pipeline.clickhouse import migrations, sql
from pipeline.clickhouse.connection import connect
from pipeline.clickhouse.migration_lock import MigrationLock, migration_lock
from pipeline.clickhouse.migrations import migrate, scripts
from pipeline.errors import UserError
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.settings import Settings

AT_ONCE = 4


@pytest.fixture
def settings(spare: Settings, spare_client: Any) -> Settings:
    """Settings of a ClickHouse without a database."""
    spare_client.command("DROP DATABASE IF EXISTS roi")
    return spare


@pytest.fixture
def counting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Settings:
    """Settings of a database that lacks a migration which counts when it is run."""
    monkeypatch.setattr(sql, "MIGRATIONS", tmp_path)
    (tmp_path / "0001_first.sql").write_text("CREATE TABLE {database}.runs (a UInt8) ENGINE = MergeTree ORDER BY a")
    migrate(settings)
    (tmp_path / "0002_second.sql").write_text("INSERT INTO {database}.runs SELECT 1 + sleep(0.3)")
    return settings


def all_at_once(settings: Settings) -> list[list[str]]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda _: migrate(settings), range(AT_ONCE)))


def left_over(client: Any) -> list[str]:
    rows = client.query("SELECT name FROM system.tables WHERE database = 'roi' AND name LIKE 'migrating%'").result_rows
    return [name for (name,) in rows]


def take(client: Any, holder: str = "killed") -> None:
    """Leave what one leaves that is killed."""
    client.command("CREATE DATABASE IF NOT EXISTS roi")
    client.command(sql.query("take_migration_lock", "roi").replace("{holder}", holder))


def test_of_several_on_a_new_database_one_makes_it_and_the_others_find_it(
    settings: Settings, spare_client: Any
) -> None:
    assert sorted(all_at_once(settings), key=len) == [[]] * (AT_ONCE - 1) + [[file.name for file in scripts()]]
    assert left_over(spare_client) == []


def test_a_migration_is_run_once_by_several_over_an_older_database(counting: Settings, spare_client: Any) -> None:
    assert sorted(all_at_once(counting)) == [[]] * (AT_ONCE - 1) + [["0002_second.sql"]]
    assert spare_client.query("SELECT count() FROM roi.runs").result_rows == [(1,)]


def test_the_lock_of_a_killed_one_is_taken_once(
    counting: Settings, spare_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "SILENT_SECONDS", 0.5)
    take(spare_client)
    assert sorted(all_at_once(counting)) == [[]] * (AT_ONCE - 1) + [["0002_second.sql"]]
    assert spare_client.query("SELECT count() FROM roi.runs").result_rows == [(1,)]
    assert left_over(spare_client) == []


def test_who_is_alone_on_its_folder_waits_for_nobody(settings: Settings, spare_client: Any, tmp_path: Path) -> None:
    take(spare_client)
    began = time.monotonic()
    assert migrate(settings, tmp_path)
    assert time.monotonic() - began < locks.SILENT_SECONDS
    assert left_over(spare_client) == []


def test_one_that_shows_itself_is_waited_for(
    settings: Settings, spare_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "_BEAT_SECONDS", 0.1)
    spare_client.command("CREATE DATABASE roi")
    other = connect(settings, "writer")
    entered = threading.Event()
    said: list[str] = []

    def wait_for_it() -> None:
        with migration_lock(other, "roi", lambda: connect(settings, "writer"), 1.0, said.append):
            entered.set()

    with migration_lock(spare_client, "roi", lambda: connect(settings, "writer"), 1.0, said.append):
        waiting = threading.Thread(target=wait_for_it)
        waiting.start()
        assert not entered.wait(3.0)
    assert entered.wait(10)
    waiting.join()
    assert said == ["another roi migrate is at work on database roi: waiting until it is done"]
    other.close()
    assert left_over(spare_client) == []


def test_a_frozen_one_stops_where_another_has_gone_on(
    settings: Settings, spare_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "SILENT_SECONDS", 0.0)
    take(spare_client, "frozen")
    frozen = MigrationLock("roi", spare_client, "frozen")
    frozen.check()
    with migration_lock(spare_client, "roi", lambda: connect(settings, "writer"), 0.0, print):
        with pytest.raises(UserError, match="another roi migrate has gone on"):
            frozen.check()
        frozen.release()
        assert "migrating" in left_over(spare_client), "the other one's lock is not released"
    assert left_over(spare_client) == []


def test_one_that_waits_too_late_moves_nobody_else_aside(settings: Settings, spare_client: Any) -> None:
    """Two saw the killed one; the first has moved it and holds the lock when the second tries."""
    take(spare_client)
    aside = "RENAME TABLE roi.migrating TO roi.migrating_killed"
    spare_client.command(aside)
    with migration_lock(spare_client, "roi", lambda: connect(settings, "writer"), 0.0, print) as held:
        with suppress(Exception):
            spare_client.command(aside)
        held.check()
        assert sorted(left_over(spare_client)) == ["migrating", "migrating_killed"]
    assert left_over(spare_client) == []


def test_a_failed_migration_lets_the_next_one_go_on(counting: Settings, spare_client: Any, tmp_path: Path) -> None:
    (tmp_path / "0003_third.sql").write_text("SELECT nonsense")
    with pytest.raises(Exception, match="nonsense"):
        migrate(counting)
    wait_until(lambda: left_over(spare_client) == [], 5)
    (tmp_path / "0003_third.sql").write_text("SELECT 1")
    assert migrate(counting) == ["0003_third.sql"]
