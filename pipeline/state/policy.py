"""The settings that decide numbers, compiled once for the core."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from pipeline.state.calendar import DAY_MS, MINUTE_MS, BusinessCalendar, calendar_of

if TYPE_CHECKING:
    from collections.abc import Mapping


CoreName = Literal["plain", "native", "auto"]
_BLOCK_BYTES: Final = 64  # of SHA-256
_PSEUDONYM: Final = re.compile("[0-9a-f]{32}")


class Span(NamedTuple):
    """Event times that count, in epoch milliseconds: the begin is included, the end is not."""

    begin: int = -(1 << 62)
    end: int = 1 << 62

    def covers(self, at: int) -> bool:
        """Say whether an instant lies within."""
        return self.begin <= at < self.end


@dataclass(frozen=True, slots=True)
class Policy:
    """How a run counts. Two runs over the same log with equal policies give equal numbers."""

    models: tuple[str, ...] = ("last_touch",)
    half_life_ms: float = 7.0 * DAY_MS
    window_ms: int = 7 * DAY_MS
    margins_bps: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    default_kinds: frozenset[str] | None = None
    lateness_ms: int = 3 * DAY_MS
    future_ms: int | None = 10 * MINUTE_MS
    reversal_ms: int = 30 * DAY_MS
    engaged_seconds: float = 5.0
    zone: str = "Asia/Shanghai"
    currency: str = "CNY"
    earliest_ms: int | None = None  # None: what the schemas say
    span: Span | None = None  # None: every event counts
    pseudonym_key: bytes = field(default=b"", repr=False)
    ids_are_pseudonyms: bool = False  # of an archive's customers; how events count does not depend on it
    core: CoreName = "plain"  # nor on this

    @property
    def lateness_days(self) -> int:
        """The lateness in whole days, rounded up."""
        return -(-self.lateness_ms // DAY_MS)

    @property
    def labels(self) -> tuple[str, ...]:
        """What the ledger calls each model: the deciding one '', so that another one may decide the next run."""
        return ("", *self.models[1:])

    def calendar(self) -> BusinessCalendar:
        """Return the calendar of the policy's zone."""
        return calendar_of(self.zone)

    def pseudonym(self, customer_id: str) -> bytes:
        """Return the first 16 bytes of HMAC-SHA256 of a customer id; their hex is the contract's customer_hash.

        Where ids are pseudonyms already they are not hashed again, so that an archive counts as its topics did.
        """
        if self.ids_are_pseudonyms and _PSEUDONYM.fullmatch(customer_id):
            return bytes.fromhex(customer_id)
        return self.hashed(customer_id)

    def hashed(self, customer_id: str) -> bytes:
        """Return the pseudonym of an id that is none."""
        inner, outer = (each.copy() for each in _keyed(self.pseudonym_key))
        inner.update(customer_id.encode())
        outer.update(inner.digest())
        return outer.digest()[:16]

    def fingerprint(self) -> str:
        """Return a digest of everything that decides numbers: a ledger is only continued under the same one."""
        facts = self._facts() | {"key": hashlib.sha256(b"fingerprint" + self.pseudonym_key).hexdigest()[:12]}
        if self.span is not None:
            facts["span"] = self.span
        return _digest(facts)

    def rules(self) -> str:
        """Return a digest of how each event counts: without the span, and without the key, which few have."""
        return _digest(self._facts())

    def _facts(self) -> dict[str, object]:
        facts: dict[str, object] = {
            "models": self.models,
            "half_life_ms": self.half_life_ms,
            "window_ms": self.window_ms,
            "margins": sorted(self.margins_bps.items()),
            "kinds": sorted(self.default_kinds or ()),
            "any_kind": self.default_kinds is None,
            "lateness_ms": self.lateness_ms,
            "reversal_ms": self.reversal_ms,
            "engaged_seconds": self.engaged_seconds,
            "zone": self.zone,
            "currency": self.currency,
        }
        if self.earliest_ms is not None:
            # left out otherwise: ledgers that were begun before there was such a setting can be continued
            facts["earliest_ms"] = self.earliest_ms
        return facts


@cache
def _keyed(key: bytes) -> tuple[hashlib._Hash, hashlib._Hash]:
    """Return the inner and the outer hash of HMAC-SHA256, having taken the key in.

    `hmac.digest` begins anew with the key for each id, which takes three times as long. Source: RFC 2104, section 4.
    """
    block = (hashlib.sha256(key).digest() if len(key) > _BLOCK_BYTES else key).ljust(_BLOCK_BYTES, b"\0")
    return hashlib.sha256(bytes(each ^ 0x36 for each in block)), hashlib.sha256(bytes(each ^ 0x5C for each in block))


def _digest(facts: dict[str, object]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
