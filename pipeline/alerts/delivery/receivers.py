"""Receivers of the settings: checked, shown without their keys, and made into channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from pipeline.alerts.delivery.planning import Policy, attempts_within
from pipeline.alerts.delivery.quiet import QuietHours
from pipeline.alerts.delivery.secrecy import origin_of
from pipeline.alerts.delivery.webhook_addresses import PREFIX, key_of, target_of
from pipeline.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipeline.alert_settings import ReceiverSettings
    from pipeline.settings import Settings

_PLAIN: Final = frozenset({"json", "jsons", "form", "forms", "xml", "xmls"})
_WEAK_BYTES: Final = 24
_TEXTS_AT_ONCE: Final = 5000  # one text counts them
_WEBHOOKS_AT_ONCE: Final = 100  # one request each, about half a second together


@dataclass(frozen=True, slots=True)
class Receiver:
    """One receiver of the settings, checked.

    Attributes:
        name: as the settings and definitions name it.
        url: what it is reached at; holds secrets, like ``key``.
        shown: the same without secrets.
        key: signs webhooks; None = it is not one.
        policy: how it wants to be told.
        remarks: what is odd about it, without secrets.
    """

    name: str
    url: str
    shown: str
    key: bytes | None
    policy: Policy
    remarks: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Show no secret."""
        return f"Receiver({self.name!r}, {self.shown!r})"


def receivers_of(settings: Settings) -> dict[str, Receiver]:
    """Return the receivers by name.

    Raises:
        UserError: one cannot be used, or `alerts.receivers` names one that is not there; it shows no secret.
    """
    found = {name: receiver_of(name, given, settings) for name, given in settings.receivers.items()}
    for name in settings.alerts.receivers:
        if name not in found:
            known = ", ".join(sorted(found)) or "none"
            raise UserError(
                f"alerts.receivers names {name!r}, which is not among the receivers ({known})",
                f"add [receivers.{name}] to roi.toml, or take the name out of alerts.receivers",
            )
    return found


def receiver_of(name: str, given: ReceiverSettings, settings: Settings) -> Receiver:
    """Return one receiver; UserError: it cannot be used."""
    url = given.url.get_secret_value().strip()
    secret = None if given.secret is None else given.secret.get_secret_value() or None
    remarks: list[str] = []
    try:
        quiet = None if given.quiet_hours is None else QuietHours.of(given.quiet_hours, ZoneInfo(settings.time.zone))
        if given.is_webhook:
            target, key, shown = _webhook(url, secret)
            if len(key) < _WEAK_BYTES:
                remarks.append(f"its secret is short: {len(key)} bytes, Standard Webhooks asks for {_WEAK_BYTES} to 64")
        else:
            target, key, shown = url, None, _apprise(url)
            if secret is not None:
                remarks.append("its secret is not used: only webhook+http(s)://… is signed")
    except ValueError as error:
        raise UserError(
            f"receiver {name!r}: {error}", f"correct [receivers.{name}] in roi.toml or ROI_RECEIVERS"
        ) from None
    policy = Policy(
        group_seconds=0.0 if key is not None else settings.alerts.group_seconds,
        min_interval_seconds=given.min_interval_minutes * 60,
        quiet=quiet,
        attempts=attempts_within(settings.alerts.retry_hours),
        most_at_once=_TEXTS_AT_ONCE if key is None else _WEBHOOKS_AT_ONCE,
    )
    return Receiver(name, target, shown, key, policy, tuple(remarks))


def unknown_names(
    receivers: Iterable[str], definitions: Mapping[str, Iterable[str] | None]
) -> dict[str, tuple[str, ...]]:
    """Return the names of receivers that definitions use and settings do not hold, each with its campaigns."""
    known, found = set(receivers), dict[str, list[str]]()
    for campaign_id, named in definitions.items():
        for name in named or ():
            if name not in known:
                found.setdefault(name, []).append(campaign_id)
    return {name: tuple(campaigns) for name, campaigns in sorted(found.items())}


def _webhook(url: str, secret: str | None) -> tuple[str, bytes, str]:
    target = target_of(url)
    if secret is None:
        raise ValueError(f"a webhook needs a secret: {PREFIX} and base64")
    return target, key_of(secret), f"webhook+{origin_of(target)}"


def _apprise(url: str) -> str:
    """Return what is shown of an Apprise address; ValueError: Apprise does not take it."""
    from pipeline.alerts.delivery.postman import (
        knows,
        plugin_of,
    )  # Apprise takes half a second to load: only who needs it

    scheme, found, _ = url.partition("://")
    if not found:
        raise ValueError("its url is not one: SCHEME://… of Apprise, or webhook+https://…")
    plugin: Any = plugin_of(url)
    if plugin is None:
        if knows(scheme):
            raise ValueError(f"its url is not what Apprise expects behind {scheme}://")
        raise ValueError("its url has a scheme that Apprise does not know")
    if scheme.lower() in _PLAIN:
        return origin_of(url)
    shown = plugin.url(privacy=True).partition("?")[0]
    return str(shown)
