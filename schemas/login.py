"""Topic ``bank.logins.v1``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from schemas.common import CustomerId, Event, Token


class AppLogin(Event):
    """A customer opened a channel of the bank."""

    customer_id: CustomerId
    channel: Token = Field(description="app, web, mini_program, …")
    session_seconds: Annotated[float, Field(ge=0)] | None = Field(None, description="length of the session, if known")
    automated: bool = Field(default=False, description="by a machine: never makes a customer engaged")
