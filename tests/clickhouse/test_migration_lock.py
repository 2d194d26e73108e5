"""Several `roi migrate` at once, and what a killed or frozen one leaves."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import SimpleNamespace
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
ONE_SERVER = """
import sys
from chdb.session import Session
server = Session(sys.argv[1])
for statement in sys.argv[2:]:
    print(server.query(statement))
"""


class Rounds:
    """Stands for the event that ends the signs of life."""

    def __init__(self, rounds: int) -> None:
        self._rounds = rounds

    def wait(self, _seconds: float) -> bool:
        self._rounds -= 1
        return self._rounds < 0


class Stories:
    """A server as one that waits sees it, and its clock: the holder is killed unless ``beats_every`` says otherwise."""

    def __init__(self) -> None:
        self.now = 0.0
        self.holder = "killed"
        self.is_older = False
        self.beats_every = float("inf")
        self.ends_at = float("inf")
        self.late: dict[int, float] = {}  # of the answers with the signs of life, by their number
        self.beat_seconds = 0.0
        self.taken_over_during_beat = False
        self.moved: list[str] = []
        self._answers = 0

    def waiting(self, *, is_of_server: bool = False) -> Any:
        return locks._Waiting(self, "roi", locks.SILENT_SECONDS, lambda _: None, is_of_server=is_of_server)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def query(self, text: str, parameters: Any = None) -> SimpleNamespace:
        del parameters
        if "system.tables" in text:
            rows = [] if self.now >= self.ends_at else [(self.holder, self.is_older)]
            return SimpleNamespace(result_rows=rows)
        beats = int(self.now // self.beats_every)
        self._answers += 1
        self.now += self.late.get(self._answers, 0.0)
        return SimpleNamespace(result_rows=[(beats,)])

    def command(self, text: str, settings: Any = None) -> None:
        del settings
        if text.startswith("RENAME"):
            self.moved.append(text.rpartition("_")[2])
        else:
            self.now += self.beat_seconds
            if self.taken_over_during_beat:
                self.holder = "other"

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def stories(monkeypatch: pytest.MonkeyPatch) -> Stories:
    found = Stories()
    monkeypatch.setattr(locks, "time", found)
    return found


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


def test_a_lock_is_older_than_the_server_once_that_has_been_started_again(tmp_path: Path) -> None:
    asked = sql.query("migration_lock_holder", "roi").replace("{name:String}", "'roi'")
    make = sql.query("take_migration_lock", "roi").replace("{holder}", "killed")

    def answer(*statements: str) -> str:
        told = subprocess.run(
            [sys.executable, "-c", ONE_SERVER, str(tmp_path), *statements],
            check=True,
            capture_output=True,
            text=True,
            timeout=120,
        )
        return told.stdout.split()[-1]

    assert answer("CREATE DATABASE roi", "SELECT sleep(2.5)", make, asked) == '"killed",0'
    assert answer(asked) == '"killed",1'


def test_who_keeps_its_server_does_not_wait_for_a_lock_from_before_its_start(stories: Stories) -> None:
    waiting = stories.waiting(is_of_server=True)
    stories.is_older = True
    waiting.await_release()
    assert (stories.moved, stories.now) == (["killed"], 0.0)


def test_who_keeps_its_server_waits_for_whoever_else_migrates_there(stories: Stories) -> None:
    stories.waiting(is_of_server=True).await_release()
    assert stories.moved == ["killed"]
    assert stories.now >= locks.SILENT_SECONDS


def test_who_was_held_up_does_not_take_a_living_lock(stories: Stories) -> None:
    """An answer 25 seconds late says nothing of the seconds between: the holder showed itself all the time."""
    stories.beats_every = 2.0
    stories.late = {5: 25.0, 9: 25.0}
    stories.ends_at = 90.0
    stories.waiting().await_release()
    assert stories.moved == []


def test_a_sign_of_life_that_was_held_up_confirms_nothing(stories: Stories) -> None:
    lock = MigrationLock("roi", stories, "killed")
    stories.beat_seconds = 25.0
    lock._released = Rounds(1)  # type: ignore[assignment] # one beat, then released
    stories.taken_over_during_beat = True
    lock.keep(lambda: stories)
    with pytest.raises(UserError, match="another roi migrate has gone on"):
        lock.check()


def test_a_table_that_is_nobodys_lock_is_told(stories: Stories) -> None:
    stories.holder = ""
    waiting = stories.waiting()
    for _ in range(locks._NOBODYS_TURNS):  # one that has just ended is not there either
        waiting.await_release()
    with pytest.raises(UserError, match=r"nobody has it; drop it: DROP TABLE roi\.migrating"):
        waiting.await_release()
    assert 1.0 < stories.now < 60.0


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
