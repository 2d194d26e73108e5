"""ClickHouse behind a proxy that gives it a path of its address: the ledger's client and readers find it."""

from __future__ import annotations

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from pipeline.clickhouse.connection import connect
from pipeline.clickhouse.reader import Reader
from tests.support.processes import starts_process

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.settings import Settings

_PATH = "/warehouse/roi"
_OF_ONE_HOP = {"connection", "transfer-encoding", "content-length", "date", "server"}


@pytest.fixture
@starts_process
def behind_a_path(spare: Settings) -> Iterator[Settings]:
    upstream = urlsplit(spare.clickhouse_url).netloc

    class Proxy(BaseHTTPRequestHandler):
        def _pass_on(self) -> None:
            if not self.path.startswith(f"{_PATH}/"):
                self.send_error(404)
                return
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            connection = http.client.HTTPConnection(upstream, timeout=30)
            connection.request(self.command, self.path.removeprefix(_PATH), body, dict(self.headers))
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in _OF_ONE_HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _pass_on  # noqa: N815 - as the base class calls them

        def log_message(self, *_words: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield spare.model_copy(update={"clickhouse_url": f"http://127.0.0.1:{server.server_port}{_PATH}/"})
        server.shutdown()


def test_both_clients_go_through_the_path(behind_a_path: Settings) -> None:
    client = connect(behind_a_path, "writer")
    assert client.query("SELECT 6 * 7").result_rows == [(42,)]
    client.close()
    assert Reader(behind_a_path, in_database=False).rows("SELECT 6 * 7 AS answer") == [{"answer": 42}]
