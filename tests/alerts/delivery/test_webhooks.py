"""One request to a receiver that misbehaves: every way ends, within its time."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from pipeline.alerts.delivery.webhooks import WebhookChannel
from pipeline.alerts.log import Notification
from tests.alerts.delivery.listening import listening
from tests.alerts.delivery.office import KEY

if TYPE_CHECKING:
    from pipeline.alerts.delivery.outcomes import Outcome

NOTICE = Notification("ntf_1", "alr_1", "spring", "floor", "msg_1", "alert.firing", '{"type": "alert.firing"}', 1)


async def delivered(port: int, seconds: float = 20.0) -> Outcome:
    timeout = aiohttp.ClientTimeout(total=seconds)
    async with aiohttp.ClientSession() as session:
        channel = WebhookChannel(f"http://127.0.0.1:{port}/sesame", KEY, session, now=time.time, timeout=timeout)
        return await channel.deliver([NOTICE])


@pytest.mark.parametrize(
    "how",
    [
        {"hangs": True},
        {"answers": [b""], "drips": b"H" * 4096},
        {"answers": [b"HTTP/1.1 200 OK\r\n"], "drips": b"x-endless: header\r\n"},
        {"answers": [b"HTTP/1.1 100 Continue\r\n\r\n"], "drips": b"HTTP/1.1 100 Continue\r\n\r\n"},
    ],
    ids=["says nothing", "no status line ends", "no header ends", "only goes on"],
)
async def test_an_answer_that_never_comes_is_a_failure_in_time(how: dict[str, Any]) -> None:
    async with listening(**how) as receiver, asyncio.timeout(20):
        outcome = await delivered(receiver.port, seconds=0.5)
    assert outcome.result == "failed"
    assert outcome.error
    assert "sesame" not in outcome.error


async def test_a_status_counts_whatever_becomes_of_the_body() -> None:
    async with listening(answers=[b"HTTP/1.1 204 No\r\nx: y\r\n\r\n"], hangs=False) as receiver:
        assert (await delivered(receiver.port)).result == "sent"
    async with listening(answers=[b"HTTP/1.1 200 OK\r\ncontent-length: 999999\r\n\r\n"]) as receiver:
        assert (await delivered(receiver.port)).result == "sent"


async def test_an_answer_in_another_protocol_is_a_failure() -> None:
    async with listening(answers=[b"SSH-2.0-OpenSSH_9.2\r\n"]) as receiver:
        assert (await delivered(receiver.port)).result == "failed"
