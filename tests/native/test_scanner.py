from __future__ import annotations

from itertools import count, product, takewhile
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.native import decoding
from pipeline.native.decoding import Batch, scan
from pipeline.native.library import LOGIN, TOUCH, TRANSACTION, library
from pipeline.state.policy import Policy
from schemas import TOPIC_MODELS
from schemas.common import DEFAULT_EARLIEST_MS
from schemas.decode import decode
from schemas.export import EXAMPLES
from schemas.judge import MAX_VALUE_BYTES
from schemas.topics import LOGINS, TOUCHES, TRANSACTIONS
from tests.native.comparing import KINDS, TOPICS, judged, scanned
from tests.schemas.strategies import records
from tests.support.depth import depth

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.native.comparing import Record

pytestmark = pytest.mark.usefixtures("native_core")
NUMBER_OF: Final = {LOGINS: 0, TOUCHES: 1, TRANSACTIONS: 2}  # as scan.c numbers them
HEAD: Final = '{"event_id":"e","occurred_at":"2026-03-01T08:00:00.250+08:00","customer_id":"c","channel":"app"'
SOUND: Final = {
    LOGINS: HEAD + "%s}",
    TOUCHES: HEAD + ',"kind":"send","campaign_id":"Spring"%s}',
    TRANSACTIONS: HEAD + ',"kind":"deposit","amount_minor":100%s}',
}


