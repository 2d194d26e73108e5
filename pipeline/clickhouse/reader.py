"""Reading from ClickHouse over HTTP with the reader's rights: what commands and API need.

Apart from the ledger's client (`connection`: pooled, it sends blocks) because every command pays for its imports: 48 ms
of processor time with this module, 145 with clickhouse_connect (Python itself: 9). There is no third client.
"""

from __future__ import annotations

import base64
import http.client
import json
import re
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urlencode, urlsplit

from pipeline.clickhouse.codes import ACCESS_DENIED, has_code
from pipeline.clickhouse.ping import PING_SECONDS, ping, unreachable
from pipeline.errors import UnreachableError, UserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pipeline.settings import Settings

_CHUNK: Final = 1 << 16
_LONGEST_EXCEPTION: Final = 1 << 16  # held back at the end of a stream, where a late exception may stand
_EXCEPTION_TAG: Final = "X-ClickHouse-Exception-Tag"
_VERSION_SUFFIX: Final = re.compile(r"\s*\(version .*\)$")


_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\\0"})
_USERS: Final = {
    "reader": "ROI_CLICKHOUSE_USER and ROI_CLICKHOUSE_PASSWORD",
    "actor": "ROI_CLICKHOUSE_ACTOR_USER and ROI_CLICKHOUSE_ACTOR_PASSWORD",
}
_RIGHTS: Final = {
    "reader": "may read the tables and views of the application alone",
    "actor": "may hand in actions alone",
}


class Reader:
    """Runs queries as the read-only user.

    Every failure is a `UserError` that names the address and the remedy, or ClickHouse's own words about the query.

    Args:
        settings: address and login.
        timeout_seconds: longest silence of the server.
        in_database: whether names without a database mean the application's; asking for an absent one is an error.
        role: ``actor`` = the API's user, who may hand in actions instead (`insert`).
    """

    def __init__(
        self,
        settings: Settings,
        *,
        timeout_seconds: float = 300.0,
        in_database: bool = True,
        role: Literal["reader", "actor"] = "reader",
    ) -> None:
        self._url = urlsplit(settings.clickhouse_url)
        self._address = settings.clickhouse_url
        self._variables = _USERS[role]
        self._rights = _RIGHTS[role]
        acts = role == "actor"
        self._user = settings.clickhouse_actor_user if acts else settings.clickhouse_user
        password = settings.clickhouse_actor_password if acts else settings.clickhouse_password
        self._password = password.get_secret_value()
        self._timeout = timeout_seconds
        self._database = {"database": settings.clickhouse_database} if in_database else {}

    def stream(
        self,
        sql: str,
        output_format: str,
        parameters: Mapping[str, object] | None = None,
        options: Mapping[str, object] | None = None,
    ) -> tuple[str, Iterator[bytes]]:
        """Run one query; return the format that came (the SQL may name its own) and the bytes as they arrive.

        Args:
            sql: the query; ``{name:Type}`` stands for a parameter.
            output_format: any ClickHouse format.
            parameters: values of the query's parameters.
            options: ClickHouse settings for this query.
        """
        arguments: dict[str, object] = {"default_format": output_format, **self._database, **(options or {})}
        arguments |= {f"param_{name}": _escaped(value) for name, value in (parameters or {}).items()}
        response = self._send(f"/?{urlencode(arguments)}", sql)
        if response.status != http.client.OK:
            with closing(response):
                raise self._refusal(response.status, response.read(_LONGEST_EXCEPTION).decode(errors="replace"))
        body = until_exception(self._chunks(response), response.headers.get(_EXCEPTION_TAG))
        return response.headers.get("X-ClickHouse-Format", output_format), body

    def rows(self, sql: str, parameters: Mapping[str, object] | None = None) -> list[dict[str, Any]]:
        """Run one query and return its rows by column name; 64-bit integers come as numbers."""
        options = {"output_format_json_quote_64bit_integers": 0}
        _, chunks = self.stream(sql, "JSONEachRow", parameters, options)
        return _lines(chunks)

    def lists(self, sql: str, parameters: Mapping[str, object] | None = None) -> list[list[Any]]:
        """Run one of the ledger's queries, which name JSONCompactEachRow themselves, and return its rows."""
        _, chunks = self.stream(sql, "JSONCompactEachRow", parameters)
        return _lines(chunks)

    def insert(self, sql: str, row: Mapping[str, object]) -> None:
        """Hand one row in by an ``INSERT … FORMAT JSONEachRow``; after an error it may be there all the same."""
        _, chunks = self.stream(f"{sql.rstrip()}\n{json.dumps(row)}", "JSONEachRow")
        for _ in chunks:
            pass

    def _send(self, path: str, sql: str) -> http.client.HTTPResponse:
        secure = self._url.scheme == "https"
        connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        port = self._url.port or (8443 if secure else 8123)
        connection = connect(self._url.hostname or "", port, timeout=self._timeout)
        credentials = base64.b64encode(f"{self._user}:{self._password}".encode()).decode()
        # the reply owns the socket from here on: closing the reply is all that is left to do
        headers = {"Authorization": f"Basic {credentials}", "Connection": "close"}
        if self._timeout > PING_SECONDS:
            ping(self._url)
        try:
            connection.request("POST", self._url.path.rstrip("/") + path, body=sql.encode(), headers=headers)
            return connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            raise unreachable(self._address, error) from error

    def _chunks(self, response: http.client.HTTPResponse) -> Iterator[bytes]:
        with closing(response):
            try:
                while chunk := response.read1(_CHUNK):
                    yield chunk
                if response.length:  # read1 takes a connection closed too early for the end
                    raise http.client.IncompleteRead(b"", response.length)
            except (OSError, http.client.HTTPException) as error:
                raise UnreachableError(
                    f"the answer of ClickHouse at {self._address} broke off ({_words(error)})", "run the query again"
                ) from error

    def _refusal(self, status: int, body: str) -> UserError:
        if has_code(body, ACCESS_DENIED):  # the user is right, and may not do this
            return query_error(body, f"{self._user} {self._rights}")
        if status in {http.client.UNAUTHORIZED, http.client.FORBIDDEN}:
            return UserError(
                f"ClickHouse at {self._address} refused the user {self._user}",
                f"correct {self._variables}, or name an instance with --data",
            )
        return query_error(body)


