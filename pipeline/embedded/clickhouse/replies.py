"""HTTP replies with the headers a ClickHouse server sends. Pure, but for the streaming one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.embedded.clickhouse.compression import Encoder
    from pipeline.embedded.clickhouse.engine import About
    from pipeline.embedded.clickhouse.errors import QueryError
    from pipeline.embedded.clickhouse.execution import Answer

_JSON: Final = "application/json; charset=UTF-8"
_LINES: Final = "application/x-ndjson; charset=UTF-8"
_CSV: Final = "text/csv; charset=UTF-8"
_BINARY: Final = "application/octet-stream"
_TEXT: Final = "text/plain; charset=UTF-8"
_TABS: Final = "text/tab-separated-values; charset=UTF-8"
_CONTENT_TYPES: Final = {
    "arrow": "application/vnd.apache.arrow.file",
    "arrowstream": "application/vnd.apache.arrow.stream",
    "csv": f"{_CSV}; header=absent",
    "csvwithnames": f"{_CSV}; header=present",
    "csvwithnamesandtypes": f"{_CSV}; header=present",
    "json": _JSON,
    "jsoncompact": _JSON,
    "jsoncolumns": _JSON,
    "jsonstrings": _JSON,
    "jsoncompactcolumns": _JSON,
    "jsoncompacteachrow": _LINES,
    "jsoneachrow": _LINES,
    "msgpack": "application/x-msgpack",
    "native": _BINARY,
    "parquet": _BINARY,
    "rowbinary": _BINARY,
    "rowbinarywithnames": _BINARY,
    "rowbinarywithnamesandtypes": _BINARY,
    "tabseparated": _TABS,
    "tabseparatedwithnames": _TABS,
    "tabseparatedwithnamesandtypes": _TABS,
    "tsv": _TABS,
    "tsvwithnames": _TABS,
    "xml": "application/xml; charset=UTF-8",
}
_FORMAT_ALIASES: Final = {"TSV": "TabSeparated", "TSVWithNames": "TabSeparatedWithNames", "TSVRaw": "TabSeparatedRaw"}


def headers(about: About, query_id: str = "", output_format: str | None = None) -> dict[str, str]:
    """Return the headers of a reply; X-ClickHouse-Format only where there is a result."""
    out = {
        "Content-Type": _CONTENT_TYPES.get((output_format or "").lower(), _TEXT),
        "Server": "ClickHouse HTTP endpoint (chDB)",
        "X-ClickHouse-Server-Display-Name": about.display_name,
        "X-ClickHouse-Timezone": about.timezone,
    }
    if output_format:
        out["X-ClickHouse-Format"] = _FORMAT_ALIASES.get(output_format, output_format)
    if query_id:
        out["X-ClickHouse-Query-Id"] = query_id
    return out


def summary(answer: Answer) -> str:
    """Return the X-ClickHouse-Summary of what is known when the reply starts: everything, if there is no more to come.

    As a server does, it counts an INSERT's rows as its result too.
    """
    figures = answer.figures
    return json.dumps(
        {
            "read_rows": str(figures.rows_read),
            "read_bytes": str(figures.bytes_read),
            "written_rows": str(figures.rows_written),
            "written_bytes": str(figures.bytes_written),
            "total_rows_to_read": str(figures.rows_read),
            "result_rows": str(figures.rows_returned or figures.rows_written),
            "result_bytes": str(len(answer.data) or figures.bytes_written),
            "elapsed_ns": str(round(figures.seconds * 1e9)),
        },
        separators=(",", ":"),
    )


async def whole(encoder: Encoder, head: Mapping[str, str], body: bytes, status: int = 200) -> web.Response:
    """Return a reply in one piece."""
    return web.Response(status=status, body=await encoder.last(body), headers={**head, **encoder.headers})


async def failure(encoder: Encoder, head: Mapping[str, str], error: QueryError) -> web.Response:
    """Return the reply to a query that failed before its first byte."""
    extra = {"X-ClickHouse-Exception-Code": str(error.code)}
    if error.status == 401:
        extra["WWW-Authenticate"] = 'Basic realm="ClickHouse server HTTP API"'
    text = f"{error.render()}\n".encode(errors="surrogateescape")
    return await whole(encoder, {**head, **extra}, text, error.status)


def no_page(head: Mapping[str, str], path: str) -> web.Response:
    """Return the reply to a path that nobody serves, as a server words it."""
    text = (
        f"There is no handle {path}\n\nUse / or /ping for health checks.\n\n"
        "Send queries from your program with POST method or GET /?query=...\n"
    )
    return web.Response(status=404, text=text, headers=head)
