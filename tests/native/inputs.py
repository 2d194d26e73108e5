"""Records that are nearly right, for the fuzzer: of each field what producers write, and what lies just beside it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, get_args

from schemas.common import TransactionKind
from schemas.topics import LOGINS, TOUCHES, TRANSACTIONS
from schemas.touch import TouchKind
from tests.schemas.strategies import ODD_LITERALS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    from tests.native.comparing import Record

    Make = Callable[[Random], str]

IDS: Final = ("C1", "c" * 64, "c" * 65, "客", "a b", "ab/", "x" * 63 + "客")
INSTANTS: Final = (
    "2026-03-01T08:00:00Z", "2026-03-01T08:00:00.1+08:00", "2024-02-29T23:59:59.999999999-12:00",
    "2023-02-29T00:00:00Z", "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59.999-00:01", "1990-01-01T00:00:00Z",
    "1989-12-31T23:59:59.999Z", "2026-03-01T24:00:00Z", "2026-03-01T08:00:60Z", "2026-03-01t08:00:00z",
    "2026-03-01 08:00:00Z", "2026-3-1T8:0:0Z", "2299-12-30T23:59:59.999Z", "2299-12-31T00:00:00Z",
    "2299-12-31T07:59:59.999+08:00", "2300-01-01T00:00:00+23:59",
)  # fmt: skip
MONEY: Final = ("0", "7", "1250", "99999999", "999999999999999", "1000000000000000")
ODD_MONEY: Final = (
    "1000000000000001", "-1", "-1000000000000000", "-1000000000000001", "-0", "- 1", "-01", "01", "00", "1e3", "-",
    "999999999999999999", "1000000000000000000", "9223372036854775808", "18446744073709551617", "1E0", "0x1", "null",
)  # fmt: skip
ODD_TOKENS: Final = tuple(
    json.dumps(text)
    for text in ("", "a" * 64, "a" * 65, "A", "aB", "_a", "a_", ".a", "-", "a b", "9", "Z9.-_", "a/", "null", "á")
)
CURRENCIES: Final = ('"USD"', '"cny"', '"CNYX"', '"CN"', '""', "null", '"CNY "', '"\\u0043NY"')
PIECES: Final = tuple(
    piece.encode("utf-8", "surrogatepass")
    for piece in (
        '"', "\\", "{", "}", "[", "]", ":", ",", " ", "\n", "\ufeff", "\x00", "\x7f",
        "null", "true", "-", ".", "e9", "0", "客",
    )
)  # fmt: skip


def _one_of(usual: Sequence[str], odd: Sequence[str] = (), share: float = 0.05) -> Make:
    return lambda random: random.choice(odd if odd and random.random() < share else usual)


def _event_id(random: Random) -> str:
    name = random.choice(IDS) if random.random() < 0.03 else f"e{random.randrange(1 << 30)}"
    return json.dumps(name, ensure_ascii=random.random() < 0.5)


def _instant(random: Random) -> str:
    return json.dumps(random.choice(INSTANTS[:3] if random.random() < 0.95 else INSTANTS))


def _seconds(random: Random) -> str:
    decimal = f"{random.random() * 10 ** random.randint(-3, 14)}"
    return random.choice(("null", "0", f"{random.uniform(0, 10):.3f}", decimal))


_FLAG: Final = _one_of(("true", "false"), ("null", "1", '"true"', "True", "truefalse"), 0.02)
_TOKEN: Final = _one_of(('"app"', '"web"', '"a.b-c_9"'), ODD_TOKENS)
_CASED: Final = _one_of(('"A"', '"Spring-2026"', '"b"'), ODD_TOKENS)
_MONEY: Final = _one_of(MONEY, ODD_MONEY)
_CURRENCY: Final = _one_of(('"CNY"',), CURRENCIES)


def _or_null(make: Make) -> Make:
    return lambda random: "null" if random.random() < 0.2 else make(random)


_EVENT: Final[dict[str, Make]] = {"event_id": _event_id, "occurred_at": _instant, "customer_id": lambda _: ""}
REQUIRED: Final[dict[str, dict[str, Make]]] = {
    LOGINS: _EVENT | {"channel": _TOKEN},
    TOUCHES: _EVENT
    | {"campaign_id": _CASED, "channel": _TOKEN, "kind": _one_of([f'"{kind}"' for kind in get_args(TouchKind)])},
    TRANSACTIONS: _EVENT
    | {"kind": _one_of([f'"{kind}"' for kind in get_args(TransactionKind)]), "amount_minor": _MONEY, "channel": _TOKEN},
}
OPTIONAL: Final[dict[str, dict[str, Make]]] = {
    LOGINS: {"session_seconds": _seconds, "automated": _FLAG},
    TOUCHES: {
        "variant": _or_null(_CASED),
        "cost_minor": _MONEY,
        "currency": _CURRENCY,
        "automated": _FLAG,
        "recommended": _FLAG,
    },
    TRANSACTIONS: {
        "currency": _CURRENCY,
        "product": _or_null(_TOKEN),
        "revenue_minor": _or_null(_MONEY),
        "aum_delta_minor": _or_null(_one_of((*MONEY, "-1", "-1000000000000000"), ODD_MONEY)),
        "cross_bank": _FLAG,
        "scenario": _or_null(_TOKEN),
        "reverses": _or_null(_event_id),
    },
}


def record(topic: str, random: Random) -> Record:
    """Return a record that is nearly right."""
    name = random.choice(IDS) if random.random() < 0.1 else f"C{random.randrange(1_000)}"
    fields = [(field, make(random)) for field, make in REQUIRED[topic].items()]
    fields[2] = ("customer_id", json.dumps(name, ensure_ascii=random.random() < 0.5))
    fields += [(field, make(random)) for field, make in OPTIONAL[topic].items() if random.random() < 0.5]
    names = (*REQUIRED[topic], *OPTIONAL[topic], "extra", "even_id", "", "kinds")
    if random.random() < 0.15:
        at = random.randrange(len(fields))
        fields[at] = (random.choice((fields[at][0], random.choice(names))), random.choice(ODD_LITERALS))
    if random.random() < 0.1:
        fields.append((random.choice(names), random.choice((*ODD_LITERALS, '"app"', "5", '"CNY"'))))
    if random.random() < 0.1:
        del fields[random.randrange(len(fields))]
    if random.random() < 0.2:
        random.shuffle(fields)
    comma, colon = random.choice(((",", ":"), (", ", ": "), (" ,\n", "\t:")))
    text = "{" + comma.join(f'"{field}"{colon}{value}' for field, value in fields) + "}"
    value = bytearray(text.encode("utf-8", "surrogatepass"))
    if random.random() < 0.4:
        _mutate(random, value)
    if random.random() < 0.002:
        value[-1:] = value[-1:].ljust(random.choice((65_536, 65_537)) - len(value) + 1)
    key = name.encode() if random.random() < 0.97 else random.choice((None, b"", b"C1", b"\xff", name.encode() + b" "))
    return key, None if random.random() < 0.005 else bytes(value)


def mutated(random: Random, value: bytes) -> bytes:
    """Return a value with some odd bytes more."""
    odd = bytearray(value)
    _mutate(random, odd)
    return bytes(odd)


def _mutate(random: Random, value: bytearray) -> None:
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        at = random.randrange(len(value) + 1)
        match random.randrange(5):
            case 0:
                value[at : at + 1] = bytes([random.randrange(256)])
            case 1:
                value[at:at] = random.choice(PIECES)
            case 2:
                del value[at : at + random.randint(1, 4)]
            case 3:
                del value[at:]
            case _:
                start = random.randrange(len(value) + 1)
                value[at:at] = value[start : start + random.randint(1, 30)]