def _lines(chunks: Iterable[bytes]) -> list[Any]:
    return [json.loads(line) for line in b"".join(chunks).splitlines() if line]


def query_error(message: str, remedy: str = "correct the query") -> UserError:
    """Return ClickHouse's complaint about a query as the user's error, without the server's version."""
    words = _VERSION_SUFFIX.sub("", " ".join(message.split())) or "it gave no reason"
    unmade = any(name in words for name in ("UNKNOWN_TABLE", "UNKNOWN_DATABASE"))
    return UserError(f"ClickHouse: {words}", "run roi migrate, or correct the name" if unmade else remedy)


def until_exception(chunks: Iterable[bytes], tag: str | None) -> Iterator[bytes]:
    """Pass a reply's bytes on, and raise the exception that ClickHouse appends when a query fails part-way.

    Raises:
        UserError: the reply ends in ``__exception__ <tag> <message>``; the bytes before it have been passed on.
    """
    if tag is None:
        yield from chunks
        return
    held = b""
    for chunk in chunks:
        held += chunk
        if len(held) > _LONGEST_EXCEPTION:
            yield held[:-_LONGEST_EXCEPTION]
            held = held[-_LONGEST_EXCEPTION:]
    marker = f"\r\n__exception__\r\n{tag}\r\n".encode()
    rows, failed, message = held.partition(marker)
    if rows:
        yield rows
    if failed:
        # the message ends with a line of its own length and the tag
        raise query_error(message.decode(errors="replace").rsplit("\r\n__exception__", 1)[0].rsplit("\n", 1)[0])


def _escaped(value: object) -> object:
    r"""Return a parameter as ClickHouse reads it: texts in the format Escaped, where ``\N`` would be none at all."""
    return value.translate(_ESCAPES) if isinstance(value, str) else value


def _words(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
