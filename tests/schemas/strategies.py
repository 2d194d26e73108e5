"""Hypothesis strategies for records of the input topics: good, slightly wrong and very wrong."""

from __future__ import annotations

import json
import string
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, get_args

from hypothesis import strategies as st

from schemas import CostCategory, TouchKind, TransactionKind, topics
from schemas.common import MAX_MONEY_MINOR

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

_NUMBERS = (
    "0", "1", "-1", "-0", "-0.0", "5.0", "5e0", "1e3", "1e400", "-1e400", "0.1", "01", "1.", "+1", "NaN", "Infinity",
    "-Infinity", "nan", "9223372036854775807", "9223372036854775808", "18446744073709551616", "9" * 30, "9" * 400,
    "9" * 4500,
    "9" * 4500 + ".5", "9" * 4500 + "e-4499", "1e" + "9" * 4500,
    *(str(sign * (MAX_MONEY_MINOR + beyond)) for sign in (1, -1) for beyond in (-1, 0, 1)),
)  # fmt: skip
_TEXTS = (
    '""', '"5"', '"true"', '"null"', '"CNY"', '"USD"', '"cny"', '"CNY\\n"', '"app"', '"App"', '"app\\n"', '"app "',
    '"a/b"', '".app"', '"_app"', '"-app"', '"\uff41pp"', '"deposit"', '"Deposit"', '"send"', '"media"', '"\\ud800"',
    '"\\udc00\\ud800"', '"\\ud83d\\ude00"', '"\\u0000"', '"\\q"', '"\t"', '"\x7f"',
    *(f'"{character * length}"' for character in "x\u5ba2\U0001f600" for length in (64, 65)),
)  # fmt: skip
_NESTED = ("[]", "{}", '["app"]', '{"a":1}', '{"a":' * 250 + "1" + "}" * 250)
_DEEP = tuple("[" * depth + "]" * depth for depth in (150, 198, 199, 200, 201, 1500))
_BROKEN = ("[1,]", "{,}", "'app'", "tru", "", " ")
ODD_LITERALS = ("null", "true", "false", *_NUMBERS, *_TEXTS, *_NESTED, *_DEEP, *_BROKEN)
_JUNK = (b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\x00", b"}", b",", b"{}", b'"', b"\\", b" ")

_LOWER = string.ascii_lowercase + string.digits
tokens = st.builds("{}{}".format, st.sampled_from(_LOWER), st.text(_LOWER + "_.-", max_size=63))
cased_tokens = st.builds("{}{}".format, st.sampled_from(_LOWER + "AZ"), st.text(_LOWER + "AZ_.-", max_size=63))
identifiers = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=64)
money = st.integers(0, MAX_MONEY_MINOR)
signed_money = st.integers(-MAX_MONEY_MINOR, MAX_MONEY_MINOR)


@st.composite
def instants(draw: st.DrawFn) -> str:
    """RFC 3339 texts of every shape, most of them right; wrong ones are a character or a digit off."""
    zone = timezone(timedelta(minutes=draw(st.sampled_from([0, 480, -570, 1439, -1439, 1]))))
    near_edges = st.sampled_from([datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59), datetime(2024, 2, 29)])  # noqa: DTZ001 - zoned below
    moment = draw(st.datetimes() | near_edges).replace(tzinfo=zone)
    text = moment.replace(microsecond=0, tzinfo=None).isoformat()
    text += draw(st.just(".123") | st.from_regex(r"(\.[0-9]{0,10})?", fullmatch=True))
    text += "Z" if zone == UTC else moment.isoformat()[-6:]
    if draw(st.integers(0, 5)) < 5:
        return text
    at = draw(st.integers(0, len(text) - 1))
    stranger: str = draw(st.sampled_from([*"0123456789tTzZ:.+- \uff16\u4e2d", ""]))
    return text[:at] + stranger + text[at + 1 :]


_EVENT: dict[str, SearchStrategy[object]] = {"event_id": identifiers, "occurred_at": instants()}
_CURRENCY = {"currency": st.sampled_from(["CNY"] * 4 + ["USD"])}


def or_null(strategy: SearchStrategy[object]) -> SearchStrategy[object]:
    return st.none() | strategy