def cases(*of_topics: tuple[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    return [(topic, more) for topic, texts in of_topics for more in texts]


def doubtful(topic: str, value: str, key: bytes = b"c") -> bool:
    """Say whether the scanner leaves a record to the judge."""
    seen: list[int] = []

    def counted(topic: str, offsets: Sequence[int], *rest: Any, **named: Any) -> Any:
        seen.extend(offsets)
        return decode(topic, offsets, *rest, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoding, "decode", counted)
        scanned(topic, [(key, value.encode())], Policy())
    return bool(seen)


@pytest.mark.parametrize("topic", TOPICS)
def test_unknown_fields_beyond_the_parsers_count_on_both_cores(topic: str) -> None:
    texts = ("7" * 5_000, "-" + "7" * 5_000 + ".5", "[" * 20_000 + "]" * 20_000, '{"a":' * 500 + "1e400" + "}" * 500)
    values = [SOUND[topic] % f',"x":{text}' for text in texts]
    values += [value[:-1] for value in values]
    batch: list[Record] = [(b"c", value.encode()) for value in values]
    events, rejected = scanned(topic, batch, Policy())
    assert (events, rejected) == judged(topic, batch, Policy())
    assert len(events) == len(texts)
    assert {item.reason for item in rejected} == {"not_json"}


# 40 times over, as where the plain decoder is compared with the models: its batches are parsed by column then
@pytest.mark.parametrize("times", [1, 40])
@pytest.mark.parametrize("topic", TOPICS)
@settings(
    max_examples=depth(200), deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(data=st.data(), shortest=st.sampled_from((5.0, 0.0, 0.1, 1e15)), currency=st.sampled_from(("CNY", "USD")))
def test_scanner_and_plain_decoder_agree_on_verdict_and_values(
    topic: str, times: int, data: st.DataObject, shortest: float, currency: str
) -> None:
    batch = data.draw(st.lists(records(topic), min_size=1, max_size=4 if times > 1 else 8)) * times
    policy = Policy(engaged_seconds=shortest, currency=currency)
    assert scanned(topic, batch, policy) == judged(topic, batch, policy)


EVERYWHERE: Final = (
    "",
    ', "app_version" : "7.1","screen":2,"beta":true,"referrer":null,"ratio":0.25 ',
    ',"":"","kinds":"","customer_i":1,"customer_ids":1',
)
MONEY: Final = ("0", "1000000000000000", "999999999999999")


@pytest.mark.parametrize(
    ("topic", "more"),
    cases(
        *((topic, EVERYWHERE) for topic in TOPICS),
        (LOGINS, (',"session_seconds":12.5', ',"session_seconds":0', ',"session_seconds":null,"automated":true')),
        (LOGINS, (', "automated" : false ',)),
        (TOUCHES, tuple(f',"cost_minor":{amount}' for amount in MONEY)),
        (TOUCHES, (',"variant":"B-2_x.9","currency":"CNY","automated":true,"recommended":false', ',"variant":null')),
        (TRANSACTIONS, tuple(f',"revenue_minor":{amount}' for amount in (*MONEY, "null"))),
        (TRANSACTIONS, tuple(f',"aum_delta_minor":{amount}' for amount in (*MONEY, "-1", "-1000000000000000", "null"))),
        (TRANSACTIONS, (',"product":"fund","scenario":"payday","reverses":"E 1","cross_bank":true,"currency":"CNY"',)),
        (TRANSACTIONS, (',"product":null,"scenario":null,"reverses":null,"cross_bank":false',)),
    ),
)
def test_what_producers_write_needs_no_judge(topic: str, more: str) -> None:
    assert not doubtful(topic, SOUND[topic] % more)


ODD_EVERYWHERE: Final = (
    ',"channel":"web"', ',"note":"\\u0041"', ',"note":"客户"', ',"note":"\x7f"', ',"note":{"a":1}', ',"note":-1',
    ',"n\\u006fte":1', ",", "}", "\x00", ' ,"note"', ',"event_id":"e"',
)  # fmt: skip
ODD_MONEY: Final = (
    "-0", "- 1", "01", "00", "1.0", "1e3", '"1"', "1000000000000001", "1000000000000000000",
    "18446744073709551617", "true",
)  # fmt: skip


@pytest.mark.parametrize(
    ("topic", "more"),
    cases(
        *((topic, ODD_EVERYWHERE) for topic in TOPICS),
        *((topic, (',"automated":null', ',"automated":1', ',"automated":tru')) for topic in (LOGINS, TOUCHES)),
        (LOGINS, tuple(f',"session_seconds":{seconds}' for seconds in ("-1", "-0.0", "1e3", "01", "1.", '"5"'))),
        (LOGINS, (',"session_seconds":1234567890123456', ',"session_seconds":.5')),
        (TOUCHES, tuple(f',"cost_minor":{amount}' for amount in (*ODD_MONEY, "-1", "null"))),
        (TOUCHES, tuple(f',"variant":{text}' for text in ('""', '".b"', '"b/"', '"客"', f'"{"b" * 65}"', "1"))),
        *((topic, (',"currency":"USD"', ',"currency":null', ',"currency":""')) for topic in (TOUCHES, TRANSACTIONS)),
        (TRANSACTIONS, tuple(f',"revenue_minor":{amount}' for amount in (*ODD_MONEY, "-1"))),
        (TRANSACTIONS, tuple(f',"aum_delta_minor":{amount}' for amount in (*ODD_MONEY, "-1000000000000001", "-"))),
        (TRANSACTIONS, tuple(f',"product":{text}' for text in ('""', '"Fund"', '"-f"', '"f "', f'"{"f" * 65}"'))),
        (TRANSACTIONS, (',"scenario":"A"', ',"reverses":""', f',"reverses":"{"e" * 65}"', ',"cross_bank":null')),
    ),
)
def test_whatever_is_out_of_the_ordinary_goes_to_the_judge(topic: str, more: str) -> None:
    assert doubtful(topic, SOUND[topic] % more)


@pytest.mark.parametrize("topic", TOPICS)
def test_a_byte_order_mark_goes_to_the_judge(topic: str) -> None:
    assert doubtful(topic, "\ufeff" + SOUND[topic] % "")


@pytest.mark.parametrize(
    ("topic", "sound", "odd"),
    [
        *((topic, '"channel":"app"', '"channel":null') for topic in TOPICS),
        *((topic, '"channel":"app"', '"channel":"App"') for topic in TOPICS),
        *((topic, '"event_id":"e"', f'"event_id":"{"e" * 65}"') for topic in TOPICS),
        *((topic, '"event_id":"e",', "") for topic in TOPICS),
        *((topic, "2026-03-01", "1989-12-31") for topic in TOPICS),
        (TOUCHES, '"kind":"send"', '"kind":"sends"'),
        (TOUCHES, '"kind":"send"', '"kind":"deposit"'),
        (TOUCHES, '"Spring"', '"_Spring"'),
        (TRANSACTIONS, '"kind":"deposit"', '"kind":"send"'),
        (TRANSACTIONS, '"amount_minor":100', '"amount_minor":-100'),
        (TRANSACTIONS, '"amount_minor":100', '"amount_minor":null'),
    ],
)
def test_what_a_record_needs_is_looked_at(topic: str, sound: str, odd: str) -> None:
    value = SOUND[topic] % ""
    assert sound in value
    assert doubtful(topic, value.replace(sound, odd))


@pytest.mark.parametrize("key", [b"", b"d", b"cc"])
@pytest.mark.parametrize("topic", TOPICS)
def test_another_key_goes_to_the_judge(topic: str, key: bytes) -> None:
    assert doubtful(topic, SOUND[topic] % "", key)


@pytest.mark.parametrize("topic", TOPICS)
def test_the_largest_record_is_taken_and_a_larger_one_is_not(topic: str) -> None:
    value = SOUND[topic] % ""
    assert [doubtful(topic, value.ljust(MAX_VALUE_BYTES + more)) for more in (0, 1)] == [False, True]


def test_every_byte_is_known_wherever_it_stands_in_a_text() -> None:
    """Texts are read eight bytes at a time; two odd ones beside each other must not hide each other."""
    plain = {byte for byte in range(0x20, 0x7F) if chr(byte) not in '"\\'}
    values, expected = [], []
    for byte, behind, at in product(range(256), (0x78, 0x00, 0x21, 0x22, 0x7F, 0xFF), range(17)):
        note = bytearray(b"x" * 18)
        note[at : at + 2] = bytes((byte, behind))
        values.append((SOUND[LOGINS] % ',"note":"#"').encode().replace(b"#", note))
        expected.append(int({byte, behind} <= plain))
    batch = Batch.joined([b"c"] * len(values), values)
    assert scan(LOGINS, batch, Policy(), DEFAULT_EARLIEST_MS)[0]["is_sound"].tolist() == expected


def examples() -> Iterator[Any]:
    for topic in TOPICS:
        for file in sorted((EXAMPLES / topic).rglob("*.json")):
            yield pytest.param(topic, file.read_bytes(), id=f"{topic}/{file.stem}")


@pytest.mark.parametrize(("topic", "value"), list(examples()))
def test_the_contract_s_examples_are_judged_alike(topic: str, value: bytes) -> None:
    batch: list[Record] = [(key, value) for key in (b"C00018364", b"somebody-else", None)]
    assert scanned(topic, batch, Policy()) == judged(topic, batch, Policy())


@pytest.mark.parametrize("topic", TOPICS)
def test_fields_kinds_and_rows_are_those_of_the_models(topic: str) -> None:
    """A field that the model has and the scanner does not would be skipped unread."""
    number = NUMBER_OF[topic]
    told = (library().scan_field(number, at) for at in count())
    assert {name.decode() for name in takewhile(bool, told)} == set(TOPIC_MODELS[topic].model_fields)
    told = (library().scan_kind(number, at) for at in count())
    assert tuple(name.decode() for name in takewhile(bool, told)) == KINDS[topic]
    dtype = {LOGINS: LOGIN, TOUCHES: TOUCH, TRANSACTIONS: TRANSACTION}[topic]
    assert library().scan_row_size(number) == dtype.itemsize


@pytest.mark.parametrize("seconds", ["4.999999999999999", "5.00000000000000", "0.3", "4.35", "999999999999999"])
def test_seconds_are_the_double_next_to_the_decimal(seconds: str) -> None:
    batch: list[Record] = [(b"c", (SOUND[LOGINS] % f',"session_seconds":{seconds}').encode())]
    for shortest in (float(seconds), float(seconds) * (1 + 2**-52)):
        policy = Policy(engaged_seconds=shortest)
        assert scanned(LOGINS, batch, policy) == judged(LOGINS, batch, policy)
