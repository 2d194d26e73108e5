"""Who asks for an action, and under which id: the same one whenever a request is sent again with its key."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Header, Request

from pipeline.alerts.record import name_of
from pipeline.api.tokens import Acts  # noqa: TC001 - FastAPI reads annotations when it starts

LONGEST_KEY: Final = 255
_DIGITS: Final = 10  # bytes of an id without a key
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=LONGEST_KEY,
        pattern=r"^[\x21-\x7e]+$",
        description="a request sent again with the same key and body is done once, and answered as the first one was",
    ),
]


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks.

    Attributes:
        name: of the token.
        action_id: of what is asked for.
        has_key: whether the same request has the same id when it is sent again.
    """

    name: str
    action_id: str
    has_key: bool = False


async def asking(request: Request, caller: Acts, key: Key = None) -> Asker:
    """Dependency of routes that hand an action in: a key counts for one token and one path."""
    name = caller.name or ""
    if key is None:
        return Asker(name, f"act_{secrets.token_hex(_DIGITS)}")
    return Asker(name, name_of("act", name, key, request.url.path), has_key=True)


Asks = Annotated[Asker, Depends(asking)]
