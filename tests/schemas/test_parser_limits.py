from __future__ import annotations

import json
import time
from typing import NoReturn

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas import topics
from schemas.common import MAX_MONEY_MINOR
from schemas.decode import decode, decode_campaign, decode_customer
from schemas.judge import MAX_VALUE_BYTES
from schemas.parser_limits import decode_at_any_depth, readable_json, within_limits
from tests.schemas.strategies import json_texts, odd_texts
from tests.support.depth import depth

LOGIN = '{"event_id":"e","occurred_at":"2026-03-01T08:00:00Z","customer_id":"c","channel":"app"%s}'
COST = LOGIN.replace("customer_id", "campaign_id") % ',"category":"media","amount_minor":%s,"x":%s'
BEYOND = {
    "a long integer": "7" * 5_000,
    "a long negative integer": "-" + "7" * 5_000,
    "a long number with a fraction": "7" * 5_000 + ".5",
    "a long fraction": "0." + "7" * 5_000,
    "a long exponent": "1e" + "9" * 5_000,
    "a long negative exponent": "1e-" + "9" * 5_000,
    "an infinite number": "1e400",
    "deep arrays": "[" * 500 + "]" * 500,
    "deep objects": '{"[":' * 500 + '"\\"]"' + "}" * 500,
    "arrays beyond the stack": "[" * 20_000 + "7" * 5_000 + "]" * 20_000,
}


def verdict(topic: str, value: str) -> str:
    rejected = decode(topic, [0], [b"c"], [value.encode()], currency="CNY").rejected
    return rejected[0].reason if rejected else "accepted"


def is_json(text: str) -> bool:
    """By another parser, which can go as deep as its stack is."""

    def no_number(word: str) -> NoReturn:
        raise ValueError(word)

    try:
        found = json.loads(text, parse_constant=no_number, parse_int=lambda _: 0)
        json.dumps(found, ensure_ascii=False).encode()
    except ValueError:  # or half a surrogate pair
        return False
    return True


@pytest.mark.parametrize("text", BEYOND.values(), ids=BEYOND)
def test_unknown_field_may_hold_any_json(text: str) -> None:
    assert verdict(topics.COSTS, COST % ("5", text)) == "accepted"
    assert verdict(topics.LOGINS, LOGIN % f',"x":{{"y":[{text}]}}') == "accepted"


@pytest.mark.parametrize("text", BEYOND.values(), ids=BEYOND)
def test_known_field_that_holds_it_is_an_invalid_event(text: str) -> None:
    assert verdict(topics.COSTS, COST % (text, "1")) == "invalid_event"


@pytest.mark.parametrize(
    "text", ["{0}1", "1{0}", "{0}{0}", "[{0}]]", "[{0}}}", "{{{0}:1}}", "tru{0}", "[{0},]", "0" * 5_000]
)
@pytest.mark.parametrize("beyond", [BEYOND["deep arrays"], BEYOND["deep objects"]])
def test_what_is_no_json_around_it_stays_so(text: str, beyond: str) -> None:
    assert verdict(topics.COSTS, COST % ("5", text.format(beyond))) == "not_json"


@pytest.mark.parametrize("inner", ["NaN", "01", "[}", '"\\ud800"', '"\x01"', "1,", "]", "[", '"', '"\\'])
@pytest.mark.parametrize("levels", [99, 100, 101, 250, 500])
def test_what_is_no_json_in_its_depth_is_found(inner: str, levels: int) -> None:
    assert verdict(topics.COSTS, COST % ("5", "[" * levels + inner + "]" * levels)) == "not_json"


@settings(max_examples=depth(300), deadline=None)
@given(
    st.lists(odd_texts.filter(lambda text: len(text) < 300) | json_texts, min_size=1, max_size=3),
    st.lists(st.sampled_from(["[", "{"]), min_size=150, max_size=320),
    st.integers(0, 2_000),
    st.sampled_from(["", "", "", '"', "[", "]", "}", ",", "\\", "1"]),
)
def test_depth_changes_no_verdict(items: list[str], levels: list[str], at: int, junk: str) -> None:
    text = "".join('{"a":' if level == "{" else "[1," for level in levels)
    text += f"[{','.join(items)}]"
    text += "".join("}" if level == "{" else ',"]"]' for level in reversed(levels))
    at %= len(text) + 1
    text = text[:at] + junk + text[at:]

    try:
        readable_json(text)
    except ValueError:
        assert not is_json(text)
    else:
        assert is_json(text)


@settings(max_examples=depth(200), deadline=None)
@given(
    st.from_regex(r"[1-9][0-9]{17}", fullmatch=True),
    st.integers(383, 5_000),
    st.sampled_from(["", ".0", ".125"]),
    st.integers(-5_400, 10),
)
@example("1" * 18, 5_000, "", -(10**12))
@example("1" * 18, 5_000, ".5", 10**12)
def test_long_number_with_an_exponent_keeps_its_value(begin: str, more: int, decimals: str, exponent: int) -> None:
    text = f"{begin}{'7' * more}{decimals}e{exponent}"
    assert json.loads(within_limits(text.encode())) == float(text)


def test_long_number_that_is_small_is_a_good_value() -> None:
    decoded = decode(
        topics.LOGINS, [0], [b"c"], [(LOGIN % f',"session_seconds":{"7" * 5_000}e-4999').encode()], currency="CNY"
    )
    assert getattr(decoded.columns, "session_seconds") == [7.777777777777778]  # noqa: B009 - of logins alone


def test_shortened_integer_is_still_too_much() -> None:
    assert int(within_limits(b"1" + b"0" * 5_000)) > MAX_MONEY_MINOR
    assert int(within_limits(b"-1" + b"0" * 5_000)) < -MAX_MONEY_MINOR


def test_texts_are_left_alone() -> None:
    text = json.dumps({"a": "7" * 5_000, "b": "[" * 5_000, '"\\[': 1}).encode()
    assert within_limits(text) == text


def test_definitions_and_profiles_ignore_unknown_fields_too() -> None:
    campaign = (
        '{"campaign_id":"c","name":"c","starts_at":"2026-03-01T08:00:00Z","goal":{"kinds":["deposit"],"x":%s},"x":%s}'
    )
    for text in BEYOND.values():
        assert decode_campaign(b"c", (campaign % (text, "0")).encode()) is not None
        assert decode_campaign(b"c", (campaign % ("0", text)).encode()) is not None
        assert decode_customer(b"c", f'{{"customer_id":"c","x":{text}}}'.encode()) is not None


@pytest.mark.parametrize(
    "text", ["[" * 60_000, '"\\' * 30_000, '{"' * 30_000, "[7" * 30_000, "[" * 30_000 + "]" * 30_000]
)
def test_hostile_record_takes_milliseconds(text: str) -> None:
    value = LOGIN % f',"x":{text}'
    assert len(value) < MAX_VALUE_BYTES
    began = time.thread_time()
    verdict(topics.LOGINS, value)
    assert time.thread_time() - began < 1  # it is 20 ms; what is quadratic takes minutes


class Named(msgspec.Struct):
    name: str


NAMED = msgspec.json.Decoder(Named)


def test_msgspec_reads_behind_any_depth() -> None:
    text = b'{"x":' + b"[" * 30_000 + b"]" * 30_000 + b',"name":"n"}'
    assert decode_at_any_depth(NAMED, text) == Named("n")
    for broken in (text.replace(b"[]", b"[}"), text[:-1], text.replace(b"]", b"")):
        with pytest.raises(msgspec.DecodeError):
            decode_at_any_depth(NAMED, broken)
