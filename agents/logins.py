"""Agent of the logins topic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.topics import LOGINS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from agents.app import BatchApp
    from pipeline.transport.ports import Delivery


def register(app: BatchApp) -> None:
    """Let the app's worker consume logins."""

    @app.agent(app.batch_topic(LOGINS), name="logins")  # type: ignore[untyped-decorator] # Faust is untyped here
    async def logins(stream: AsyncIterator[Delivery]) -> None:
        async for delivery in stream:
            await app.handover.process(delivery)