REQUIRED: dict[str, dict[str, SearchStrategy[object]]] = {
    topics.LOGINS: _EVENT | {"customer_id": identifiers, "channel": tokens},
    topics.TRANSACTIONS: _EVENT
    | {
        "customer_id": identifiers,
        "kind": st.sampled_from(get_args(TransactionKind)),
        "amount_minor": money,
        "channel": tokens,
    },
    topics.TOUCHES: _EVENT
    | {
        "customer_id": identifiers,
        "campaign_id": cased_tokens,
        "channel": tokens,
        "kind": st.sampled_from(get_args(TouchKind)),
    },
    topics.COSTS: _EVENT
    | {"campaign_id": cased_tokens, "category": st.sampled_from(get_args(CostCategory)), "amount_minor": signed_money},
}
OPTIONAL: dict[str, dict[str, SearchStrategy[object]]] = {
    topics.LOGINS: {
        "session_seconds": or_null(st.integers(0, 10**25) | st.floats(0, allow_infinity=False)),
        "automated": st.booleans(),
    },
    topics.TRANSACTIONS: _CURRENCY
    | {
        "product": or_null(tokens),
        "revenue_minor": or_null(money),
        "aum_delta_minor": or_null(signed_money),
        "cross_bank": st.booleans(),
        "scenario": or_null(tokens),
        "reverses": or_null(identifiers),
    },
    topics.TOUCHES: _CURRENCY
    | {"variant": or_null(cased_tokens), "cost_minor": money, "automated": st.booleans(), "recommended": st.booleans()},
    topics.COSTS: _CURRENCY | {"variant": or_null(cased_tokens)},
}

odd_texts = st.sampled_from(ODD_LITERALS)
json_texts = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
).map(json.dumps)


@st.composite
def members(draw: st.DrawFn, topic: str) -> list[tuple[str, str]]:
    """Names and JSON texts of an event's fields, up to three of them dropped, changed, doubled or made up."""
    fields = draw(st.fixed_dictionaries(REQUIRED[topic], optional=OPTIONAL[topic]))
    ascii_only = draw(st.booleans())
    pairs = [(name, json.dumps(value, ensure_ascii=ascii_only)) for name, value in fields.items()]
    names = [*REQUIRED[topic], *OPTIONAL[topic]]
    for _ in range(draw(st.sampled_from([0, 0, 1, 1, 2, 3]))):
        kind = draw(st.sampled_from(["drop", "change", "add", "double", "unknown"]))
        at = draw(st.integers(0, len(pairs) - 1)) if pairs else None
        if kind == "drop" and at is not None:
            del pairs[at]
        elif kind == "change" and at is not None:
            pairs[at] = (pairs[at][0], draw(odd_texts | json_texts))
        elif kind == "double" and at is not None:
            pairs.insert(draw(st.integers(0, len(pairs))), (pairs[at][0], draw(odd_texts | json_texts)))
        elif kind == "add":
            pairs.append((draw(st.sampled_from(names)), draw(odd_texts)))
        else:
            pairs.append((draw(st.text(max_size=5)), draw(odd_texts | json_texts)))
    return pairs


@st.composite
def values(draw: st.DrawFn, topic: str) -> bytes:
    """A record's value: an event as text, sometimes with bytes around it or in it that do not belong there."""
    pairs = draw(members(topic))
    space = draw(st.sampled_from(["", " ", "\r\n\t"]))
    body = ",".join(f"{space}{json.dumps(name)}{space}:{space}{text}" for name, text in pairs)
    value = f"{space}{{{body}{space}}}{space}".encode()
    if draw(st.integers(0, 4)) < 4:
        return value
    at = draw(st.integers(0, len(value)))
    junk = draw(st.sampled_from(_JUNK))
    return draw(
        st.sampled_from(
            [junk + value, value + junk, value[:at], value[:at] + junk + value[at:], value[:at] + value[at + 1 :]]
        )
        | json_texts.map(str.encode)
        | st.binary(max_size=20)
    )


@st.composite
def records(draw: st.DrawFn, topic: str) -> tuple[bytes | None, bytes | None]:
    """Key and value; the key is the id in the value more often than not."""
    value = draw(values(topic))
    key: bytes | None = None
    try:
        identifier = json.loads(value)[topics.KEY_FIELD[topic]]
        key = identifier.encode()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        key = b"C1"
    if draw(st.integers(0, 9)) == 9:
        key = draw(st.none() | st.binary(max_size=3))
    if draw(st.integers(0, 19)) == 19:
        return key, draw(st.none() | st.sampled_from([65_535, 65_536, 65_537]).map(value.ljust))
    return key, value
