"""Agent of the transactions topic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.topics import TRANSACTIONS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from agents.app import BatchApp
    from pipeline.transport.ports import Delivery


def register(app: BatchApp) -> None:
    """Let the app's worker consume transactions."""

    @app.agent(app.batch_topic(TRANSACTIONS), name="transactions")  # type: ignore[untyped-decorator] # Faust is untyped here
    async def transactions(stream: AsyncIterator[Delivery]) -> None:
        async for delivery in stream:
            await app.handover.process(delivery)
