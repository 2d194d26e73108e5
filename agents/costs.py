"""Agent of the costs topic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.topics import COSTS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from agents.app import BatchApp
    from pipeline.transport.ports import Delivery


def register(app: BatchApp) -> None:
    """Let the app's worker consume costs."""

    @app.agent(app.batch_topic(COSTS), name="costs")  # type: ignore[untyped-decorator] # Faust is untyped here
    async def costs(stream: AsyncIterator[Delivery]) -> None:
        async for delivery in stream:
            await app.handover.process(delivery)
