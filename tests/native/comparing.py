"""What the scanner and the plain decoder make of records, in one form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, get_args

from pipeline.ledger.rows import AUM_GIVEN, AUTOMATED, CROSS_BANK, RECOMMENDED, REVENUE_GIVEN
from pipeline.native.decoding import decode_rows
from pipeline.native.library import NOBODY
from schemas.columns import LoginColumns
from schemas.common import DEFAULT_EARLIEST_MS, TransactionKind
from schemas.decode import Rejected, decode
from schemas.topics import CUSTOMER_LANE, LOGINS, TOUCHES, TRANSACTIONS
from schemas.touch import TouchKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.native.rows import EventRows
    from pipeline.state.policy import Policy
    from schemas.columns import Columns

Record = tuple[bytes | None, bytes | None]  # key, value
Event = tuple[Any, ...]
Outcome = tuple[list[Event], list[Rejected]]
TOPICS: Final = CUSTOMER_LANE.events
TEXTS: Final[dict[str, tuple[str, ...]]] = {
    LOGINS: ("customer_id",),
    TOUCHES: ("customer_id", "event_id", "campaign_id", "variant", "channel"),
    TRANSACTIONS: ("customer_id", "event_id", "channel", "product", "scenario", "reverses"),
}
KINDS: Final[dict[str, tuple[str, ...]]] = {
    LOGINS: (),
    TOUCHES: get_args(TouchKind),
    TRANSACTIONS: get_args(TransactionKind),
}
MONEY: Final[dict[str, dict[str, int]]] = {  # and the flag that says whether it is given
    LOGINS: {},
    TOUCHES: {"cost_minor": 0},
    TRANSACTIONS: {"amount_minor": 0, "revenue_minor": REVENUE_GIVEN, "aum_delta_minor": AUM_GIVEN},
}
FLAGS: Final[dict[str, dict[str, int]]] = {
    LOGINS: {"automated": AUTOMATED},
    TOUCHES: {"automated": AUTOMATED, "recommended": RECOMMENDED},
    TRANSACTIONS: {"cross_bank": CROSS_BANK},
}


def scanned(topic: str, batch: Sequence[Record], policy: Policy) -> Outcome:
    keys, values = [key for key, _ in batch], [value for _, value in batch]
    decoded = decode_rows(topic, range(len(batch)), keys, values, policy=policy, earliest_ms=DEFAULT_EARLIEST_MS)
    return events_of_rows(topic, decoded.columns), decoded.rejected


def judged(topic: str, batch: Sequence[Record], policy: Policy) -> Outcome:
    keys, values = [key for key, _ in batch], [value for _, value in batch]
    decoded = decode(topic, range(len(batch)), keys, values, currency=policy.currency)
    return events_of_columns(topic, decoded.columns, policy), decoded.rejected


def events_of_rows(topic: str, found: EventRows) -> list[Event]:
    rows = found.rows
    assert rows["at"].tolist() == list(found.occurred_at)
    assert rows["is_sound"].tolist() == [1] * len(found)
    for name in {"customer", "arm"}.intersection(rows.dtype.names or ()):
        assert set(rows[name].tolist()) <= {NOBODY}
    flags = rows["flags"].tolist()
    known = sum(FLAGS[topic].values()) | sum(MONEY[topic].values())
    assert all(flag | known == known for flag in flags)
    columns: list[list[Any]] = [found.offset, found.occurred_at.tolist()]
    columns += [[text or None for text in found.texts_of(name)] for name in TEXTS[topic]]
    if topic == LOGINS:
        columns.append([bool(engaged) for engaged in rows["engaged"].tolist()])
    else:
        assert not rows["engaged"].any()
        columns.append([KINDS[topic][kind] for kind in rows["kind"].tolist()])
    columns += [_given(rows[name].tolist(), flags, given) for name, given in MONEY[topic].items()]
    columns += [[bool(one & flag) for one in flags] for flag in FLAGS[topic].values()]
    return list(zip(*columns, strict=True))


def events_of_columns(topic: str, columns: Columns, policy: Policy) -> list[Event]:
    """The same, by the plain columns alone."""
    found = [columns.offset, columns.occurred_at, *(getattr(columns, name) for name in TEXTS[topic])]
    if isinstance(columns, LoginColumns):
        long_enough = [seconds is None or seconds >= policy.engaged_seconds for seconds in columns.session_seconds]
        found.append([long and not by for long, by in zip(long_enough, columns.automated, strict=True)])
    else:
        found.append(getattr(columns, "kind"))  # noqa: B009 - of touches and transactions, not of every column
    found += [getattr(columns, name) for name in (*MONEY[topic], *FLAGS[topic])]
    return list(zip(*found, strict=True))


def _given(amounts: list[int], flags: list[int], given: int) -> list[int | None]:
    """Return None for what the flag (0: it is always there) says is not given, and is 0 then."""
    found = [amount if flag & given == given else None for amount, flag in zip(amounts, flags, strict=True)]
    assert all(amount == 0 for amount, one in zip(amounts, found, strict=True) if one is None)
    return found
