"""Signed JSON over HTTP by Standard Webhooks (https://www.standardwebhooks.com): one request, one message."""

from __future__ import annotations

import email.utils
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import aiohttp
from standardwebhooks.webhooks import Webhook

from pipeline.alerts.delivery.outcomes import SUCCESS, Outcome
from pipeline.alerts.delivery.secrecy import scrubbed, secrets_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pipeline.alerts.log import Notification

TIMEOUT: Final = aiohttp.ClientTimeout(total=15.0, sock_connect=5.0, sock_read=10.0)
_OK: Final = range(200, 300)
_MOVED: Final = range(300, 400)
_GONE: Final = 410


class WebhookChannel:
    """Posts messages to one address.

    Args:
        url: http or https.
        key: signs.
        session: shared by all webhooks; follows no redirects here.
        now: wall clock, epoch seconds; the time of the attempt is signed.
        timeout: of one request.
    """

    is_grouped = False

    def __init__(
        self,
        url: str,
        key: bytes,
        session: aiohttp.ClientSession,
        *,
        now: Callable[[], float],
        timeout: aiohttp.ClientTimeout = TIMEOUT,
    ) -> None:
        self._url = url
        self._webhook = Webhook(key)
        self._session = session
        self._now = now
        self._timeout = timeout
        self._secrets = secrets_of(url)

    async def deliver(self, notices: Sequence[Notification]) -> Outcome:
        """Send one message; only 2xx counts as received, 410 says that it never will be."""
        (notice,) = notices
        data = notice.payload
        try:
            async with self._session.post(
                self._url,
                data=data.encode(),
                headers=self._headers(notice.message_id, data),
                allow_redirects=False,
                timeout=self._timeout,
            ) as response:
                response.close()  # the status says all; a body may be endless
                return outcome_of(response.status, response.headers, self._now())
        except TimeoutError:
            return Outcome("failed", "no answer in time")
        except aiohttp.ClientResponseError as error:
            return Outcome("failed", type(error).__name__)  # its text quotes the answer
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Outcome("failed", scrubbed(f"{type(error).__name__}: {error}", self._secrets))

    def _headers(self, message_id: str, data: str) -> dict[str, str]:
        when = datetime.fromtimestamp(int(self._now()), tz=UTC)
        return {
            "content-type": "application/json",
            "user-agent": "roi-alerts",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(when.timestamp())),
            "webhook-signature": self._webhook.sign(message_id, when, data),
        }


def outcome_of(status: int, headers: Mapping[str, str], now: float) -> Outcome:
    """Return what an HTTP status says, with what the receiver asks for."""
    if status in _OK:
        return SUCCESS
    if status == _GONE:
        return Outcome("refused", "HTTP 410: the receiver wants nothing any more")
    wait = retry_after(headers.get("retry-after") or headers.get("Retry-After") or "", now)
    redirect = " (a redirect, which is not followed)" if status in _MOVED else ""
    return Outcome("failed", f"HTTP {status}{redirect}", wait)


def retry_after(text: str, now: float) -> float | None:
    """Return the seconds that a Retry-After header asks for: a number, or a date; None = it asks for nothing."""
    if text.isdecimal() and text.isascii():
        return float(text[:9])
    with suppress(ValueError, TypeError):
        when = email.utils.parsedate_to_datetime(text)
        return max(0.0, when.replace(tzinfo=when.tzinfo or UTC).timestamp() - now)
    return None
