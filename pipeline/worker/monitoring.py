"""A process's own HTTP server: `/metrics` for Prometheus and `/healthz` for whoever restarts or watches it."""

from __future__ import annotations

import json
import socket
import threading
from socketserver import TCPServer, ThreadingMixIn
from typing import TYPE_CHECKING, Any, Final, Protocol
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import make_wsgi_app

from pipeline.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType
    from typing import Self
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from prometheus_client import CollectorRegistry


_OK: Final = "200 OK"
_JSON: Final = "application/json"


class Reports(Protocol):
    """Who knows whether a process does its work."""

    def report(self) -> dict[str, Any]:
        """Return the answer of `/healthz`; its ``status`` is ``ok``, ``starting`` or ``failing``."""


def monitoring_app(registry: CollectorRegistry, health: Reports) -> WSGIApplication:
    """Return the WSGI application; any other path is 404."""
    metrics = make_wsgi_app(registry)

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "GET":
            return _reply(start_response, "405 Method Not Allowed", {"error": "only GET is answered"})
        path = environ.get("PATH_INFO", "")
        if path == "/metrics":
            answer: Iterable[bytes] = metrics(environ, start_response)
            return answer
        if path == "/healthz":
            report = health.report()
            return _reply(start_response, _OK if report["status"] == "ok" else "503 Service Unavailable", report)
        return _reply(start_response, "404 Not Found", {"error": "there are /metrics and /healthz"})

    return app


def _reply(start_response: StartResponse, status: str, content: dict[str, Any]) -> list[bytes]:
    body = json.dumps(content).encode() + b"\n"
    headers = [("Content-Type", _JSON), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")]
    start_response(status, headers)
    return [body]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def server_bind(self) -> None:
        """Bind without the base class's look-up of this machine's name, which waits for a name server."""
        TCPServer.server_bind(self)
        host, port = self.server_address[:2]
        self.server_name, self.server_port = str(host), int(port)
        self.setup_environ()


class _ServerOfVersion6(_Server):
    address_family = socket.AF_INET6


class _Handler(WSGIRequestHandler):
    timeout = 10  # a client that opens a connection and says nothing holds a thread no longer

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing: a scrape every few seconds is no news."""


class MonitoringServer:
    """Serves an application from a thread while it is entered.

    Args:
        app: what it serves.
        host: address to listen on.
        port: 0 = any free one.
        group: the group of settings that host and port come from, for the error.

    Raises:
        UserError: the port is taken, or the address is not one of this machine.
    """

    def __init__(self, app: WSGIApplication, host: str, port: int, group: str = "WORKER") -> None:
        try:
            self._server = make_server(host, port, app, _ServerOfVersion6 if ":" in host else _Server, _Handler)
        except OSError as error:
            raise UserError(
                f"metrics cannot be served on {host}:{port} ({error.strerror})",
                f"choose another ROI_{group}__METRICS_HOST or ROI_{group}__METRICS_PORT (0 = any free one)",
            ) from error
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True, name="monitoring")

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._server.server_port

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
