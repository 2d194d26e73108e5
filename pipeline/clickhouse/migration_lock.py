"""One `roi migrate` at a time, where ClickHouse has no locks: it gives a table's name to one CREATE alone.

Whoever makes the table ``migrating`` holds the lock, writes a row into it now and then, and drops it at the end. The
table of one that was killed gets no more rows: whoever has waited long enough moves it aside, to a name that only this
very table can take, so that of two that wait one alone succeeds and nobody moves the next one's away.
"""

from __future__ import annotations

import secrets
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError

from pipeline.clickhouse import sql
from pipeline.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SILENT_SECONDS: Final = 20.0
_BEAT_SECONDS: Final = 2.0
_POLL_SECONDS: Final = 0.1
_THERE_ALREADY: Final = 57
_QUICKLY: Final = {"fsync_metadata": 0}  # it need not outlive this machine's power


class MigrationLock:
    """The right to migrate, as long as nobody has taken it away from one that was silent for too long."""

    def __init__(self, database: str, client: Any, holder: str) -> None:
        self._database = database
        self._client = client
        self._holder = holder
        self._confirmed = time.monotonic()
        self._released = threading.Event()

    def check(self) -> None:
        """Make sure, before a statement, that it is still held.

        Raises:
            UserError: this process was frozen or cut off so long that another one has gone on with the migration.
        """
        if time.monotonic() - self._confirmed < SILENT_SECONDS / 2:
            return
        if _holder(self._client, self._database) != self._holder:
            raise UserError(
                f"another roi migrate has gone on with database {self._database}: this one was silent for too long",
                "wait for the other one, then run it again",
            )
        self._confirmed = time.monotonic()

    def keep(self, connect: Callable[[], Any]) -> None:
        """Show that it is held, until it is released; in a thread, with a connection of its own."""
        client: Any = None
        while not self._released.wait(_BEAT_SECONDS):
            with suppress(ClickHouseError, OSError, UserError):  # a server that does not answer has nobody else migrate
                client = client or connect()
                if _holder(client, self._database) == self._holder:
                    client.command(sql.query("beat_migration_lock", self._database))
                    self._confirmed = time.monotonic()
        if client is not None:
            client.close()

    def release(self) -> None:
        """Let the next one go on, and take away what was moved aside: who saw it silent has gone on since."""
        self._released.set()
        with suppress(ClickHouseError, OSError):  # it is over all the same, and the next one finds it silent
            self._drop()

    def _drop(self) -> None:
        if _holder(self._client, self._database) != self._holder:
            return
        aside = self._client.query(
            sql.query("migration_locks_aside", self._database), parameters={"name": self._database}
        )
        for (name,) in aside.result_rows:
            self._client.command(f"DROP TABLE IF EXISTS {self._database}.{name}", settings=_QUICKLY)
        self._client.command(sql.query("release_migration_lock", self._database), settings=_QUICKLY)


@contextmanager
def migration_lock(
    client: Any, database: str, connect: Callable[[], Any], silent_seconds: float, say: Callable[[str], None]
) -> Iterator[MigrationLock]:
    """Wait until nobody else migrates the database, then hold the lock.

    Args:
        client: the connection that migrates.
        database: its name.
        connect: gives a further connection.
        silent_seconds: how long another one may show no sign of life; 0 where nobody else can be there.
        say: is told that somebody else is waited for.
    """
    holder = secrets.token_hex(8)
    is_told = silent_seconds == 0
    while not _is_taken(client, database, holder):
        if not is_told:
            say(f"another roi migrate is at work on database {database}: waiting until it is done")
            is_told = True
        _await_release(client, database, silent_seconds)
    held = MigrationLock(database, client, holder)
    keeping = threading.Thread(target=held.keep, args=(connect,), daemon=True)
    keeping.start()
    try:
        yield held
    finally:
        held.release()
        keeping.join()


def _is_taken(client: Any, database: str, holder: str) -> bool:
    try:
        client.command(sql.query("take_migration_lock", database).replace("{holder}", holder), settings=_QUICKLY)
    except DatabaseError as error:
        if f"code: {_THERE_ALREADY}," not in str(error):
            raise
        return False
    return True


def _await_release(client: Any, database: str, silent_seconds: float) -> None:
    """Return once the other one has ended, or was silent for so long that its table was moved aside."""
    seen: tuple[str, int] | None = None
    heard = time.monotonic()
    while holder := _holder(client, database):
        beats = 0
        with suppress(DatabaseError):  # it has ended just now
            beats = client.query(sql.query("count_migration_beats", database)).result_rows[0][0]
        if seen not in {None, (holder, beats)}:
            heard = time.monotonic()
        seen = holder, beats
        if time.monotonic() - heard >= silent_seconds:
            with suppress(DatabaseError):  # somebody else has done it, or it has ended
                client.command(f"RENAME TABLE {database}.migrating TO {database}.migrating_{holder}", settings=_QUICKLY)
            return
        time.sleep(_POLL_SECONDS)


def _holder(client: Any, database: str) -> str:
    """Return the name of who holds the lock, empty where nobody does."""
    rows = client.query(sql.query("migration_lock_holder", database), parameters={"name": database}).result_rows
    return str(rows[0][0]) if rows else ""
