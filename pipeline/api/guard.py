"""What every request passes before the application sees it, and every answer after: hosts, sizes, headers."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BODY_BYTES: Final = 1 << 16  # notes and reasons are a few kilobytes at most
_NO_STORE: Final = (b"cache-control", b"no-store")  # unless the answer says how long it may be kept
_LOCAL_NAMES: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})
_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
)


class Guard:
    """The outermost layer.

    Args:
        app: what answers.
        is_local: whether it answers to its loopback names only, so that no web page can read it through the visitor's
            browser by a name of its own. Where tokens are configured, they decide instead.
    """

    def __init__(self, app: ASGIApp, *, is_local: bool) -> None:
        self._app = app
        self._is_local = is_local

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return

        has_begun = False

        async def answer(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                headers = list(message.get("headers", ()))
                kept = any(name == _NO_STORE[0] for name, _ in headers)
                message["headers"] = [*headers, *_HEADERS] if kept else [*headers, *_HEADERS, _NO_STORE]
            await send(message)

        if self._is_local and not _is_to_loopback(scope):
            await _refuse(answer, 421, "this address answers to its loopback names only", "open it by 127.0.0.1")
        elif _announced(scope) > MOST_BODY_BYTES:
            await _refuse(answer, 413, f"the request is longer than {MOST_BODY_BYTES} bytes", "send less")
        else:
            try:
                await self._app(scope, receive, answer)
            except asyncio.CancelledError:  # the server ends, and something that was asked for this does not answer
                if not has_begun:
                    await _refuse(answer, 503, "the server is ending", "ask again in a moment")


def _is_to_loopback(scope: Scope) -> bool:
    hosts = _values(scope, b"host")
    return bool(hosts) and all(host.lower().rsplit(":", 1)[0] in _LOCAL_NAMES or host in _LOCAL_NAMES for host in hosts)


def _announced(scope: Scope) -> int:
    lengths = [value for value in _values(scope, b"content-length") if value.isdecimal()]
    return max(map(int, lengths), default=0)


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


async def _refuse(send: Send, status: int, error: str, remedy: str) -> None:
    body = json.dumps({"error": error, "remedy": remedy}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
