"""Puts delivery together: the senders that `roi alerts run` gives to its service."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, TypeAlias

import aiohttp

from pipeline.alerts.delivery.alertmanager import Alertmanager
from pipeline.alerts.delivery.chat import ChatChannel
from pipeline.alerts.delivery.grafana import Grafana
from pipeline.alerts.delivery.postmen import Postmen
from pipeline.alerts.delivery.receivers import receivers_of
from pipeline.alerts.delivery.sending import Sending
from pipeline.alerts.delivery.sinks import run_sink
from pipeline.alerts.delivery.texts import Wording
from pipeline.alerts.delivery.webhook_addresses import target_of
from pipeline.alerts.delivery.webhooks import WebhookChannel
from pipeline.errors import UserError

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

    async def tell_alertmanager(desk: Desk) -> None:
        async with _session() as session:
            sink = Alertmanager(settings.alertmanager_url, settings.board_url, wording, session)
            await run_sink(desk, sink, _now_ms)

    async def tell_grafana(desk: Desk) -> None:
        token = settings.grafana_token.get_secret_value()
        sink = Grafana(settings.grafana_url, token, settings.board_url, wording)
        try:
            await run_sink(desk, sink, _now_ms)
        finally:
            await sink.close()

    senders: list[Sender] = [tell_receivers]
    for url, name, sender in (
        (settings.alertmanager_url, "alertmanager_url", tell_alertmanager),
        (settings.grafana_url, "grafana_url", tell_grafana),
    ):
        if url:
            check_url(url, name)
            senders.append(sender)
    return senders


def check_url(url: str, name: str) -> None:
    """Refuse an address that is none; UserError names the setting and not its value, which may hold a password."""
    try:
        target_of(url)
    except ValueError:
        raise UserError(
            f"setting {name} is not http(s)://host[:port]", f"correct {name} in roi.toml or ROI_{name.upper()}"
        ) from None


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _session() -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(force_close=True, limit=0)
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())


async def _tell(receivers: Mapping[str, Receiver], wording: Wording, told: SendingTold, desk: Desk) -> None:
    postmen = Postmen()
    async with _session() as session:
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
