"""What the scanner and the plain decoder make of records, in one form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pipeline.native.logins import LoginRows, decode_logins
from schemas.common import DEFAULT_EARLIEST_MS
from schemas.decode import Rejected, decode
from schemas.topics import LOGINS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.state.policy import Policy

Record = tuple[bytes | None, bytes | None]  # key, value
Outcome = tuple[list[Any], list[Rejected]]
_COLUMNS: Final = ("at", "engaged", "is_sound")


def scanned(batch: Sequence[Record], policy: Policy) -> Outcome:
    keys, values = [key for key, _ in batch], [value for _, value in batch]
    decoded = decode_logins(range(len(batch)), keys, values, policy=policy, earliest_ms=DEFAULT_EARLIEST_MS)
    return described(decoded.columns), decoded.rejected


def judged(batch: Sequence[Record], policy: Policy) -> Outcome:
    keys, values = [key for key, _ in batch], [value for _, value in batch]
    decoded = decode(LOGINS, range(len(batch)), keys, values, currency="CNY")
    return described(LoginRows.of(decoded.columns, policy.engaged_seconds)), decoded.rejected  # type: ignore[arg-type] # the topic's own


def described(logins: LoginRows) -> list[Any]:
    values = (logins.rows[name].tolist() for name in _COLUMNS)
    return list(zip(logins.offset, logins.occurred_at, logins.customer_id, *values, strict=True))
