"""The process that sends through Apprise: `python -m pipeline.alerts.delivery.postman`, one line of JSON in, one out.

A process of its own because what a receiver does must not reach the evaluator: one that hangs in any of Apprise's
libraries is ended from outside, and what an answer holds stays here. HTTP answers are read up to a limit, redirects are
not followed, and answers that say "refused" under HTTP 200, as WeCom and DingTalk do, count as what they say.

In: ``{"url", "title", "body", "kind", "id", "seconds"}``. Out: ``{"result", "error", "retry_after"}``, see `Outcome`.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from typing import Any, Final

import apprise
import requests
from apprise.manager_plugins import NotificationManager
from apprise.plugins.email import base as mail

from pipeline.alerts.delivery.secrecy import scrubbed, secrets_of
from pipeline.alerts.delivery.webhooks import retry_after

MOST_BYTES: Final = 65_536
READY: Final = "ready"
_MEMORY_BYTES: Final = 1 << 30
_GONE: Final = 410
_OK: Final = 200
_VENDORS: Final = frozenset({"NotifyWeComBot", "NotifyDingTalk", "NotifyFeishu", "NotifyLark"})
_CODES: Final = ("errcode", "code", "StatusCode")
_SPARE_SECONDS: Final = 5
_LOOK_SECONDS: Final = 0.5


class Heard:
    """What answers said during one sending: the newest fault of HTTP or of a vendor, without secrets."""

    def __init__(self, secrets: tuple[str, ...] = ()) -> None:
        self._secrets = secrets
        self.fault = ""
        self.refusal = ""
        self.is_gone = False
        self.retry_after: float | None = None

    def answer(self, response: requests.Response, *, is_vendor: bool) -> None:
        """Note an answer."""
        if response.status_code == _GONE:
            self.is_gone = True
        if not _OK <= response.status_code < 300:
            redirect = " (a redirect, which is not followed)" if 300 <= response.status_code < 400 else ""
            self.fault = f"HTTP {response.status_code}{redirect}"
            self.retry_after = retry_after(response.headers.get("retry-after", ""), time.time())
        elif is_vendor and (said := _refusal(response.content)):
            self.fault = self.refusal = scrubbed(said, self._secrets)

    def error(self, error: Exception) -> None:
        """Note what was raised."""
        self.fault = scrubbed(f"{type(error).__name__}: {error}", self._secrets)


class GuardedSession(requests.Session):
    """A session of `requests` that reads a bounded part of answers, follows no redirect, and tells what it heard."""

    heard: Heard = Heard()
    is_vendor = False

    def request(  # type: ignore[override] # `requests` itself gives all but two by name
        self, method: Any, url: Any, **options: Any
    ) -> requests.Response:
        """Send a request; raises what `requests` raises."""
        options |= {"allow_redirects": False, "stream": True}
        try:
            response = super().request(method, url, **options)
            content = response.raw.read(MOST_BYTES, decode_content=True)
        except Exception as error:
            GuardedSession.heard.error(error)
            raise
        response._content = content  # noqa: SLF001 - where `requests` keeps what was read
        response._content_consumed = True  # noqa: SLF001 - as above
        response.close()
        GuardedSession.heard.answer(response, is_vendor=GuardedSession.is_vendor)
        return response


def guard() -> None:
    """Have every plugin of Apprise use the guarded session."""
    requests.sessions.Session = GuardedSession  # type: ignore[misc] # what requests.post makes
    requests.Session = GuardedSession  # type: ignore[misc] # what some plugins make
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # it logs addresses with their keys


def asset() -> apprise.AppriseAsset:
    """Return how Apprise is to behave: one attempt, nothing on disk, nothing taken from texts."""
    return apprise.AppriseAsset(
        app_id="roi",
        app_desc="campaign ROI",
        async_mode=False,
        http_redirects=False,
        interpret_escapes=False,
        allow_templates=False,
        secure_logging=True,
        service_timeout=0,
        storage_mode=apprise.PersistentStoreMode.MEMORY,
    )


def knows(scheme: str) -> bool:
    """Tell whether Apprise has a plugin for addresses that begin so."""
    manager: Any = NotificationManager
    return scheme.lower() in manager().schemas()


def plugin_of(url: str) -> apprise.NotifyBase | None:
    """Return Apprise's plugin for an address; None = it has none, or the address is not one of its kind."""
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    return apprise.Apprise.instantiate(url, asset=asset(), suppress_exceptions=True)


def send(letter: dict[str, Any]) -> dict[str, Any]:
    """Send one message and return what became of it."""
    url = letter["url"]
    plugin = plugin_of(url)
    if plugin is None:
        return {"result": "refused", "error": "Apprise does not know this kind of address", "retry_after": None}
    heard = GuardedSession.heard = Heard(secrets_of(url))
    GuardedSession.is_vendor = type(plugin).__name__ in _VENDORS
    # Apprise draws another Message-ID for each attempt, and takes none that it is given
    setattr(mail, "make_msgid", lambda domain: f"<{letter['id']}@{domain}>")  # noqa: B010 - it has another's type
    try:
        is_sent = bool(
            plugin.notify(
                body=letter["body"],
                title=letter["title"],
                notify_type=letter["kind"],
                body_format=apprise.NotifyFormat.TEXT,
            )
        )
    except Exception as error:  # noqa: BLE001 - a plugin may raise anything
        is_sent = False
        heard.error(error)
    if is_sent and not heard.refusal:  # other faults on the way to success are the plugin's to judge
        return {"result": "sent", "error": "", "retry_after": None}
    said = heard.fault or "the receiver could not be reached, or has refused"
    return {"result": "refused" if heard.is_gone else "failed", "error": said, "retry_after": heard.retry_after}


def main() -> None:
    """Send what comes in until the input ends; a sending that takes too long ends the process."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the evaluator ends its postmen
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    sys.stdout = sys.stderr  # whatever a plugin prints is no answer
    guard()
    print(READY, file=answers, flush=True)
    for line in sys.stdin:
        letter = json.loads(line)
        signal.alarm(int(letter["seconds"]) + _SPARE_SECONDS)  # where nobody is left to end it
        print(json.dumps(send(letter)), file=answers, flush=True)
        signal.alarm(0)


def _end_with(parent: int) -> None:
    """End this process when the one that started it has ended, also in the midst of a sending."""
    while os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    os._exit(1)


def _refusal(content: bytes | None) -> str:
    """Return how a chat vendor's answer says that it has refused a message; '' = it has not."""
    try:
        said = json.loads(content or b"")
    except ValueError:
        return ""
    if not isinstance(said, dict):
        return ""
    code = next((said[name] for name in _CODES if said.get(name)), None)
    return "" if code is None else f"refused with code {code}: {said.get('errmsg') or said.get('msg') or ''}"


if __name__ == "__main__":
    main()
