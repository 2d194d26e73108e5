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
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError

from pipeline.clickhouse import sql
from pipeline.clickhouse.codes import THERE_ALREADY, has_code
from pipeline.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SILENT_SECONDS: Final = 20.0
_BEAT_SECONDS: Final = 2.0
_POLL_SECONDS: Final = 0.1
_NOBODYS_TURNS: Final = 50
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
        asked = time.monotonic()  # an answer says how it was when it was asked for, however late it comes
        if asked - self._confirmed < SILENT_SECONDS / 2:
            return
        if not _is_mine(self._client, self._database, self._holder):
            raise UserError(
                f"another roi migrate has gone on with database {self._database}: this one was silent for too long",
                "wait for the other one, then run it again",
            )
        self._confirmed = asked

    def keep(self, connect: Callable[[], Any]) -> None:
        """Show that it is held, until it is released; in a thread, with a connection of its own."""
        client: Any = None
        while not self._released.wait(_BEAT_SECONDS):
            asked = time.monotonic()
            with suppress(ClickHouseError, OSError, UserError):  # a server that does not answer has nobody else migrate
                client = client or connect()
                if _is_mine(client, self._database, self._holder):
                    client.command(sql.query("beat_migration_lock", self._database))
                    self._confirmed = asked
        if client is not None:
            client.close()

    def release(self) -> None:
        """Let the next one go on, and take away what was moved aside: who saw it silent has gone on since."""
        self._released.set()
        with suppress(ClickHouseError, OSError):  # it is over all the same, and the next one finds it silent
            self._drop()

    def _drop(self) -> None:
        if not _is_mine(self._client, self._database, self._holder):
            return
        aside = self._client.query(
            sql.query("migration_locks_aside", self._database), parameters={"name": self._database}
        )
        for (name,) in aside.result_rows:
            self._client.command(f"DROP TABLE IF EXISTS {self._database}.{name}", settings=_QUICKLY)
        self._client.command(sql.query("release_migration_lock", self._database), settings=_QUICKLY)


@contextmanager
def migration_lock(  # noqa: PLR0913 - what is locked, how, and who is told
    client: Any,
    database: str,
    connect: Callable[[], Any],
    silent_seconds: float,
    say: Callable[[str], None],
    *,
    is_of_server: bool = False,
) -> Iterator[MigrationLock]:
    """Wait until nobody else migrates the database, then hold the lock.

    Args:
        client: the connection that migrates.
        database: its name.
        connect: gives a further connection.
        silent_seconds: how long another one may show no sign of life.
        say: is told that somebody else is waited for.
        is_of_server: whoever migrates ends with the server, so a lock from before the server's start is a killed one's.
    """
    holder = secrets.token_hex(8)
    waiting = _Waiting(client, database, silent_seconds, say, is_of_server=is_of_server)
    while not _is_taken(client, database, holder):
        waiting.await_release()
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
        if not has_code(error, THERE_ALREADY):
            raise
        return False
    return True


class _Waiting:
    """Waits for whoever holds the lock."""

    def __init__(
        self, client: Any, database: str, silent_seconds: float, say: Callable[[str], None], *, is_of_server: bool
    ) -> None:
        self._client = client
        self._database = database
        self._silent_seconds = silent_seconds
        self._say = say
        self._is_of_server = is_of_server
        self._is_told = False
        self._nobodys = 0

    def await_release(self) -> None:
        """Return once the other one has ended, or was silent for so long that its table was moved aside.

        Raises:
            UserError: the table is there, and is nobody's.
        """
        seen: tuple[str, int] | None = None
        silence = 0.0
        while (found := _lock(self._client, self._database)) is not None and found.holder:
            began = time.monotonic()
            state = found.holder, self._beats()
            silence = silence if seen == state else 0.0
            seen = state
            if silence >= self._silent_seconds or (self._is_of_server and found.is_older):
                self._move_aside(found.holder)
                return
            self._tell()
            time.sleep(_POLL_SECONDS)
            # a process that was held up, or has waited for its answer, has not been listening
            silence += min(time.monotonic() - began, 2 * _POLL_SECONDS)
        self._nobodys = 0 if seen else self._nobodys + 1
        if self._nobodys > _NOBODYS_TURNS:
            raise UserError(
                f"database {self._database} has a table migrating that is no lock of roi migrate: nobody has it",
                f"drop it: DROP TABLE {self._database}.migrating",
            )
        time.sleep(_POLL_SECONDS)

    def _beats(self) -> int:
        with suppress(DatabaseError):  # it has ended just now
            return int(self._client.query(sql.query("count_migration_beats", self._database)).result_rows[0][0])
        return 0

    def _move_aside(self, holder: str) -> None:
        aside = f"RENAME TABLE {self._database}.migrating TO {self._database}.migrating_{holder}"
        with suppress(DatabaseError):  # somebody else has done it, or it has ended
            self._client.command(aside, settings=_QUICKLY)

    def _tell(self) -> None:
        if not self._is_told:
            self._say(f"another roi migrate is at work on database {self._database}: waiting until it is done")
        self._is_told = True


class _Lock(NamedTuple):
    holder: str
    is_older: bool  # than the server's start


def _lock(client: Any, database: str) -> _Lock | None:
    """Return who holds the lock, None where there is none."""
    rows = client.query(sql.query("migration_lock_holder", database), parameters={"name": database}).result_rows
    return _Lock(str(rows[0][0]), bool(rows[0][1])) if rows else None


def _is_mine(client: Any, database: str, holder: str) -> bool:
    found = _lock(client, database)
    return found is not None and found.holder == holder
