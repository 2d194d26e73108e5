"""Puts delivery together: the senders that `roi alerts run` gives to its service."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, TypeAlias

import aiohttp

from pipeline.alerts.delivery.chat import ChatChannel
from pipeline.alerts.delivery.postmen import Postmen
from pipeline.alerts.delivery.receivers import receivers_of
from pipeline.alerts.delivery.sending import Sending
from pipeline.alerts.delivery.texts import Wording
from pipeline.alerts.delivery.webhooks import WebhookChannel

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from pipeline.alerts.delivery.outcomes import Channel
    from pipeline.alerts.delivery.receivers import Receiver
    from pipeline.alerts.delivery.sending import SendingTold
    from pipeline.alerts.desk import Desk
    from pipeline.settings import Settings

    Sender: TypeAlias = Callable[[Desk], Coroutine[Any, Any, None]]


def open_senders(settings: Settings, told: SendingTold) -> list[Sender]:
    """Return what sends beside Kafka, checked.

    Args:
        settings: the receivers, and how they are told.
        told: counts attempts.

    Raises:
        UserError: a receiver cannot be used; the text names it and shows no secret.
    """
    receivers = receivers_of(settings)
    wording = Wording(settings.alerts.language, settings.reporting_currency)

    async def tell_receivers(desk: Desk) -> None:
        await _tell(receivers, wording, told, desk)

    return [tell_receivers]


async def _tell(receivers: Mapping[str, Receiver], wording: Wording, told: SendingTold, desk: Desk) -> None:
    connector = aiohttp.TCPConnector(force_close=True, limit=0)
    postmen = Postmen()
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:
        channels = {name: _channel(receiver, wording, session, postmen) for name, receiver in receivers.items()}
        policies = {name: receiver.policy for name, receiver in receivers.items()}
        try:
            async with asyncio.TaskGroup() as tasks:
                if any(receiver.key is None for receiver in receivers.values()):
                    tasks.create_task(postmen.prepare(), name="postman")
                tasks.create_task(Sending(channels, policies, told).run(desk), name="receivers")
        finally:
            await postmen.close()


def _channel(receiver: Receiver, wording: Wording, session: aiohttp.ClientSession, postmen: Postmen) -> Channel:
    if receiver.key is not None:
        return WebhookChannel(receiver.url, receiver.key, session, now=time.time)
    return ChatChannel(receiver.url, postmen, wording)
