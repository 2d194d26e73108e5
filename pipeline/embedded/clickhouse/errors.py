"""Errors as a ClickHouse server renders them: a code, a text and an HTTP status."""

from __future__ import annotations

import errno
import re
from typing import Final

from pipeline.errors import PipelineError

SERVER_VERSION: Final = "26.9.2.1"

# Names of the codes this endpoint raises itself; everything else comes from the engine with its name.
_NAMES: Final = {
    36: "BAD_ARGUMENTS",
    40: "CHECKSUM_DOESNT_MATCH",
    48: "NOT_IMPLEMENTED",
    62: "SYNTAX_ERROR",
    81: "UNKNOWN_DATABASE",
    131: "TOO_LARGE_SIZE_COMPRESSED",
    159: "TIMEOUT_EXCEEDED",
    164: "READONLY",
    202: "TOO_MANY_SIMULTANEOUS_QUERIES",
    216: "QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING",
    229: "QUERY_IS_TOO_LARGE",
    236: "ABORTED",
    243: "NOT_ENOUGH_SPACE",
    271: "CANNOT_DECOMPRESS",
    372: "SESSION_NOT_FOUND",
    373: "SESSION_IS_LOCKED",
    432: "UNKNOWN_CODEC",
    497: "ACCESS_DENIED",
    516: "AUTHENTICATION_FAILED",
    1002: "UNKNOWN_EXCEPTION",
}

# ClickHouse's own mapping (HTTPHandler), except for two: a wrong password is 401 (clients ask for it again, and Grafana
# reads a 403 as a missing role) and missing rights are 403.
_BAD_REQUEST: Final = frozenset(
    {
        6,
        10,
        15,
        25,
        26,
        27,
        36,
        38,
        40,
        41,
        44,
        49,
        53,
        62,
        69,
        72,
        117,
        131,
        167,
        168,
        224,
        271,
        376,
        427,
        432,
        441,
        457,
        675,
        676,
    }
)
_NOT_FOUND: Final = frozenset({46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 137, 321, 336})
_STATUS: Final = (
    dict.fromkeys(_BAD_REQUEST, 400)
    | dict.fromkeys(_NOT_FOUND, 404)
    | {48: 501, 159: 408, 164: 500, 194: 401, 202: 503, 209: 503, 229: 413, 372: 404, 381: 411, 497: 403, 516: 401}
)

_HEAD: Final = re.compile(
    r"^(?:(?:Streaming query failed|Failed to create connection): )?(?:Code: (\d+)\. DB::(?:Net)?Exception: )+"
)
_VERSION: Final = re.compile(r" ?\(version [\d.]+[^)]*\)\.?")
_REPEATED_NAME: Final = re.compile(r"(?:\.? ?\(([A-Z_0-9]+)\)\.?)(?: ?\(\1\)\.?)+\s*$")
_NAMED: Final = re.compile(r"\([A-Z][A-Z_0-9]+\)\s*$")


class QueryError(PipelineError):
    """A query that fails with ClickHouse's error ``code``; ``text`` is the message without code and version."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"Code: {code}. {text}")
        self.code = code
        self.text = text

    @property
    def status(self) -> int:
        """The HTTP status a server answers with."""
        return _STATUS.get(self.code, 500)

    def render(self) -> str:
        """Return the body of the error reply, one line without the line end."""
        name = "" if _NAMED.search(self.text) else f". ({_NAMES.get(self.code, 'UNKNOWN_EXCEPTION')})"
        return f"Code: {self.code}. DB::Exception: {self.text}{name} (version {SERVER_VERSION} (official build))"


def from_engine(error: Exception) -> QueryError:
    """Return what the engine raised as a `QueryError`; wrapped repetitions of code, version and name are folded."""
    message = str(error)
    if isinstance(error, UnicodeEncodeError):
        return QueryError(62, "Syntax error: the statement is not valid UTF-8")
    head = _HEAD.match(message)
    if head is None:
        return QueryError(1002, message or type(error).__name__)
    text = _VERSION.sub("", message[head.end() :])
    return QueryError(int(head.group(1)), _REPEATED_NAME.sub(r". (\1)", text).strip())


def from_system(error: OSError) -> QueryError:
    """Return what the operating system raised as a `QueryError`: no space is ClickHouse's 243, the rest is 1002."""
    full = error.errno in {errno.ENOSPC, errno.EDQUOT, errno.ENOMEM}
    return QueryError(243 if full else 1002, f"the endpoint could not keep the request's body: {error.strerror}")


def exception_block(error: QueryError, tag: str) -> bytes:
    """Return the bytes that end a stream whose status line (200) is already sent (ClickHouse's exception framing)."""
    message = f"{error.render()}\n".encode(errors="surrogateescape")
    return f"\r\n__exception__\r\n{tag}\r\n".encode() + message + f"{len(message)} {tag}\r\n__exception__\r\n".encode()
