"""A bare HTTP client: what is asked and what comes back, byte for byte."""

from __future__ import annotations

import base64
import http.client
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def code(self) -> int:
        return int(self.headers["X-ClickHouse-Exception-Code"] or 0)


@dataclass(frozen=True, slots=True)
class Client:
    url: str
    user: tuple[str, str]

    def send(
        self,
        sql: str | None = None,
        body: bytes = b"",
        *,
        method: str = "POST",
        path: str = "/",
        headers: Mapping[str, str] | None = None,
        parameters: Mapping[str, str] | None = None,
        **more: str,
    ) -> Reply:
        """Send one request on a connection of its own; the SQL travels in the URL."""
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=60)
        query = urlencode(({"query": sql} if sql is not None else {}) | dict(parameters or {}) | more)
        basic = base64.b64encode(":".join(self.user).encode()).decode()
        try:
            connection.request(
                method,
                f"{path}?{query}" if query else path,
                body or None,
                {"Authorization": f"Basic {basic}", **(headers or {})},
            )
            response = connection.getresponse()
            return Reply(response.status, response.headers, response.read())
        finally:
            connection.close()

    def query(self, sql: str, body: bytes = b"", /, **parameters: str) -> str:
        """Return the answer of a statement that must succeed."""
        reply = self.send(sql, body, parameters=parameters)
        assert reply.status == 200, reply.text
        return reply.text

    def rows(self, sql: str, **parameters: str) -> list[list[Any]]:
        lines = self.query(sql, **{"default_format": "JSONCompactEachRow", **parameters}).splitlines()
        return [json.loads(line) for line in lines]

    def fails(self, sql: str, body: bytes = b"", **parameters: str) -> int:
        """Return the code of a statement that must fail."""
        reply = self.send(sql, body, parameters=parameters)
        assert reply.status >= 400, reply.text
        assert reply.text.startswith(f"Code: {reply.code}. DB::Exception: ")
        return reply.code
