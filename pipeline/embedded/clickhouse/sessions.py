"""What a client's HTTP session remembers between requests: settings, parameters, current database, temporary tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline.embedded.clickhouse.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.embedded.clickhouse.engine import Connection
    from pipeline.embedded.clickhouse.request import Query


@dataclass(slots=True)
class ClientSession:
    """State of one session; values of ``settings`` are SQL literals.

    ``connection`` exists only once the session has a temporary table: everything else is replayed on a fresh connection
    for each request, which keeps chDB's leftovers of a failed query away from the next one.
    """

    settings: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    database: str = ""
    connection: Connection | None = None
    expires_at: float = 0.0
    busy: bool = False


class Sessions:
    """All sessions, by user and id: one user's session is invisible to another, whatever id they use."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._sessions: dict[tuple[str, str], ClientSession] = {}

    def acquire(self, query: Query, user: str) -> ClientSession:
        """Return the session of a request, locked; without a session id, one that is forgotten afterwards.

        Raises:
            QueryError: 372 it should exist and does not, 373 another request is using it.
        """
        self._expire()
        if not query.session_id:
            return ClientSession()
        key = (user, query.session_id)
        session = self._sessions.get(key)
        if session is None:
            if query.session_must_exist:
                raise QueryError(372, f"Session {query.session_id} not found")
            session = self._sessions[key] = ClientSession()
        if session.busy:
            raise QueryError(373, f"Session {query.session_id} is locked by a concurrent client")
        session.busy = True
        return session

    def release(self, query: Query, user: str, session: ClientSession) -> None:
        """Unlock the session and let it live for as long as the request asked, or forget it."""
        session.busy = False
        session.expires_at = self._now() + query.session_seconds
        if query.close_session and query.session_id:
            self._forget((user, query.session_id))

    def close(self) -> None:
        """Forget all sessions."""
        for key in list(self._sessions):
            self._forget(key)

    def _expire(self) -> None:
        now = self._now()
        for key in [key for key, session in self._sessions.items() if not session.busy and session.expires_at <= now]:
            self._forget(key)

    def _forget(self, key: tuple[str, str]) -> None:
        session = self._sessions.pop(key)
        if session.connection is not None:
            session.connection.close()
