"""Who asks: tokens, their names and roles, and how wrong ones are slowed down (RFC 6750).

Where settings name tokens (``api.tokens``), each route of the API needs one. Without any, everybody who reaches the
loopback address may read, and the owner's token (``ROI_API_TOKEN``) acts. Tokens come in the header Authorization and
nowhere else: a browser never adds one by itself, so no foreign page can act through it.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final, Literal

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from pipeline.alert_settings import digest_of
from pipeline.api.answers import ApiError
from pipeline.backoff import Backoff

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from pipeline.settings import Settings

OWNER: Final = "owner"
_REALM: Final = 'realm="campaign-roi"'
_TOKEN_REMEDY: Final = "send Authorization: Bearer TOKEN; roi token NAME --role R makes one"  # noqa: S105 - says where
_log = logging.getLogger(__name__)

Role = Literal["viewer", "decider"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks; ``name`` is that of the token and goes into the audit trail. None: anybody, by the loopback address."""

    name: str | None
    role: Role


ANYBODY: Final = Caller(None, "viewer")


class Slowness:
    """Makes whoever tries tokens wait, longer with every wrong one, and only so many at a time.

    Right tokens never wait. Wrong ones are forgotten after a while without any.
    """

    _WAITS: Final = Backoff(first_seconds=0.05, longest_seconds=2.0)
    _MOST_WAITING: Final = 16
    _MEMORY_SECONDS: Final = 60.0

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._last = clock()
        self._waiting = 0

    async def slow_down(self, pause: Callable[[float], Awaitable[object]] = asyncio.sleep) -> None:
        """Return after a while.

        Raises:
            ApiError: 429: too many wait already.
        """
        now = self._clock()
        if now - self._last > self._MEMORY_SECONDS:
            self._failures = 0
        self._last = now
        self._failures += 1
        if self._failures in {1, 10, 100} or self._failures % 1000 == 0:
            _log.warning("wrong tokens were refused: %d, less than a minute apart", self._failures)
        if self._waiting >= self._MOST_WAITING:
            wait = self._WAITS.longest_seconds
            raise ApiError(
                429, "too many wrong tokens", "wait, then send the right one", {"Retry-After": f"{wait:.0f}"}
            )
        self._waiting += 1
        try:
            await pause(self._WAITS.delay(self._failures))
        finally:
            self._waiting -= 1


class Tokens:
    """The tokens that count.

    Args:
        settings: ``api.tokens``, or else ``api_token``.
        slowness: for wrong ones.
    """

    def __init__(self, settings: Settings, slowness: Slowness | None = None) -> None:
        people = settings.api.tokens
        owners = settings.api_token.get_secret_value()
        self.are_peoples = bool(people)
        self._slowness = slowness or Slowness()
        self._known: Mapping[bytes, Caller] = (
            {bytes.fromhex(token.hash): Caller(name, token.role) for name, token in people.items()}
            if people
            else {digest_of(owners): Caller(OWNER, "decider")}
            if owners
            else {}
        )

    async def reader(self, token: str | None) -> Caller:
        """Return who may read with a token, or (None) without one.

        Raises:
            ApiError: 401 or 429.
        """
        if token is None and not self.are_peoples:
            return ANYBODY
        return await self._caller(token)

    async def decider(self, token: str | None) -> Caller:
        """Return who may act with a token.

        Raises:
            ApiError: 401, 403 or 429.
        """
        if not self._known:
            raise ApiError(
                403,
                "nobody may act here: there is no token",
                "set api.tokens (roi token NAME --role decider prints the line) or ROI_API_TOKEN for the board",
            )
        caller = await self._caller(token)
        if caller.role != "decider":
            challenge = f'Bearer {_REALM}, error="insufficient_scope", scope="decider"'
            raise ApiError(
                403,
                f"the token {caller.name} is a viewer's: it may read only",
                "act with a decider's token (roi token NAME --role decider)",
                {"WWW-Authenticate": challenge},
            )
        return caller

    async def _caller(self, token: str | None) -> Caller:
        if token is None:
            raise ApiError(401, "this needs a token", _TOKEN_REMEDY, {"WWW-Authenticate": f"Bearer {_REALM}"})
        given, found = digest_of(token), None
        for digest, caller in self._known.items():  # all of them: the time tells nothing about where one matched
            if hmac.compare_digest(given, digest):
                found = caller
        if found is None:
            await self._slowness.slow_down()
            challenge = f'Bearer {_REALM}, error="invalid_token"'
            raise ApiError(401, "the token is none of those known here", _TOKEN_REMEDY, {"WWW-Authenticate": challenge})
        return found


_BEARER: Final = HTTPBearer(auto_error=False, description="a token of `api.tokens`, or the owner's (`ROI_API_TOKEN`)")
Given = Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]


def _token(given: HTTPAuthorizationCredentials | None) -> str | None:
    return None if given is None else given.credentials


async def reading(request: Request, given: Given) -> Caller:
    """Dependency of routes that show something."""
    tokens: Tokens = request.app.state.tokens
    return await tokens.reader(_token(given))


async def acting(request: Request, given: Given) -> Caller:
    """Dependency of routes that change something."""
    tokens: Tokens = request.app.state.tokens
    return await tokens.decider(_token(given))


Reads = Annotated[Caller, Depends(reading)]
Acts = Annotated[Caller, Depends(acting)]


async def page_reader(request: Request) -> Caller:
    """Return who looks at a page; a browser asks its user for the token, as the password of any name.

    Raises:
        ApiError: 401 or 429.
    """
    tokens: Tokens = request.app.state.tokens
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    token = value.strip() or None
    if scheme.lower() == "basic":
        try:
            token = base64.b64decode(value, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            token = None
    try:
        return await tokens.reader(token)
    except ApiError as error:
        if error.status == 401:
            error.headers["WWW-Authenticate"] = f"Basic {_REALM}"
        raise
