"""An HTTP request to ClickHouse as plain data. Pure: no server, no engine."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pipeline.embedded.clickhouse.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# URL parameters that belong to HTTP and not to the engine: ClickHouse's own, and some that make no difference here.
_RESERVED: Final = frozenset(
    {
        "query",
        "user",
        "password",
        "database",
        "default_format",
        "query_id",
        "session_id",
        "session_timeout",
        "session_check",
        "close_session",
        "client_protocol_version",
        "compress",
        "decompress",
        "quota_key",
        "role",
        "stacktrace",
        "buffer_size",
        "wait_end_of_query",
        "readonly",
    }
)
# Settings of ClickHouse's HTTP interface and progress headers: accepted, and without a meaning here.
_IGNORED: Final = frozenset(
    {
        "enable_http_compression",
        "http_zlib_compression_level",
        "send_progress_in_http_headers",
        "http_headers_progress_interval_ms",
        "cancel_http_readonly_queries_on_client_close",
        "http_response_buffer_size",
        "add_http_cors_header",
    }
)
# Settings of that kind that have one.
_SWITCHES: Final = frozenset({"http_wait_end_of_query", "http_native_compression_disable_checksumming_on_decompress"})
MAX_SESSION_SECONDS: Final = 3600


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who asks, as the client says."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Transfer:
    """In which form bodies travel: as ClickHouse's compressed blocks or as they are. Only a URL can say so."""

    compress: bool
    decompress: bool
    check: bool

    @classmethod
    def of(cls, values: Mapping[str, str]) -> Transfer:
        """Return what the URL's parameters ask for."""
        unchecked = _flag(values, "http_native_compression_disable_checksumming_on_decompress")
        return cls(_flag(values, "compress"), _flag(values, "decompress"), not unchecked)


@dataclass(frozen=True, slots=True)
class Query:
    """One request: the SQL of its URL and everything that goes with it, but not the body."""

    sql: str
    database: str
    format: str
    query_id: str
    session_id: str
    session_seconds: int
    session_must_exist: bool
    close_session: bool
    protocol_version: int
    settings: Mapping[str, str]
    parameters: Mapping[str, str]
    external: Mapping[str, Mapping[str, str]]
    read_only: bool
    waits_for_end: bool


def parse_request(
    method: str, pairs: Iterable[tuple[str, str]], headers: Mapping[str, str], tables: frozenset[str] = frozenset()
) -> Query:
    """Return the query a request asks for.

    Args:
        method: the HTTP method; GET makes the query read-only.
        pairs: the URL's parameters in order.
        headers: the request's headers (case-insensitive).
        tables: the names of the external tables that come as parts of a multipart body.

    Raises:
        QueryError: a parameter is malformed (36) or asks for what this endpoint does not offer (48).
    """
    values: dict[str, str] = {}
    settings: dict[str, str] = {}
    parameters: dict[str, str] = {}
    external: dict[str, dict[str, str]] = {table: {} for table in tables}
    for name, value in pairs:
        table, _, part = name.rpartition("_")
        if name.startswith("param_"):
            parameters[name.removeprefix("param_")] = value
        elif name in _RESERVED:
            values[name] = value
        elif table in external and part in {"format", "types", "structure"}:
            external[table][part] = value
        elif name in _SWITCHES:
            values[name] = value
        elif name not in _IGNORED:
            settings[name] = value
    return Query(
        sql=values.get("query", ""),
        database=values.get("database", "") or headers.get("X-ClickHouse-Database", ""),
        format=values.get("default_format", "") or headers.get("X-ClickHouse-Format", "") or "TabSeparated",
        query_id=values.get("query_id", "") or headers.get("X-ClickHouse-Query-Id", ""),
        session_id=values.get("session_id", ""),
        session_seconds=_number(values, "session_timeout", 60, MAX_SESSION_SECONDS),
        session_must_exist=values.get("session_check") == "1",
        close_session=values.get("close_session") == "1",
        protocol_version=_number(values, "client_protocol_version", 0, 2**31),
        settings=settings,
        parameters=parameters,
        external=external,
        read_only=method in {"GET", "HEAD"} or _flag(values, "readonly"),
        waits_for_end=_flag(values, "wait_end_of_query") or _flag(values, "http_wait_end_of_query"),
    )


def _flag(values: Mapping[str, str], name: str) -> bool:
    return values.get(name, "").lower() not in {"", "0", "false"}


def _number(values: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = values.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or int(text) > most:
        raise QueryError(36, f"{name} == {text!r}, must be a number up to {most}")
    return int(text)


def parse_credentials(values: Mapping[str, str], headers: Mapping[str, str]) -> Credentials | None:
    """Return the first of Basic authorization, ClickHouse's own headers and URL parameters that is there.

    Args:
        values: the URL's parameters.
        headers: the request's headers (case-insensitive).
    """
    authorization = headers.get("Authorization", "")
    if authorization[:6].lower() == "basic ":
        try:
            user, _, password = base64.b64decode(authorization[6:], validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return Credentials(user, password)
    if "X-ClickHouse-User" in headers:
        return Credentials(headers["X-ClickHouse-User"], headers.get("X-ClickHouse-Key", ""))
    if "user" in values:
        return Credentials(values["user"], values.get("password", ""))
    return None
